"""Whether stored costs can be believed: control totals beside the sums of each cube, what is missing, what AWS changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Max, Min, Prefetch, Q

from accounts.models import User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import EXACT, ZERO
from cloudconsole.core.periods import MonthOf
from cloudconsole.core.permissions import Perm
from costs.models import (
    OPEN,
    CostMonthSlice,
    CostRestatement,
    CostSlice,
    CostSnapshot,
    CostSource,
    MonthClose,
    MonthDifference,
    MonthFigure,
    SnapshotWindow,
    TagKey,
    WindowStatus,
)
from costs.rules import closes, settle
from costs.rules.closes import FROZEN, Stored
from costs.rules.cubes import ASIDE, CUBES, Cube
from costs.rules.windows import BACKFILL_MONTHS, DayRange, first_of_month, month_of
from costs.selectors.questions import UnknownAccount

MONTHS_SHOWN = BACKFILL_MONTHS + 1
_DAY = timedelta(days=1)
_CONTROL = Prefetch("figures", MonthFigure.objects.filter(cube=Cube.TOTAL))


class SourceNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such account"


@dataclass(frozen=True, slots=True)
class CubeSum:
    """One cube of a month. `residual`: what the control total tells beyond it."""

    cube: Cube
    amount: Decimal
    residual: Decimal
    days: int
    complete_days: int

    @property
    def title(self) -> str:
        return self.cube.title

    @property
    def name(self) -> str:
        return "_".join(dimension.word for dimension in self.cube.shape)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one source in one currency.

    `begun`: its days so far. `stale`: stored days that have settled since, and were not fetched again. `waits`: why it is not
    closed; empty where it is.
    """

    month: date
    currency: str
    control_total: Decimal
    cubes: tuple[CubeSum, ...]
    begun: int
    stored: int
    complete: int
    estimated: int
    stale: int
    close: MonthClose | None
    waits: str
    restated_days: tuple[CostRestatement, ...]

    @property
    def missing(self) -> int:
        return max(0, self.begun - self.stored)

    @property
    def largest_residual(self) -> Decimal:
        return max((one.residual for one in self.cubes), key=abs, default=ZERO)

    @property
    def told(self) -> tuple[CubeSum, ...]:
        """Those that somebody has to know of: with a residual, or with fewer days than the control total."""
        return tuple(one for one in self.cubes if one.residual or one.days < self.stored)

    @property
    def exact(self) -> int:
        """How many groupings tell all of the control total."""
        return len(self.cubes) - len(self.told)

    @property
    def missing_cubes(self) -> tuple[CubeSum, ...]:
        """Those of which fewer days are stored than of the control total."""
        return tuple(one for one in self.cubes if one.days < self.stored)


@dataclass(frozen=True, slots=True)
class Account:
    """A source with its months, newest first, and the windows that failed in its last run."""

    source: CostSource
    months: tuple[Month, ...]
    failed: tuple[SnapshotWindow, ...]


def span(today: date, months: int = MONTHS_SHOWN) -> DayRange:
    """The last `months` months with the one that has begun."""
    return DayRange(first_of_month(today, months=1 - months), month_of(today).end)


def reconciliation(
    user: User, days: DayRange, *, metric: Metric = Metric.UNBLENDED, sources: Sequence[CostSource] | None = None
) -> tuple[Account, ...]:
    """Every source that `user` may see and that was fetched by itself, or those given; months within `days`.

    However many sources and months there are, it takes the same number of queries.
    """
    found = list(visible(user)) if sources is None else list(sources)
    read = _Read(found, days, metric)
    return tuple(read.account(source) for source in found if read.has(source) or source.covered_by_id is None)


def visible(user: User) -> Iterable[CostSource]:
    rows = CostSource.objects.visible_to(user, Perm.COSTS_VIEW).select_related("account", "covered_by__account")
    return rows.order_by("account__alias")


def narrowed(user: User, accounts: Sequence[str]) -> list[CostSource]:
    """Those of `accounts` (ids, aliases, numbers); all where none is named. Raises UnknownAccount."""
    found = list(visible(user))
    wanted = {account.strip().lower() for account in accounts}
    known = {name for source in found for name in source.account.names}
    for name in sorted(wanted - known):
        raise UnknownAccount(f"There is no account “{name}” whose costs you may see.", attr="account")
    return [source for source in found if not wanted or wanted & set(source.account.names)]


def source_for(user: User, pk: int) -> CostSource:
    """Raises SourceNotFound, also for what the reader may not see."""
    found = next((source for source in visible(user) if source.pk == pk), None)
    if found is None:
        raise SourceNotFound("There is no such account whose costs you may see.")
    return found


