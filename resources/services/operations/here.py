"""Operations that the process of a request carries out itself, because what they carry is a stream or a secret."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction

from accounts.models import User
from accounts.selectors import aws_accounts
from accounts.services import credentials
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources.models import Operation
from resources.rules import operations as rules
from resources.rules.actions import ACTIONS
from resources.rules.operations import Answer, Event, Phase, Status
from resources.services import capabilities
from resources.services.operations import busy, moves, trail
from resources.services.operations.moves import Lease, LeaseLost
from resources.services.operations.progress import Reporter
from resources.services.operations.targets import Target
from resources.services.operations.watching import Watch

log = structlog.get_logger(__name__)


# Between two pieces of an upload: longer than all attempts of a call with their timeouts.
_ONE_PIECE_LASTS = timedelta(minutes=10)


@dataclass(slots=True)
class Doing:
    """An operation under way in this process. `observer` goes to the call; the rest is filled in after it."""

    operation: Operation
    access: Access
    observer: Watch
    reporter: Reporter
    request_id: str = ""
    state: str = ""
    result: dict[str, Any] = field(default_factory=dict)


@contextmanager
def carried_out(
    *,
    action: str,
    target: Target,
    by: User,
    parameters: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    lasts: timedelta = timedelta(minutes=20),
) -> Iterator[Doing]:
    """The intent is committed before the body runs, the outcome after it; what the body raises goes on to the caller.

    For what destroys nothing. A process that dies in the middle leaves an operation that ends as unknown once `lasts`
    is over. Raises NotAllowedHere, CapabilityOff, TargetBusy, and what stands against the account's credentials.
    """
    try:
        access = _allowed(action, target, by)
        with busy.told(ACTIONS[action], target):
            operation, lease = _begin(action, target, by, parameters or {}, lasts, dry_run=dry_run)
    except CloudconsoleError as error:
        trail.refused(action, target, by=by, code=error.code)
        raise
    watch = Watch(target.account.account_id)
    doing = Doing(operation, access, watch, Reporter(operation, lease, watch, silent_for=min(lasts, _ONE_PIECE_LASTS)))
    ending: tuple[Event, dict[str, object]] = (Event.GIVE_UP, _BROKEN_OFF)
    try:
        with doing.observer.recording():
            yield doing
        ids = [doing.request_id] if doing.request_id else []
        known = {"accepted": True, "aws_request_ids": ids, "after_state": doing.state, "result": doing.result}
        ending = (Event.SUCCEED, known)
    except AwsError as error:
        ending = _failed(error, doing)
        error.may_have_acted = ending[0] is Event.GIVE_UP
        raise
    except CloudconsoleError as error:
        ending = (Event.FAIL, _told(error))
        raise
    finally:
        _ended(doing, lease, *ending)


_BROKEN_OFF: dict[str, object] = {
    "outcome_code": "outcome_unknown",
    "outcome_detail": "It broke off in the middle. Nobody knows how far it came.",
    "outcome_remedy": "Look at it in AWS before doing it again.",
}


def _allowed(action: str, target: Target, by: User) -> Access:
    aws_accounts.require(by, target.account, Perm.RESOURCES_OPERATE)
    capabilities.require(target.account, ACTIONS[action].capability)
    return credentials.access_for(target.account, by)


@transaction.atomic
def _begin(
    action: str, target: Target, by: User, parameters: Mapping[str, Any], lasts: timedelta, *, dry_run: bool
) -> tuple[Operation, Lease]:
    now, kind, token = clock.now(), ACTIONS[action], uuid.uuid4()
    operation = Operation.objects.create(
        action=action,
        account=target.account,
        region=target.region,
        target_type=kind.target_type.value,
        target=target.id,
        target_name=target.name[:256],
        parameters=dict(parameters),
        dry_run=dry_run,
        exclusive=kind.exclusive,
        environment=target.account.environment,
        status=Status.RUNNING.value,
        phase=Phase.SENT.value,
        requested_by=by,
        lease_token=token,
        lease_until=now + lasts,
        started_at=now,
        sent_at=now,
    )
    moves.publish(operation)
    trail.sent(operation)
    return operation, Lease(operation.pk, token)


def _failed(error: AwsError, doing: Doing) -> tuple[Event, dict[str, object]]:
    answer = rules.answer_of(error.cause, may_have_arrived=doing.observer.may_have_arrived)
    told = {**_told(error), "aws_code": error.aws_code[:128], "aws_message": error.aws_message}
    told["aws_request_ids"] = [error.request_id] if error.request_id else []
    return (Event.GIVE_UP if answer is Answer.IN_DOUBT else Event.FAIL), told


def _told(error: CloudconsoleError) -> dict[str, object]:
    return {"outcome_code": error.code, "outcome_detail": error.detail, "outcome_remedy": getattr(error, "remedy", "")}


def _ended(doing: Doing, lease: Lease, event: Event, changes: Mapping[str, object]) -> None:
    try:
        _end(doing, lease, event, changes)
    except LeaseLost:
        # It took so long that a worker has told it as unknown; whoever waits here still gets the answer.
        log.warning("lease_lost", operation=doing.operation.pk)


@transaction.atomic
def _end(doing: Doing, lease: Lease, event: Event, changes: Mapping[str, object]) -> None:
    lease.leave(event, finished_at=clock.now(), **changes)
    doing.observer.store(doing.operation)
    moves.publish(doing.operation)
    trail.finished(Operation.objects.select_related("account", "requested_by").get(pk=doing.operation.pk))
