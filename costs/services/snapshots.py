"""Asking for costs to be fetched, and taking it back. The work itself is done by `costs.services.runs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max

import audit.services
from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole import realtime
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs import verbs
from costs.models import (
    OPEN,
    REFUSED,
    REQUEST_PRICE,
    CostSlice,
    CostSnapshot,
    CostSource,
    SnapshotStatus,
    SnapshotTrigger,
    SnapshotWindow,
)
from costs.rules import cubes, windows
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange
from costs.services import ledger, tag_windows
from costs.services.ledger import RequestCapReached

RUN = "costs.run_snapshot"

StoredDays = dict[int, set[date]]  # by cube


class CoveredByPayer(CloudconsoleError):
    """The account's costs come with its payer's bill: fetching them here would pay for the same figures twice."""

    kind = Kind.CONFLICT
    code = "covered_by_payer"
    title = "The costs of this account are read from its payer"


class NoCostSource(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "costs_not_switched_on"
    title = "The account has no costs to fetch"


class SnapshotIsOver(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "snapshot_is_over"
    title = "The snapshot has already ended"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would ask. `price` in USD is the least it costs: an answer of many pages costs each of them."""

    days: DayRange
    windows: tuple[tuple[Cube, DayRange], ...]

    @property
    def requests(self) -> int:
        return len(self.windows)

    @property
    def price(self) -> Decimal:
        return self.requests * REQUEST_PRICE


@dataclass(frozen=True, slots=True)
class Requested:
    """The open run of a source; `created` is False when it was open already."""

    snapshot: CostSnapshot
    created: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What refreshing one source would ask of AWS, before anybody has agreed to pay for it. `left`: of the month's cap."""

    source: CostSource
    plan: Plan
    is_running: bool
    left: int

    @property
    def is_possible(self) -> bool:
        return not self.is_running and self.plan.requests <= self.left


def offers(*, sources: Sequence[CostSource]) -> list[Offer]:
    """What a run of each of `sources` (rows of `selectors.sources.refreshable`) would ask."""
    running = set(CostSnapshot.objects.open().filter(source__in=sources).values_list("source", flat=True))
    stored = _days_stored([source for source in sources if source.backfilled_from is None])
    return [_offer(source, stored.get(source.pk, {}), is_running=source.pk in running) for source in sources]


def _offer(source: CostSource, stored: StoredDays, *, is_running: bool) -> Offer:
    counted = vars(source)
    return Offer(
        source, _plan(source, clock.today(), stored), is_running, max(0, counted["cap"] - counted["requests_this_month"])
    )


def plan(*, source: CostSource, today: date) -> Plan:
    """The windows of the next run: the first fetch in full, then only what may still have changed."""
    stored = _days_stored([source]) if source.backfilled_from is None else {}
    return _plan(source, today, stored.get(source.pk, {}))


def _plan(source: CostSource, today: date, stored: StoredDays) -> Plan:
    if source.backfilled_from is not None:
        recent = windows.refresh(today, source.fresh_at.date() if source.fresh_at else None)
        return Plan(
            recent, (*_refreshed(source, recent), *_usage_types(source, today), *tag_windows.due(source=source, today=today))
        )
    recent, days = windows.refresh(today), windows.backfill(today)
    wanted = [
        (cube, chunk)
        for cube, chunk in _grouped(source, days)
        if chunk.end > recent.start or _count_in(stored.get(cube, set()), chunk) < chunk.days
    ]
    return Plan(days, ((Cube.TOTAL, days), *wanted))


def _grouped(source: CostSource, days: DayRange) -> list[tuple[Cube, DayRange]]:
    """The grouped questions, the newest months first, so that what people look at is there soonest."""
    grouped = [*cubes.refreshed(single=source.is_single)[1:], Cube.SERVICE_USAGE_TYPE]
    return [(cube, chunk) for chunk in windows.chunks(days, windows.CHUNK_MONTHS) for cube in grouped]


def _refreshed(source: CostSource, days: DayRange) -> list[tuple[Cube, DayRange]]:
    """After a long pause the grouped questions are cut as in the first fetch, because their answers are long."""
    total, *grouped = cubes.refreshed(single=source.is_single)
    return [(total, days), *((cube, chunk) for chunk in windows.chunks(days, windows.CHUNK_MONTHS) for cube in grouped)]


def _usage_types(source: CostSource, today: date) -> list[tuple[Cube, DayRange]]:
    told = CostSlice.objects.filter(source=source, cube=Cube.SERVICE_USAGE_TYPE).aggregate(last=Max("fetched_at"))["last"]
    days = windows.usage_types(today, told.date() if told else None)
    return [(Cube.SERVICE_USAGE_TYPE, chunk) for chunk in windows.chunks(days, windows.CHUNK_MONTHS)] if days else []


def _days_stored(sources: Sequence[CostSource]) -> dict[int, StoredDays]:
    """By source: what an earlier, interrupted first fetch already brought is not paid for again."""
    stored: dict[int, StoredDays] = {}
    if sources:
        for source, cube, day in CostSlice.objects.filter(source__in=sources).values_list("source", "cube", "day"):
            stored.setdefault(source, {}).setdefault(cube, set()).add(day)
    return stored


def _count_in(days: set[date], within: DayRange) -> int:
    return sum(within.start <= day < within.end for day in days)