class _Read:
    """The rows behind all sources' months, each kind read once."""

    def __init__(self, sources: Sequence[CostSource], days: DayRange, metric: Metric) -> None:
        self.today = clock.today()
        self.metric = metric
        of_tags = (cube for one in TagKey.objects.all() for cube in (one.cubes.by_service, one.cubes.by_account))
        self.cubes = {int(cube): cube for cube in (*CUBES, *of_tags)}
        of = Q(source__in=[source.pk for source in sources], month__gte=days.start, month__lt=days.end)
        self.slices = _grouped(CostMonthSlice.objects.filter(of, cube__lt=ASIDE).order_by("-month", "currency", "cube"))
        differences = Prefetch("restatements__differences", MonthDifference.objects.select_related("service"))
        frozen = MonthClose.objects.filter(of).prefetch_related(_CONTROL, "restatements", differences)
        self.closes = {(one.source_id, one.month): one for one in frozen}
        self.oldest = self._oldest()
        self.restated = _restated(sources, days)
        self.failed = _failed(sources)
        open_runs = CostSnapshot.objects.filter(source__in=sources, status__in=OPEN)
        self.fetching = set(open_runs.values_list("source", flat=True))

    def _oldest(self) -> dict[int, dict[date, datetime]]:
        """When the first of the days of each open month was fetched last, over the cubes that are frozen."""
        is_open = Q(pk__in=[])
        for source, months in self.slices.items():
            if wanted := [month for month, _ in months if (source, month) not in self.closes]:
                is_open |= Q(source=source, day__gte=min(wanted), day__lt=month_of(max(wanted)).end)
        rows = CostSlice.objects.filter(is_open, cube__in=FROZEN).order_by()
        found: dict[int, dict[date, datetime]] = defaultdict(dict)
        by_month = rows.annotate(month=MonthOf("day")).values_list("source", "month")
        for source, month, oldest in by_month.annotate(oldest=Min("fetched_at")):
            found[source][month] = oldest
        return found

    def has(self, source: CostSource) -> bool:
        return source.pk in self.slices

    def account(self, source: CostSource) -> Account:
        months = (
            self._month(source, month, currency, rows) for (month, currency), rows in self.slices.get(source.pk, {}).items()
        )
        return Account(source, tuple(month for month in months if month is not None), tuple(self.failed.get(source.pk, ())))

    def _month(self, source: CostSource, month: date, currency: str, rows: Sequence[CostMonthSlice]) -> Month | None:
        by_cube = {self.cubes[row.cube]: row for row in rows if row.cube in self.cubes}
        control = by_cube.get(Cube.TOTAL)
        if control is None:
            return None
        total = self._amount(control)
        settled = (min(settle.last_complete_day(self.today) + _DAY, month_of(month).end) - month).days
        close = self.closes.get((source.pk, month))
        return Month(
            month=month,
            currency=currency,
            control_total=total,
            cubes=tuple(self._cube(cube, row, total) for cube, row in by_cube.items() if cube is not Cube.TOTAL),
            begun=(min(self.today + _DAY, month_of(month).end) - month).days,
            stored=control.days,
            complete=control.complete_days,
            estimated=control.estimated_days,
            stale=max(0, min(control.days, settled) - control.complete_days),
            close=close,
            waits="" if close else self._waits(source, month, by_cube),
            restated_days=tuple(self.restated.get((source.pk, month, currency), ())),
        )

    def _amount(self, row: CostMonthSlice) -> Decimal:
        found: Decimal = getattr(row, self.metric.value)
        return found

    def _cube(self, cube: Cube, row: CostMonthSlice, total: Decimal) -> CubeSum:
        amount = self._amount(row)
        return CubeSum(cube, amount, EXACT.subtract(total, amount), row.days, row.complete_days)

    def _waits(self, source: CostSource, month: date, rows: Mapping[Cube, CostMonthSlice]) -> str:
        if source.covered_by_id is not None:
            return "Its costs are closed with its payer's bill."
        oldest = self.oldest.get(source.pk, {})
        stored = {int(cube): Stored(row.days, oldest[month]) for cube, row in rows.items() if cube in FROZEN and month in oldest}
        return closes.why_not(month, self.today, stored, is_being_fetched=source.pk in self.fetching) or (
            "Nothing is in the way: it is closed within minutes."
        )


def _grouped(rows: Iterable[CostMonthSlice]) -> dict[int, dict[tuple[date, str], list[CostMonthSlice]]]:
    found: dict[int, dict[tuple[date, str], list[CostMonthSlice]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.source_id][row.month, row.currency].append(row)
    return found


def _restated(sources: Sequence[CostSource], days: DayRange) -> dict[tuple[int, date, str], list[CostRestatement]]:
    found: dict[tuple[int, date, str], list[CostRestatement]] = defaultdict(list)
    rows = CostRestatement.objects.filter(source__in=sources, day__gte=days.start, day__lt=days.end)
    for row in rows.order_by("-detected_at", "day"):
        found[row.source_id, first_of_month(row.day), row.currency].append(row)
    return found


def _failed(sources: Sequence[CostSource]) -> dict[int, list[SnapshotWindow]]:
    """Of each source's newest run."""
    newest = CostSnapshot.objects.filter(source__in=sources).order_by().values("source").annotate(last=Max("pk")).values("last")
    found: dict[int, list[SnapshotWindow]] = defaultdict(list)
    rows = SnapshotWindow.objects.filter(snapshot__in=newest, status=WindowStatus.FAILED).select_related("snapshot", "tag")
    for window in rows:
        found[window.snapshot.source_id].append(window)
    return found
