"""Asking for something to be done. What stands against it is said before a row is made; what was refused is in the trail."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.selectors import aws_accounts
from accounts.services import credentials
from cloudconsole.aws import attempts
from cloudconsole.aws.errors import AwsError, DeadlineExceeded
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources.models import Operation
from resources.rules.actions import ACTIONS, Action, needed_confirmation
from resources.rules.operations import Status, needs_approval
from resources.services import capabilities
from resources.services.actions import HANDLERS
from resources.services.actions.handlers import NoDryRun, Work
from resources.services.operations import busy, moves, trail
from resources.services.operations.decisions import SENDING_LASTS
from resources.services.operations.refusals import NoTargets, NotConfirmed, TooManyTargets
from resources.services.operations.targets import Target
from resources.services.operations.turns import RUN
from resources.services.operations.watching import Watch

APPROVAL_LASTS = timedelta(hours=24)
_LOOK_FIRST_S = 8.0  # a request does not wait longer for AWS to say what stands against it


@dataclass(frozen=True, slots=True)
class Refused:
    """A target for which nothing was asked for, and why."""

    target: Target
    error: CloudconsoleError


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of asking for many at once."""

    batch: uuid.UUID
    operations: tuple[Operation, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for, the same for every target."""

    action: Action
    by: User
    dry_run: bool
    parameters: Mapping[str, Any]
    reason: str
    batch: uuid.UUID | None = None
    by_automation: bool = False


def request(
    *,
    action: str,
    target: Target,
    by: User,
    confirm: str = "",
    dry_run: bool = False,
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Operation:
    """Record the wish, and wake a worker or wait for approval. AWS is asked first what stands against it.

    Raises NotAllowedHere, CapabilityOff, NotConfirmed, NoDryRun, TargetBusy, and what the handler says of the target.
    `parameters` never hold a secret.
    """
    wish = _Wish(ACTIONS[action], by, dry_run, parameters or {}, reason)
    try:
        _check_allowed(wish, target)
        _check_confirmed(wish, [target.id], confirm)
        _look_first(wish, target)
        return _create(wish, target)
    except CloudconsoleError as error:
        _refused(wish, target, error)
        raise


def request_many(
    *,
    action: str,
    targets: Sequence[Target],
    by: User,
    named: Sequence[str] = (),
    confirm: str = "",
    dry_run: bool = False,
    reason: str = "",
    by_automation: bool = False,
) -> Bulk:
    """One operation for each target, each with its own outcome; a target that is refused stops no other.

    `named`: the ids that the person named and confirms, where that is more than could be found. `by_automation`: nobody
    asks at this moment; `by` is whose rights count.
    Raises NoTargets, TooManyTargets, NotConfirmed.
    """
    batch = uuid.uuid4()
    wish = _Wish(ACTIONS[action], by, dry_run, {}, reason, batch, by_automation)
    chosen = list({(target.account.pk, target.region, target.id): target for target in targets}.values())
    if not chosen:
        raise NoTargets("Name at least one target.", attr="targets")
    try:
        _check_number(len(chosen))
        _check_confirmed(wish, named or [target.id for target in chosen], confirm)
    except CloudconsoleError as error:
        _refused(wish, chosen[0], error)
        raise
    made: list[Operation] = []
    refused: list[Refused] = []
    for target in chosen:
        try:
            _check_allowed(wish, target)
            made.append(_create(wish, target))
        except CloudconsoleError as error:
            _refused(wish, target, error)
            refused.append(Refused(target, error))
    return Bulk(batch, tuple(made), tuple(refused))


def _check_allowed(wish: _Wish, target: Target) -> None:
    account = target.account
    aws_accounts.require(wish.by, account, Perm.RESOURCES_OPERATE)
    capabilities.require(account, wish.action.capability)
    if wish.dry_run and not wish.action.has_dry_run:
        raise NoDryRun(f"AWS cannot be asked whether it would {wish.action.title.lower()}.", attr="dry_run")


def _check_number(targets: int) -> None:
    limit = settings.OPERATION_MAX_TARGETS
    if targets > limit:
        raise TooManyTargets(f"{targets} targets are too many: at most {limit} at once.", attr="targets")


def _check_confirmed(wish: _Wish, names: Sequence[str], confirm: str) -> None:
    needed = needed_confirmation(wish.action, names)
    if needed and not wish.dry_run and confirm.strip() != needed:
        raise NotConfirmed(f"Confirm by typing “{needed}”.", attr="confirm")


def _look_first(wish: _Wish, target: Target) -> None:
    """Ask AWS what stands against it. Where AWS cannot say at the moment, the worker asks again before it sends."""
    handler = HANDLERS.get(wish.action.name)
    if handler is None or wish.dry_run:
        return
    access = credentials.access_for(target.account, wish.by)
    watch = Watch(target.account.account_id)
    work = Work(target.account, access, target.region, target.id, wish.parameters, watch, lambda done, total: None, lambda: False)
    try:
        with attempts.until(time.monotonic() + _LOOK_FIRST_S):
            handler.look_before(work)
    except DeadlineExceeded:
        return
    except AwsError as error:
        if not error.retryable:
            raise


def _create(wish: _Wish, target: Target) -> Operation:
    with busy.told(wish.action, target):
        return _created(wish, target)


@transaction.atomic
def _created(wish: _Wish, target: Target) -> Operation:
    now, waits = clock.now(), _waits(wish, target)
    operation = Operation.objects.create(
        action=wish.action.name,
        account=target.account,
        region=target.region,
        target_type=wish.action.target_type.value,
        target=target.id,
        target_name=target.name[:256],
        parameters=dict(wish.parameters),
        dry_run=wish.dry_run,
        exclusive=wish.action.exclusive,
        batch=wish.batch,
        environment=target.account.environment,
        status=(Status.AWAITING_APPROVAL if waits else Status.QUEUED).value,
        requested_by=wish.by,
        by_automation=wish.by_automation,
        reason=wish.reason[:500],
        expires_at=_until(now, waits=waits),
    )
    if not waits:
        jobs.enqueue(RUN, operation_id=operation.pk)
    moves.publish(operation)
    trail.requested(operation)
    return operation


def _waits(wish: _Wish, target: Target) -> bool:
    if wish.dry_run:
        return False
    return needs_approval(wish.action, environment=target.account.environment, policy=target.account.approval)


def _until(now: datetime, *, waits: bool) -> datetime:
    return now + (APPROVAL_LASTS if waits else SENDING_LASTS)


def _refused(wish: _Wish, target: Target, error: CloudconsoleError) -> None:
    trail.refused(wish.action.name, target, by=wish.by, code=error.code, by_automation=wish.by_automation)
