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
    # AWS accounts
    "ok": State("Connected", "ok", _OK),
    "pending": State("Not verified yet", "", "pending"),
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
    # operations
    "awaiting_approval": State("Awaiting approval", "warn", "approval_delegation"),
    "outcome_unknown": State("Outcome unknown", "warn", "help"),
    "rejected": State("Rejected", "", "block"),
    # credentials
    "expired": State("Expired", "bad", "timer_off"),
    "expiring": State("Expires soon", "warn", "timer"),
    "old_key": State("Old key", "warn", "key"),
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
    # audit outcomes
    "success": State("Success", "ok", _OK),
    "failure": State("Failure", "bad", _BAD),
    "refused": State("Refused", "warn", "block"),
    "intent": State("Started", "info", "play_circle"),
}


def state_of(value: str) -> State:
    """The state called `value`; one that is not known here shows its own name, quietly."""
    return _STATES.get(value) or State(value.replace("_", " ").capitalize(), "", "")
