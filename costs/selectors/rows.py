"""Reading sums from facts and slices: one query each, however many sources, cubes and months they span."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DateField, F, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, TruncMonth

from cloudconsole.core import clock
from cloudconsole.core.money import EXACT, ZERO, ExactSum
from costs.models import CostFact, CostMonth, CostMonthSlice, CostSlice
from costs.rules import windows
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange, Split, first_of_month
from costs.selectors.plans import Read
from costs.selectors.questions import Granularity, Question

_Rows = QuerySet[Any, Any]

# The id under which values that are not told apart come back; no value has it.
NOT_TOLD = 0


@dataclass(slots=True)
class Flags:
    """What the slices of one period say. Days count once for each source."""

    days: int = 0
    complete: int = 0
    estimated: int = 0
    control: Decimal = ZERO


@dataclass(slots=True)
class Sums:
    """One period's groups by the ids of their values, and how much of them no control total covers."""

    groups: dict[tuple[int, ...], Decimal] = field(default_factory=dict)
    uncontrolled: Decimal = ZERO

    def add(self, keys: tuple[int, ...], amount: Decimal, *, is_controlled: bool) -> None:
        self.groups[keys] = EXACT.add(self.groups.get(keys, ZERO), amount)
        if not is_controlled:
            self.uncontrolled = EXACT.add(self.uncontrolled, amount)


def flags(reads: Sequence[Read], question: Question) -> dict[str, dict[date, Flags]]:
    """By currency, then by the first day of the period."""
    found: dict[str, dict[date, Flags]] = defaultdict(lambda: defaultdict(Flags))
    # Filtered reads never use the TOTAL cube, so these are the control totals of the others.
    control = ExactSum(question.metric.value, filter=Q(cube=Cube.TOTAL))
    for bucket, currency, days, complete, estimated, amount in _slices(reads, question, ("bucket", "currency"), control):
        period = found[currency][max(bucket, question.days.start)]
        period.days += days
        period.complete += complete
        period.estimated += estimated
        period.control = EXACT.add(period.control, amount or ZERO)
    return found


def days_stored(reads: Sequence[Read], question: Question) -> dict[int, int]:
    """How many days of the range each source has stored."""
    stored: dict[int, int] = defaultdict(int)
    for source, days, *_ in _slices(reads, question, ("source",), ExactSum(question.metric.value)):
        stored[source] += days
    return stored


def sources_in(currency: str, reads: Sequence[Read]) -> set[int]:
    """The sources that tell anything in `currency`."""
    asked = {source for read in reads for source in read.sources}
    told = CostMonthSlice.objects.filter(cube=Cube.TOTAL, source__in=asked, currency=currency)
    return set(told.order_by().values_list("source", flat=True).distinct())


def sums(reads: Sequence[Read], question: Question, currency: str) -> dict[date, Sums]:
    """By the first day of the period. Unfiltered totals come from control totals, so ungrouped ones need no facts."""
    found: dict[date, Sums] = defaultdict(Sums)
    needed = [read for read in reads if question.group_by or not read.is_controlled]
    queries = [query for read in needed for query in _fact_queries(read, question, currency)]
    for is_controlled, bucket, *keys, amount in _all(queries):
        if amount is None:  # a sum of no rows, which databases give where nothing is grouped by
            continue
        found[max(bucket, question.days.start)].add(tuple(keys), amount, is_controlled=bool(is_controlled))
    return found


def _slices(reads: Sequence[Read], question: Question, keys: tuple[str, ...], control: ExactSum) -> Iterable[tuple[Any, ...]]:
    if not reads:
        return ()
    which = Q(pk__in=[])
    for read in reads:
        which |= Q(cube=read.flag_cube, source__in=read.sources)
    split = _split(question)
    queries: list[_Rows] = []
    if split.months:
        monthly = CostMonthSlice.objects.filter(which, _within("month", [split.months]))
        keyed = monthly.annotate(bucket=_bucket(question, "month")).order_by().values_list(*keys)
        queries.append(keyed.annotate(a=Sum("days"), b=Sum("complete_days"), c=Sum("estimated_days"), d=control))
    if split.edges:
        daily = CostSlice.objects.filter(which, _within("day", split.edges))
        by_day = daily.annotate(bucket=_bucket(question, "day")).order_by().values_list(*keys)
        complete, estimated = Count("pk", filter=Q(complete=True)), Count("pk", filter=Q(estimated=True))
        queries.append(by_day.annotate(a=Count("pk"), b=complete, c=estimated, d=control))
    return _all(queries)


def _fact_queries(read: Read, question: Question, currency: str) -> Iterator[_Rows]:
    split = _split(question)
    if split.months:
        monthly = CostMonth.objects.filter(_within("month", [split.months]))
        yield _grouped(monthly, "month", read, question, currency)
    if split.edges:
        yield _grouped(CostFact.objects.filter(_within("day", split.edges)), "day", read, question, currency)


def _grouped(rows: QuerySet[Any], column: str, read: Read, question: Question, currency: str) -> _Rows:
    wanted = rows.filter(read.condition, cube=read.cube, source__in=read.sources, currency=currency)
    keyed = wanted.annotate(controlled=Value(int(read.is_controlled)), bucket=_bucket(question, column)).order_by()
    if read.told is not None:
        keyed = keyed.annotate(folded=_folded(read.columns[0], read.told))
    columns = read.columns if read.told is None else ("folded", *read.columns[1:])
    grouped: _Rows = keyed.values_list("controlled", "bucket", *columns).annotate(amount=ExactSum(question.metric.value))
    return grouped


def _folded(column: str, told: Sequence[int]) -> Any:
    """The column's own ids where they are told apart, NOT_TOLD for all others: the database folds them, so few rows come back."""
    if not told:
        return Value(NOT_TOLD, output_field=IntegerField())
    return Case(When(Q(**{f"{column}__in": told}), then=F(column)), default=Value(NOT_TOLD), output_field=IntegerField())


def _all(queries: Sequence[_Rows]) -> Iterable[tuple[Any, ...]]:
    """The rows of all queries, in one."""
    if not queries:
        return ()
    first, *others = queries
    return first.union(*others, all=True) if others else first


def _split(question: Question) -> Split:
    """The part of the range that monthly sums answer, and what daily rows must."""
    days = question.days
    if question.granularity is Granularity.DAILY:
        return Split(None, (days,))
    if days.end > clock.today():
        # Nothing is stored beyond today: the sums of the current month are those of its days so far.
        days = DayRange(days.start, first_of_month(days.end, months=0 if days.end.day == 1 else 1))
    return windows.by_whole_months(days)


def _within(column: str, ranges: Sequence[DayRange]) -> Q:
    condition = Q(pk__in=[])
    for days in ranges:
        condition |= Q(**{f"{column}__gte": days.start, f"{column}__lt": days.end})
    return condition


def _bucket(question: Question, column: str) -> Any:
    """The first day of the period that a row belongs to."""
    if question.granularity is Granularity.WHOLE:
        return Value(question.days.start, output_field=DateField())
    if question.granularity is Granularity.MONTHLY and column == "day":
        return Cast(TruncMonth("day"), DateField())  # PostgreSQL truncates to a moment, which no date in a union equals
    return F(column)
