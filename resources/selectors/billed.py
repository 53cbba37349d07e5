"""What is known of one account's things that cost money, for whoever looks for waste. Read in the background: no reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import (
    WHAT_IS_BILLED,
    Address,
    Function,
    Instance,
    InstancePrice,
    ListPrice,
    LoadBalancer,
    LogGroup,
    Operation,
    Scan,
    ScanStatus,
    Service,
    Snapshot,
    StateTransition,
    Volume,
)
from resources.rules import generations
from resources.rules.operations import Status

SOURCES = (Service.EC2, Service.LAMBDA, *WHAT_IS_BILLED)


@dataclass(frozen=True, slots=True)
class Known:
    """Everything there is, and of what is gone what is still remembered.

    `complete`: the places (region, service) that answered completely when last asked, with when that was.
    `stopped_since`: by instance row, when it was certainly stopped already.
    """

    complete: Mapping[tuple[str, str], datetime]
    instances: Sequence[Instance]
    volumes: Sequence[Volume]
    snapshots: Sequence[Snapshot]
    addresses: Sequence[Address]
    balancers: Sequence[LoadBalancer]
    log_groups: Sequence[LogGroup]
    functions: Sequence[Function]
    stopped_since: Mapping[int, datetime]


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """Of one unit; `amount` None: the price list names none."""

    amount: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Prices:
    """By region and product, and by region, instance type and platform. What is not there was not asked for yet."""

    products: Mapping[tuple[str, str], ListedPrice]
    instances: Mapping[tuple[str, str, str], ListedPrice]


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that succeeded."""

    operation: int
    action: str
    finished_at: datetime


def known(account: AwsAccount) -> Known:
    """What the inventory holds of `account`."""
    return Known(
        complete=_complete(account),
        instances=list(Instance.objects.present().filter(account=account)),
        volumes=list(Volume.objects.present().filter(account=account)),
        snapshots=list(Snapshot.objects.present().filter(account=account)),
        addresses=list(Address.objects.present().filter(account=account)),
        balancers=list(LoadBalancer.objects.present().filter(account=account)),
        log_groups=list(LogGroup.objects.present().filter(account=account)),
        functions=list(Function.objects.present().filter(account=account)),
        stopped_since=_stopped_since(account),
    )


def prices(regions: Sequence[str]) -> Prices:
    """What AWS's price list said of these regions."""
    listed = ListPrice.objects.filter(region__in=regions).values_list("region", "product", "amount", "currency")
    hourly = InstancePrice.objects.filter(region__in=regions).values_list(
        "region", "instance_type", "operating_system", "amount", "currency"
    )
    return Prices(
        {(region, product): ListedPrice(amount, currency) for region, product, amount, currency in listed},
        {(region, of_type, system): ListedPrice(amount, currency) for region, of_type, system, amount, currency in hourly},
    )


def latest_news() -> dict[int, datetime]:
    """By account, when something became known that may change what is waste: an answer, or the end of an operation."""
    found: dict[int, datetime] = {}
    answers = Scan.objects.filter(service__in=WHAT_IS_BILLED).values_list("account_id", "attempted_at")
    ends = Operation.objects.filter(status=Status.SUCCEEDED.value, dry_run=False, finished_at__isnull=False)
    for account, at in (*answers, *ends.order_by().values_list("account_id").annotate(at=Max("finished_at"))):
        found[account] = max(at, found.get(account, at))
    return found


def latest_price() -> datetime | None:
    """When AWS's price list was last asked."""
    listed: datetime | None = ListPrice.objects.aggregate(at=Max("fetched_at"))["at"]
    return listed


def missing(user: User, accounts: Sequence[AwsAccount]) -> list[Scan]:
    """Places that did not answer completely, as far as `user` may see them: what was looked for there is not known."""
    seen = Scan.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(service__in=WHAT_IS_BILLED, account__in=accounts)
    return list(
        seen.exclude(status=ScanStatus.COMPLETE).select_related("account").order_by("account__alias", "service", "region")
    )


def fixed_by(account: AwsAccount) -> dict[tuple[str, str], Done]:
    """By region and target, the last operation that succeeded on it."""
    done = Operation.objects.filter(account=account, status=Status.SUCCEEDED.value, dry_run=False, finished_at__isnull=False)
    told = done.order_by("pk").values_list("region", "target", "pk", "action", "finished_at")
    return {(region, target): Done(pk, action, at) for region, target, pk, action, at in told if at}


def _complete(account: AwsAccount) -> dict[tuple[str, str], datetime]:
    told = Scan.objects.filter(account=account, service__in=SOURCES, status=ScanStatus.COMPLETE)
    return {(region, service): at for region, service, at in told.values_list("region", "service", "observed_at") if at}


def _stopped_since(account: AwsAccount) -> dict[int, datetime]:
    stopped = StateTransition.objects.filter(instance__account=account, instance__state="stopped", to_state="stopped")
    return dict(stopped.order_by("not_after").values_list("instance_id", "not_after"))


def newer_type(instance: Instance) -> str:
    """The type that AWS sells in the place of the instance's; empty where its own is not an old one."""
    return generations.successor(instance.instance_type)
