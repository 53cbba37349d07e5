"""Operations, as people follow them and decide on them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts, hanging
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Instance, Operation, OperationCall, Quota
from resources.models.operations import OperationQuerySet
from resources.rules.actions import ACTIONS, TargetType
from resources.rules.instance_operations import WANTED, may_offer
from resources.rules.operations import OPEN, Phase, Status


class OperationNotFound(CloudconsoleError):
    """There is none, or none that the reader may see."""

    kind = Kind.NOT_FOUND
    code = "operation_not_found"
    title = "Not found"


# What people look for, as the list's tabs: the statuses behind each word.
GROUPS: dict[str, tuple[Status, ...]] = {
    "open": tuple(sorted(OPEN)),
    "approval": (Status.AWAITING_APPROVAL,),
    "trouble": (Status.FAILED, Status.UNKNOWN),
    "succeeded": (Status.SUCCEEDED,),
    "dropped": (Status.REJECTED, Status.CANCELLED),
}


MOST_CALLS = 500  # shown of one operation; emptying a bucket may take thousands


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of the list; empty is everything."""

    accounts: Sequence[AwsAccount] | None = None
    regions: Sequence[str] = ()
    statuses: Sequence[str] = ()
    actions: Sequence[str] = ()
    target: str = ""
    batch: uuid.UUID | None = None
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do with an operation now. `own`: they asked for it, so that somebody else decides."""

    decide: bool
    cancel: bool
    own: bool


def visible(user: User) -> OperationQuerySet:
    """Those the reader may see, newest first, with their account and their people."""
    return _with_all(Operation.objects.visible_to(user, Perm.RESOURCES_VIEW))


def of_disconnected(user: User) -> OperationQuerySet:
    """Those kept of accounts that are disconnected, newest first: for those who manage accounts."""
    return _with_all(Operation.objects.filter(account__in=hanging.disconnected(user).order_by()))


def _with_all(rows: OperationQuerySet) -> OperationQuerySet:
    return rows.select_related("account", "requested_by", "approved_by").order_by("-pk")


def waiting_in(account: AwsAccount) -> int:
    """How many wait, for a decision or a worker: disconnecting the account cancels them."""
    return Operation.objects.filter(account=account, status__in=(Status.AWAITING_APPROVAL, Status.QUEUED)).count()


def found(user: User, question: Question) -> OperationQuerySet:
    rows = visible(user)
    if question.accounts is not None:
        rows = rows.filter(account__in=question.accounts)
    if question.regions:
        rows = rows.filter(region__in=question.regions)
    if question.statuses:
        rows = rows.filter(status__in=question.statuses)
    if question.actions:
        rows = rows.filter(action__in=question.actions)
    if question.target:
        rows = rows.filter(target=question.target)
    if question.batch:
        rows = rows.filter(batch=question.batch)
    return rows.filter(requested_by=user) if question.mine else rows


def get_for(user: User, pk: int) -> Operation:
    """One operation. Raises OperationNotFound; what may be done with it is decided where it is done."""
    operation = visible(user).filter(pk=pk).first() or of_disconnected(user).filter(pk=pk).first()
    if operation is None:
        raise OperationNotFound("There is no such operation, or none that you may see.")
    return operation


def calls_of(operation: Operation) -> list[OperationCall]:
    """The AWS calls it made, in order; of very many the first ones."""
    return list(operation.calls.order_by("pk")[:MOST_CALLS])


def of_target(
    user: User, account: AwsAccount, target_type: TargetType, target: str, *, region: str | None = None, limit: int = 10
) -> list[Operation]:
    """What was done to one thing, the latest first."""
    rows = visible(user).filter(account=account, target_type=target_type.value, target=target)
    if region is not None:
        rows = rows.filter(region=region)
    return list(rows[:limit])


def open_on(user: User, accounts: Sequence[AwsAccount] | None = None) -> OperationQuerySet:
    """What is under way, or waits, the latest first."""
    return found(user, Question(accounts=accounts)).open()


def rights(user: User, operation: Operation) -> Rights:
    """For buttons; the services decide again."""
    own = operation.requested_by_id == user.pk
    waits = operation.status == Status.AWAITING_APPROVAL
    decides = waits and not own and aws_accounts.may(user, operation.account, Perm.RESOURCES_APPROVE)
    return Rights(decides, _can_stop(operation) and aws_accounts.may(user, operation.account, Perm.RESOURCES_OPERATE), own)


def offers(user: User, instance: Instance) -> list[str]:
    """The words of what makes sense to do to it now; none where the reader may not, or it is gone."""
    if instance.gone_at is not None or not aws_accounts.may(user, instance.account, Perm.RESOURCES_OPERATE):
        return []
    return [action.word for action in ACTIONS.values() if action.name in WANTED and may_offer(action.name, instance.state)]


def _can_stop(operation: Operation) -> bool:
    if not operation.is_open:
        return False
    stoppable = operation.kind is not None and operation.kind.idempotent and operation.phase == Phase.SENT
    return operation.phase == Phase.NEW or stoppable


def quota_of(operation: Operation) -> int | None:
    """The row of the quota that it is about; None where it is no more."""
    service, _, code = operation.target.partition("/")
    here = Quota.objects.filter(account=operation.account_id, region=operation.region)
    return here.filter(service_code=service, code=code).values_list("pk", flat=True).first()
