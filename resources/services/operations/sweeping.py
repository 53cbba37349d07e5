"""What the scheduler's ring leads to: what nobody works on is rung for, what waited too long is ended."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from cloudconsole.core import clock, jobs
from resources import verbs
from resources.models import Operation
from resources.rules.operations import Event, Status
from resources.services.operations import moves, trail
from resources.services.operations.refusals import AccountGone, NotInTime
from resources.services.operations.turns import RUN

_AT_ONCE = 500
_WAITING = Q(status=Status.AWAITING_APPROVAL) | Q(status=Status.QUEUED)


def tick() -> None:
    """Two at once are harmless: each row is ended by one, and ringing twice changes nothing."""
    _drop()
    _expire()
    for pk in Operation.objects.filter(moves.due()).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]:
        jobs.enqueue(RUN, operation_id=pk)


def _drop() -> None:
    """What waits in an account that was disconnected is cancelled; what is running ends as it does."""
    orphaned = Operation.objects.filter(_WAITING).exclude(account__deleted_at=None).select_related("account", "requested_by")
    for operation in orphaned[:_AT_ONCE]:
        _cancel(operation)


@transaction.atomic
def _cancel(operation: Operation) -> None:
    detail = f"“{operation.account.alias}” was disconnected before it was sent. Nothing was changed."
    if operation.sent_at is not None:
        detail = f"“{operation.account.alias}” was disconnected. What had been done until then stays done."
    told = {"outcome_code": AccountGone.code, "outcome_detail": detail, "outcome_remedy": "", "finished_at": clock.now()}
    if moves.move(Operation.objects.filter(pk=operation.pk), Event.EXPIRE, **told, not_before=None):
        moves.publish(operation)
        trail.decided(verbs.OPERATION_DROPPED, operation, None)


def _expire() -> None:
    late = Operation.objects.filter(_WAITING, expires_at__lte=clock.now()).select_related("account", "requested_by")
    for operation in late[:_AT_ONCE]:
        _end(operation)


@transaction.atomic
def _end(operation: Operation) -> None:
    was_waiting = operation.status == Status.AWAITING_APPROVAL
    code = "approval_expired" if was_waiting else NotInTime.code
    detail = "Nobody approved it in time." if was_waiting else NotInTime.of(operation).detail
    told = {"outcome_code": code, "outcome_detail": detail, "outcome_remedy": NotInTime.remedy, "finished_at": clock.now()}
    if moves.move(Operation.objects.filter(pk=operation.pk, expires_at__lte=clock.now()), Event.EXPIRE, **told, not_before=None):
        moves.publish(operation)
        trail.decided(verbs.OPERATION_EXPIRED, operation, None)
