"""Instances as people read them: with how long they ran, what they cost about, and how their state came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Instance, InstancePrice, StateTransition
from resources.rules import estimates, uptime
from resources.rules.transitions import Change
from resources.rules.uptime import RUNNING, Uptime

MONTH = timedelta(days=30)
OVER = frozenset({"shutting-down", "terminated"})


class InstanceNotFound(CloudconsoleError):
    """The inventory knows none of that id, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "instance_not_found"
    title = "Not found"


class AmbiguousInstance(CloudconsoleError):
    """Two places know an instance of that id."""

    kind = Kind.CONFLICT
    code = "ambiguous_target"
    title = "Which one is meant is not clear"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an instance costs on demand, before discounts, storage, traffic and tax. An estimate, not a bill."""

    hourly: Decimal
    monthly: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An instance as a list shows it. `running_for`: seconds since it started, 0 while it does not run, None: not known."""

    instance: Instance
    running_for: int | None
    last_30_days: Uptime
    estimate: Estimate | None


def get_for(user: User, instance_id: str, permission: Perm, *, account: str = "") -> Instance:
    """The instance by AWS's id; `account` (id, alias or number) tells two of the same id apart.

    Raises InstanceNotFound, AccountNotFound, AmbiguousInstance, or NotAllowedHere when it may only be seen.
    """
    meant = several(user, [instance_id], account=account)[instance_id]
    if isinstance(meant, CloudconsoleError):
        raise meant
    return allowed(user, meant, permission)


def several(user: User, ids: Sequence[str], *, account: str = "") -> dict[str, Instance | CloudconsoleError]:
    """For each id the instance, or why none is meant by it; as many queries for a thousand as for one.

    Raises AccountNotFound.
    """
    seen = Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(instance_id__in=ids)
    if account:
        seen = seen.filter(account=aws_accounts.get_for(user, account, Perm.RESOURCES_VIEW))
    known: dict[str, list[Instance]] = {}
    for row in seen.select_related("account__hub").order_by("pk"):
        known.setdefault(row.instance_id, []).append(row)
    return {one: _meant(known.get(one, [])) for one in ids}


def _meant(known: Sequence[Instance]) -> Instance | CloudconsoleError:
    present = [row for row in known if row.gone_at is None] or known
    if not present:
        return InstanceNotFound(
            "There is no such instance, or none that you may see. One made elsewhere appears with the next scan."
        )
    if len(present) > 1:
        return AmbiguousInstance("Several accounts know an instance of this id. Say which account is meant.", attr="account")
    return present[0]


def at(user: User, account_id: int, region: str, instance_id: str, permission: Perm) -> Instance:
    """The instance of one place. Raises InstanceNotFound, or NotAllowedHere when it may only be seen."""
    seen = Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account__hub")
    row = seen.filter(account_id=account_id, region=region, instance_id=instance_id).first()
    if row is None:
        raise InstanceNotFound("There is no such instance, or none that you may see.")
    return allowed(user, row, permission)


def allowed(user: User, row: Instance, permission: Perm) -> Instance:
    """`row` if `user` holds `permission` on its account. Raises NotAllowedHere."""
    if permission != Perm.RESOURCES_VIEW:
        aws_accounts.require(user, row.account, permission)
    return row


def shown(rows: Sequence[Instance]) -> list[Shown]:
    """The rows with what follows from their history and the price list. The same two queries however many they are."""
    now = clock.now()
    changes, prices = _changes(rows, now - MONTH), _prices(rows)
    return [
        Shown(row, running_for(row, now), uptime_of(row, changes.get(row.pk, []), now - MONTH, now), _estimate(row, prices))
        for row in rows
    ]


def running_for(row: Instance, now: datetime) -> int | None:
    """Seconds since the instance started; 0 while it does not run, None where AWS told no launch time."""
    if row.state != RUNNING or row.gone_at is not None:
        return 0
    return None if row.launched_at is None else max(0, int((now - row.launched_at).total_seconds()))


def is_over(row: Instance) -> bool:
    """Whether it will never run again, so that it costs nothing any more."""
    return row.gone_at is not None or row.state in OVER


def uptime_of(row: Instance, changes: Sequence[Change], start: datetime, end: datetime) -> Uptime:
    """How long it ran in [start, end), given its changes since `start`."""
    # Nothing changed since: it was all the time what it is now.
    known = list(changes) or [Change(row.state, row.state, start, start)]
    return uptime.uptime(known, start, end, known_until=row.observed_at, existed_from=row.first_attached_at)


def changes_since(row: Instance, start: datetime) -> list[Change]:
    return _changes([row], start).get(row.pk, [])


def history_of(row: Instance, *, limit: int = 100) -> list[StateTransition]:
    """Its changes of state, the newest first."""
    return list(row.transitions.order_by("-not_after", "-pk")[:limit])


def _changes(rows: Iterable[Instance], start: datetime) -> dict[int, list[Change]]:
    found: dict[int, list[Change]] = {}
    transitions = StateTransition.objects.filter(instance__in=[row.pk for row in rows], not_after__gte=start)
    for one in transitions.order_by("instance", "not_after", "pk"):
        found.setdefault(one.instance_id, []).append(Change(one.from_state, one.to_state, one.not_before, one.not_after))
    return found


def _prices(rows: Iterable[Instance]) -> dict[tuple[str, str, str], InstancePrice]:
    wanted = {(row.region, row.instance_type) for row in rows}
    prices = InstancePrice.objects.filter(
        region__in={region for region, _ in wanted}, instance_type__in={name for _, name in wanted}
    ).exclude(amount=None)
    return {(price.region, price.instance_type, price.operating_system): price for price in prices}


def _estimate(row: Instance, prices: dict[tuple[str, str, str], InstancePrice]) -> Estimate | None:
    """Only for what is billed by the hour at the list price: spot prices move, and reservations are paid already."""
    if is_over(row):
        return None
    price = prices.get((row.region, row.instance_type, row.platform))
    if price is None or price.amount is None or row.lifecycle not in ("", "on-demand"):
        return None
    return Estimate(price.amount, estimates.monthly(price.amount), price.currency)