def request(*, source: CostSource, trigger: SnapshotTrigger, by: User | None) -> Requested:
    """Record the wish and wake a worker. A second wish while a run is open gets that run.

    Raises CoveredByPayer, RequestCapReached.
    """
    open_run = CostSnapshot.objects.open().filter(source=source).first()
    if open_run is not None:
        return Requested(open_run, created=False)
    check_uncovered(source, by)
    return _request(source, trigger, by, plan(source=source, today=clock.today()))


def _request(source: CostSource, trigger: SnapshotTrigger, by: User | None, wanted: Plan) -> Requested:
    open_run = CostSnapshot.objects.open().filter(source=source).first()
    if open_run is not None:
        return Requested(open_run, created=False)
    budget = ledger.budget_of(source)
    if budget.left < wanted.requests:
        raise RequestCapReached(
            f"The run needs at least {wanted.requests} paid requests; {budget.left} of this month's {budget.cap} are left."
        )
    try:
        with transaction.atomic():
            return Requested(_create(source, trigger, by, wanted), created=True)
    except IntegrityError:  # somebody else was a moment earlier
        return Requested(CostSnapshot.objects.open().get(source=source), created=False)


def request_history(*, source: CostSource, by: User) -> Requested | None:
    """Fetch what is missing of the chosen tags, and nothing else; None where nothing is, or the first fetch is to come.

    While another run is open, that run: the next refresh brings the history. Raises RequestCapReached.
    """
    if source.backfilled_from is None:
        return None
    wanted = tag_windows.missing(source=source, chosen=tag_windows.chosen(source=source), today=clock.today())
    if not wanted:
        return None
    days = DayRange(min(days.start for _, days in wanted), max(days.end for _, days in wanted))
    return _request(source, SnapshotTrigger.TAGS, by, Plan(days, tuple(wanted)))


def request_for(*, account: str, by: User) -> CostSnapshot:
    """The open run of the account that `by` names by id, alias or number; made if there is none.

    Raises AccountNotFound, NotAllowedHere, NoCostSource, CoveredByPayer, RequestCapReached.
    """
    return request(source=source_called(account=account, by=by), trigger=SnapshotTrigger.MANUAL, by=by).snapshot


def source_called(*, account: str, by: User) -> CostSource:
    """The source of the account that `by` names, and may refresh. Raises AccountNotFound, NotAllowedHere, NoCostSource."""
    found = aws_accounts.get_for(by, account, Perm.COSTS_REFRESH)
    source = CostSource.objects.select_related("account", "covered_by__account").filter(account=found).first()
    if source is None:
        raise NoCostSource(f"Costs are not switched on for “{found.alias}”.", attr="account")
    return source


def check_uncovered(source: CostSource, by: User | None) -> None:
    payer = source.covered_by
    if payer is not None and payer.status not in REFUSED:
        is_seen = by is not None and aws_accounts.may(by, payer.account, Perm.ACCOUNTS_VIEW)
        name = payer.account.alias if is_seen else "its payer"
        raise CoveredByPayer(f"Refresh {name} instead: its bill holds the costs of {source.account.alias}.")


@transaction.atomic
def _create(source: CostSource, trigger: SnapshotTrigger, by: User | None, wanted: Plan) -> CostSnapshot:
    first = source.backfilled_from is None and trigger is SnapshotTrigger.SCHEDULE
    snapshot = CostSnapshot.objects.create(
        source=source,
        trigger=SnapshotTrigger.BACKFILL if first else trigger,
        requested_by=by,
        start=wanted.days.start,
        end=wanted.days.end,
    )
    SnapshotWindow.objects.bulk_create(
        SnapshotWindow(
            snapshot=snapshot,
            position=0 if cube == Cube.TOTAL else 1,
            cube=cube,
            tag_id=cubes.tag_number(cube),
            start=days.start,
            end=days.end,
        )
        for cube, days in wanted.windows
    )
    jobs.enqueue(RUN, snapshot_id=snapshot.pk)
    realtime.publish("snapshot", snapshot.pk, source.account_id)
    audit.services.record(
        verbs.SNAPSHOT_REQUESTED,
        actor=by,
        subject=str(snapshot.pk),
        account=source.account,
        detail={"trigger": snapshot.trigger, "requests": wanted.requests, "price_usd": str(wanted.price)},
    )
    return snapshot


def cancel(*, snapshot: CostSnapshot, by: User) -> CostSnapshot:
    """Stop the run. What it stored stays; a worker in the middle of a window finds out before it writes again.

    Raises SnapshotIsOver.
    """
    with transaction.atomic():
        cancelled = CostSnapshot.objects.filter(pk=snapshot.pk, status__in=OPEN).update(
            status=SnapshotStatus.CANCELLED,
            lease_token=None,
            lease_until=None,
            not_before=None,
            finished_at=clock.now(),
            error_code="cancelled",
            error_detail=f"Cancelled by {by.get_username()}.",
            error_remedy="",
        )
        if not cancelled:
            raise SnapshotIsOver(f"Snapshot {snapshot.pk} has already ended.")
        realtime.publish("snapshot", snapshot.pk, snapshot.source.account_id)
        audit.services.record(verbs.SNAPSHOT_CANCELLED, actor=by, subject=str(snapshot.pk), account=snapshot.source.account)
    snapshot.refresh_from_db()
    return snapshot
