"""A second person's yes or no, and taking an operation back."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from accounts.models import User
from accounts.selectors import aws_accounts
from audit.verbs import Verb
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources import verbs
from resources.models import Operation
from resources.rules.operations import Event, Status
from resources.services.operations import moves, trail
from resources.services.operations.refusals import NotWaiting, OperationIsOver, OwnOperation, UnderWay
from resources.services.operations.targets import target_of
from resources.services.operations.turns import RUN

# What is not sent by then is not sent at all: nobody expects a stop of yesterday.
SENDING_LASTS = timedelta(hours=1)


def approve(*, operation: Operation, by: User, reason: str = "") -> Operation:
    """Let it happen. Raises NotAllowedHere, OwnOperation, NotWaiting."""
    _check_decider(operation, by)
    now = clock.now()
    with transaction.atomic():
        waiting = Operation.objects.filter(pk=operation.pk, expires_at__gt=now)
        decided = {"approved_by": by, "decided_at": now, "decision_reason": reason, "expires_at": now + SENDING_LASTS}
        if not moves.move(waiting, Event.APPROVE, **decided):
            raise _not_waiting(operation)
        jobs.enqueue(RUN, operation_id=operation.pk)
        return _told(operation, verbs.OPERATION_APPROVED, by, reason)


def reject(*, operation: Operation, by: User, reason: str = "") -> Operation:
    """Do not let it happen. Raises NotAllowedHere, OwnOperation, NotWaiting."""
    _check_decider(operation, by)
    now = clock.now()
    with transaction.atomic():
        decided = {"decided_at": now, "finished_at": now, "decision_reason": reason, "outcome_code": "rejected"}
        detail = f"Rejected by {by.get_username()}." + (f" {reason}" if reason else "")
        if not moves.move(Operation.objects.filter(pk=operation.pk), Event.REJECT, **decided, outcome_detail=detail):
            raise _not_waiting(operation)
        return _told(operation, verbs.OPERATION_REJECTED, by, reason)


def cancel(*, operation: Operation, by: User) -> Operation:
    """Take it back while nothing was sent; what goes on bit by bit is stopped where it is. Raises UnderWay, OperationIsOver."""
    aws_accounts.require(by, operation.account, Perm.RESOURCES_OPERATE)
    kind, now = operation.kind, clock.now()
    ended = {"finished_at": now, "decided_at": now, "lease_token": None, "lease_until": None, "not_before": None}
    detail = f"Cancelled by {by.get_username()}."
    in_part = f"{detail} What had been done until then stays done."
    with transaction.atomic():
        one = Operation.objects.filter(pk=operation.pk)
        told = {**ended, "outcome_code": "cancelled", "outcome_remedy": ""}
        if not moves.move(one, Event.CANCEL, **told, outcome_detail=in_part if operation.sent_at else detail):
            may_stop = kind is not None and kind.idempotent
            if not may_stop or not moves.move(one, Event.STOP, **told, outcome_detail=in_part):
                raise _not_cancellable(operation)
        return _told(operation, verbs.OPERATION_CANCELLED, by)


def _told(operation: Operation, verb: Verb, by: User, reason: str = "") -> Operation:
    decided = Operation.objects.select_related("account", "requested_by", "approved_by").get(pk=operation.pk)
    moves.publish(decided)
    trail.decided(verb, decided, by, reason)
    return decided


def _check_decider(operation: Operation, by: User) -> None:
    try:
        aws_accounts.require(by, operation.account, Perm.RESOURCES_APPROVE)
        if operation.requested_by_id == by.pk:
            raise OwnOperation("You asked for this yourself: a second person approves or rejects it. You can cancel it.")
    except CloudconsoleError as error:
        trail.refused(operation.action, target_of(operation), by=by, code=error.code)
        raise


def _not_waiting(operation: Operation) -> NotWaiting:
    status = Operation.objects.values_list("status", flat=True).get(pk=operation.pk)
    if status == Status.AWAITING_APPROVAL:
        return NotWaiting("The time to decide is over.")
    return NotWaiting(f"Operation {operation.pk} is not waiting for approval; it is {status.replace('_', ' ')}.")


def _not_cancellable(operation: Operation) -> UnderWay | OperationIsOver:
    now = Operation.objects.get(pk=operation.pk)
    if now.is_open:
        return UnderWay("AWS has been asked already. What it does is shown here as soon as it is known.")
    return OperationIsOver(f"Operation {operation.pk} has already ended.")
