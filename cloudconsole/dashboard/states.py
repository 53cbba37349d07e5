"""Words, tones and icons of every state that a page shows. Colour never says anything alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """`tone`: ok | warn | bad | info | "" (quiet). `icon`: a Material Symbol."""

    word: str
    tone: str
    icon: str


_OK = "check_circle"
_WARN = "warning"
_BAD = "error"

_STATES = {
    # recommendations
    "open": State("Open", "info", "lightbulb"),
    "dismissed": State("Dismissed", "", "visibility_off"),
    "fixed": State("Fixed", "ok", _OK),
    "gone": State("No longer so", "", "history"),
    # quotas
    "quota-ok": State("Enough left", "ok", _OK),
    "quota-warning": State("Warning", "warn", _WARN),
    "quota-critical": State("Critical", "bad", _BAD),
    "quota-not_enabled": State("Not enabled", "warn", "lock"),
    "quota-unknown": State("Unknown", "", "help"),
    "PENDING": State("Waiting for AWS", "info", "hourglass_top"),
    "CASE_OPENED": State("With AWS Support", "info", "support_agent"),
    "APPROVED": State("Granted", "ok", _OK),
    "DENIED": State("Denied", "bad", "block"),
    "NOT_APPROVED": State("Not granted", "bad", "block"),
    "CASE_CLOSED": State("Closed", "", "check"),
    "INVALID_REQUEST": State("Not valid", "warn", _WARN),
    # AWS accounts
    "ok": State("Connected", "ok", _OK),
    "pending": State("Not verified yet", "", "pending"),
    "billing_files_only": State("Billing files only", "", "description"),
    "degraded": State("Partly working", "warn", _WARN),
    "error": State("Cannot be reached", "bad", _BAD),
    # cost snapshots and their sources
    "queued": State("Queued", "", "schedule"),
    "running": State("Running", "info", "progress_activity"),
    "succeeded": State("Succeeded", "ok", _OK),
    "partial": State("Partial", "warn", _WARN),
    "failed": State("Failed", "bad", _BAD),
    "cancelled": State("Cancelled", "", "cancel"),
    "stale": State("Out of date", "warn", "history"),
    "denied": State("Access denied", "bad", "block"),
    "not_enabled": State("Not enabled", "warn", "toggle_off"),
    "covered": State("Read from the payer", "", "account_tree"),
    "waiting": State("Waiting", "", "schedule"),
    "stored": State("Stored", "ok", _OK),
    "split": State("Split", "", "call_split"),
    # billing files
    "received": State("Waiting to be read", "", "schedule"),
    "reading": State("Being read", "info", "progress_activity"),
    "ready": State("Waiting for a decision", "warn", "help"),
    "accepted": State("Being stored", "info", "progress_activity"),
    "committed": State("Stored", "ok", _OK),
    "rolled_back": State("Taken back", "", "undo"),
    "discarded": State("Discarded", "", "delete"),
    "file": State("This file", "ok", "description"),
    "cost_explorer": State("Cost Explorer", "", "cloud"),
    "newer_file": State("A newer file", "", "history"),
    "nobody": State("Taken back", "", "undo"),
    # imports of expenses, and their rows
    "import-mapping": State("Waiting for its columns", "warn", "help"),
    "import-staging": State("Being checked", "info", "progress_activity"),
    "import-ready": State("Waiting for a decision", "warn", "help"),
    "import-committing": State("Being imported", "info", "progress_activity"),
    "import-committed": State("Imported", "ok", _OK),
    "import-rolling_back": State("Being taken back", "info", "progress_activity"),
    "import-rolled_back": State("Taken back", "", "undo"),
    "import-discarded": State("Discarded", "", "delete"),
    "import-failed": State("Failed", "bad", _BAD),
    "import-new": State("New", "ok", "add_circle"),
    "import-duplicate_in_file_kept": State("New, several times in the file", "ok", "content_copy"),
    "import-near_match": State("Perhaps there already", "warn", "help"),
    "import-changed": State("Changed at the source", "warn", "difference"),
    "import-duplicate_exact": State("There already", "", "check"),
    "import-skipped_by_user": State("Left out", "", "visibility_off"),
    "import-invalid": State("Cannot be read", "bad", _BAD),
    "import-take": State("To be taken", "ok", "check"),
    "import-leave": State("Left out by choice", "", "visibility_off"),
    "import-created": State("Imported", "ok", _OK),
    "import-updated": State("Updated", "ok", "update"),
    "import-undone": State("Taken back", "", "undo"),
    # keys of other services
    "key-active": State("In use", "ok", _OK),
    "key-disabled": State("Disabled", "", "pause"),
    "key-expired": State("Expired", "bad", "event_busy"),
    "key-unbound": State("Bound to no host", "warn", "link_off"),
    "key-new": State("New", "ok", "add_circle"),
    "key-skipped": State("Left out", "", "block"),
    # unusual costs
    "anomaly-open": State("Going on", "warn", "trending_up"),
    "anomaly-closed": State("Over", "", "check"),
    "anomaly-withdrawn": State("Withdrawn", "", "undo"),
    "muted": State("Muted", "", "notifications_off"),
    # alerts, and the messages that carry them
    "info": State("Info", "info", "info"),
    "warning": State("Warning", "warn", _WARN),
    "critical": State("Critical", "bad", _BAD),
    "delivery-waiting": State("Waiting", "", "schedule"),
    "delivery-claimed": State("Being sent", "info", "progress_activity"),
    "delivery-sending": State("Being sent", "info", "progress_activity"),
    "delivery-sent": State("Sent", "ok", _OK),
    "delivery-dead": State("Given up", "bad", _BAD),
    "delivery-unknown": State("Unknown", "warn", "help"),
    "delivery-cancelled": State("Cancelled", "", "cancel"),
    # operations
    "awaiting_approval": State("Awaiting approval", "warn", "approval_delegation"),
    "outcome_unknown": State("Outcome unknown", "warn", "help"),
    "rejected": State("Rejected", "", "block"),
    # expenses
    "expense-draft": State("Draft", "", "edit_note"),
    "expense-submitted": State("Handed in", "info", "outbox"),
    "expense-approved": State("Approved", "ok", _OK),
    "expense-rejected": State("Rejected", "bad", "block"),
    "expense-reimbursed": State("Paid back", "ok", "payments"),
    # credentials
    "expired": State("Expired", "bad", "timer_off"),
    "expiring": State("Expires soon", "warn", "timer"),
    "old_key": State("Old key", "warn", "key"),
    # schedules and what they decide
    "trial": State("On trial", "info", "experiment"),
    "armed": State("Armed", "ok", "alarm_on"),
    "paused": State("Paused", "warn", "pause_circle"),
    "asked": State("Asked for", "ok", _OK),
    "would": State("Would have acted", "info", "experiment"),
    "left": State("Left alone", "", "do_not_disturb_on"),
    "missed": State("Missed", "warn", "alarm_off"),
    # instances and functions, in AWS's words
    "ec2-pending": State("pending", "info", "progress_activity"),
    "ec2-running": State("running", "ok", "play_circle"),
    "ec2-stopping": State("stopping", "info", "progress_activity"),
    "ec2-stopped": State("stopped", "", "stop_circle"),
    "ec2-shutting-down": State("shutting-down", "info", "progress_activity"),
    "ec2-terminated": State("terminated", "", "delete"),
    "lambda-Active": State("Active", "ok", _OK),
    "lambda-Pending": State("Pending", "info", "progress_activity"),
    "lambda-Inactive": State("Inactive", "", "bedtime"),
    "lambda-Failed": State("Failed", "bad", _BAD),
    # buckets
    "public-blocked": State("Blocked", "ok", "lock"),
    "public-possible": State("Not blocked", "warn", "lock_open"),
    # scans
    "complete": State("Complete", "ok", _OK),
    "skipped": State("Not asked", "", "remove_circle"),
    # capabilities
    "unknown": State("Not known", "", "help"),
    # accounts of an organization, in AWS's words
    "ACTIVE": State("Active", "ok", _OK),
    "SUSPENDED": State("Suspended", "bad", "block"),
    "PENDING_ACTIVATION": State("Being activated", "", "schedule"),
    "PENDING_CLOSURE": State("Being closed", "warn", _WARN),
    "CLOSED": State("Closed", "bad", "block"),
    # budgets
    "budget-on_track": State("On track", "ok", _OK),
    "budget-at_risk": State("At risk", "warn", _WARN),
    "budget-over": State("Over", "bad", _BAD),
    "budget-unknown": State("Unknown", "", "help"),
    "budget-cannot_be_evaluated": State("Cannot be evaluated", "bad", "block"),
    "budget-not_started": State("Not started", "", "schedule"),
    "budget-ended": State("Ended", "", "event_busy"),
    "budget-reached": State("Reached", "warn", "notifications_active"),
    # audit outcomes
    "success": State("Success", "ok", _OK),
    "failure": State("Failure", "bad", _BAD),
    "refused": State("Refused", "warn", "block"),
    "intent": State("Started", "info", "play_circle"),
}


def state_of(value: str) -> State:
    """The state called `value`; one that is not known here shows its own name, quietly."""
    return _STATES.get(value) or State(value.replace("_", " ").capitalize(), "", "")
