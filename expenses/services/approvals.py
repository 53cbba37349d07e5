"""Handing expenses in, deciding about them, paying them back. Nobody decides about their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Expense
from expenses.rules.statuses import MemberRole, Status
from expenses.selectors import workspaces
from expenses.selectors.workspaces import NotAllowed
from expenses.services.expenses import ExpenseChanged

MAX_REASON: Final = 500


@dataclass(frozen=True)
class _Step:
    """From which states to which, and how the trail tells it."""

    before: Collection[Status]
    after: Status
    verb: Verb


_SUBMIT = _Step((Status.DRAFT, Status.REJECTED), Status.SUBMITTED, verbs.EXPENSE_SUBMITTED)
_WITHDRAW = _Step((Status.SUBMITTED,), Status.DRAFT, verbs.EXPENSE_WITHDRAWN)
_APPROVE = _Step((Status.SUBMITTED,), Status.APPROVED, verbs.EXPENSE_APPROVED)
_REJECT = _Step((Status.SUBMITTED,), Status.REJECTED, verbs.EXPENSE_REJECTED)
_REIMBURSE = _Step((Status.APPROVED,), Status.REIMBURSED, verbs.EXPENSE_REIMBURSED)


class WrongState(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "expense_state"
    title = "The expense is not in a state for that"


class ReasonNeeded(CloudconsoleError):
    code = "reason_needed"
    title = "Say why"


def submit(*, expense: Expense, by: User) -> Expense:
    """Hand it in. Raises NotAllowed, WrongState."""
    _require_own(expense, by)
    return _step(expense, by, _SUBMIT)


def withdraw(*, expense: Expense, by: User) -> Expense:
    """Take it back before it is decided about. Raises NotAllowed, WrongState."""
    _require_own(expense, by)
    return _step(expense, by, _WITHDRAW)


def approve(*, expense: Expense, by: User, revision: int | None = None) -> Expense:
    """`revision`: the one that was looked at. Raises ExpenseChanged for another; NotAllowed also for one's own; WrongState."""
    _require_other(expense, by)
    return _step(expense, by, _APPROVE, revision=revision)


def reject(*, expense: Expense, reason: str, by: User) -> Expense:
    """Give it back with a reason. Raises ReasonNeeded, NotAllowed also for one's own; WrongState."""
    _require_other(expense, by)
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise ReasonNeeded(f"Whoever handed it in has to know why, in at most {MAX_REASON} characters.", attr="reason")
    return _step(expense, by, _REJECT, reason)


def reimburse(*, expense: Expense, by: User) -> Expense:
    """Note that it was paid back. Raises NotAllowed also for one's own; WrongState."""
    _require_other(expense, by)
    return _step(expense, by, _REIMBURSE)


def _require_own(expense: Expense, by: User) -> None:
    workspaces.require(by, expense.workspace, MemberRole.CONTRIBUTOR)
    if expense.owner_id != by.pk:
        raise NotAllowed(f"This is an expense of {expense.owner_name}: only they hand it in.")


def _require_other(expense: Expense, by: User) -> None:
    workspaces.require(by, expense.workspace, MemberRole.APPROVER)
    if expense.owner_id == by.pk:
        raise NotAllowed("This is your own expense: somebody else decides about it.")


def _step(expense: Expense, by: User, step: _Step, reason: str = "", *, revision: int | None = None) -> Expense:
    if not expense.workspace.needs_approval:
        raise WrongState("Nothing is approved in this workspace.")
    with transaction.atomic():
        kept = Expense.objects.kept().select_for_update(of=("self",)).with_names().filter(pk=expense.pk).first()
        if kept is None or kept.status not in step.before:
            raise WrongState(f"It is {kept.get_status_display().lower() if kept else 'deleted'} by now.")
        if revision is not None and kept.revision != revision:
            raise ExpenseChanged("Look at what it is now, and decide about that.", attr="revision")
        decided = step.after not in (Status.SUBMITTED, Status.DRAFT)
        kept.status, kept.decision, kept.revision = step.after, reason, kept.revision + 1
        kept.decided_by, kept.decided_at = (by, clock.now()) if decided else (None, None)
        kept.save(update_fields=["status", "decision", "decided_by", "decided_at", "revision", "updated_at"])
        detail: dict[str, str | int | None] = {"workspace": kept.workspace.name, "owner": kept.owner_name, "reason": reason}
        audit.services.record(step.verb, actor=by, subject=str(kept.pk), detail=detail)
    return kept
