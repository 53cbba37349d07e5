"""Answers from stored facts, never from AWS: exact sums, with what is missing, estimated or not told in groups.

However many accounts there are, an answer takes the same number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, DateField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncMonth

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.money import EXACT, ZERO, ExactSum
from costs.models import CostFact, CostMonth, CostMonthSlice, CostSlice, DimensionValue
from costs.rules import charge_types, cubes, windows
from costs.rules.cubes import SHAPES, Cube, Dimension
from costs.rules.windows import DayRange
from costs.selectors import scope
from costs.selectors.questions import (
    NAMES,
    Answer,
    Completeness,
    Granularity,
    Group,
    MixedCurrencies,
    NotStored,
    Period,
    Question,
    UnknownValue,
)
from costs.selectors.scope import Part

_DAY = timedelta(days=1)
_COLUMNS = ("first_id", "second_id")


def answer(user: User | AnonymousUser, question: Question) -> Answer:
    """The costs that `user` may see. Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue."""
    parts = scope.parts(user, question.accounts)
    values = _Values.needed_by(question, parts)
    reads = _reads(parts, question, values)
    slices = _slices(reads, question)
    currency = _currency(slices, question)
    sums = _sums(reads, question, currency)
    values.complete(pk for period in sums.values() for keys in period.groups for pk in keys)
    assembly = _Assembly(question, sum(len(read.sources) for read in reads), values, slices.get(currency or "", {}), sums)
    periods = tuple(assembly.period(days) for days in _periods(question))
    known = [period.total for period in periods if period.total is not None]
    return Answer(
        question=question,
        currency=currency,
        periods=periods,
        total=add(known) if known else None,
        residual=add(period.residual for period in periods),
        as_of=_as_of(parts),
        completeness=_completeness(parts, reads, question),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """Sources that are read from the same cube in the same way."""

    cube: Cube
    sources: tuple[int, ...]
    condition: Q
    columns: tuple[str, ...]
    is_controlled: bool  # unfiltered whole bills: their total is the control total

    @property
    def flag_cube(self) -> Cube:
        return Cube.TOTAL if self.is_controlled else self.cube


@dataclass(frozen=True, slots=True)
class _Values:
    """The ids of dimension values and back."""

    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def needed_by(cls, question: Question, parts: Sequence[Part]) -> _Values:
        dimensions = {*question.group_by, *question.filtered}
        if any(not part.is_whole for part in parts):
            dimensions.add(Dimension.ACCOUNT)
        if not dimensions:
            return cls()
        values = cls()
        values._load(Q(dimension__in=dimensions))
        return values

    def complete(self, ids: Iterable[int]) -> None:
        """Fetch values that a worker stored since the others were read; normally there are none."""
        if missing := [pk for pk in set(ids) if pk not in self.names]:
            self._load(Q(pk__in=missing))

    def _load(self, which: Q) -> None:
        rows = DimensionValue.objects.filter(which).values_list("pk", "dimension", "value", "label")
        for pk, dimension, value, label in rows:
            self.ids[dimension, value] = pk
            self.names[pk] = (value, label or value)

    def of(self, dimension: Dimension, wanted: Iterable[str]) -> list[int]:
        return [self.ids[dimension, value] for value in wanted if (dimension, value) in self.ids]

    def all_of(self, dimension: Dimension) -> list[str]:
        return [value for kind, value in self.ids if kind == dimension]


def _reads(parts: Sequence[Part], question: Question, values: _Values) -> list[_Read]:
    filters = _filters(question, values)
    alike: dict[tuple[Cube, bool], list[Part]] = defaultdict(list)
    for part in parts:
        alike[_cube(part, question), part.is_whole].append(part)
    return [_read(cube, is_whole, group, question, filters, values) for (cube, is_whole), group in alike.items()]


def _read(
    cube: Cube,
    is_whole: bool,
    parts: Sequence[Part],
    question: Question,
    filters: dict[Dimension, list[int]],
    values: _Values,
) -> _Read:
    condition = Q(**{f"{_column(cube, dimension)}__in": ids for dimension, ids in filters.items()})
    return _Read(
        cube=cube,
        sources=tuple({part.source.pk: None for part in parts}),
        condition=condition if is_whole else condition & _accounts(cube, parts, values),
        columns=tuple(_column(cube, dimension) for dimension in question.group_by),
        is_controlled=is_whole and not filters,
    )


def _cube(part: Part, question: Question) -> Cube:
    dimensions = {*question.group_by, *question.filtered}
    if not part.is_whole:
        dimensions.add(Dimension.ACCOUNT)
    cube = cubes.answering(dimensions, payer=part.is_payer)
    if cube is None:
        raise NotStored.because(dimensions, attr="group_by" if len(question.group_by) > 1 else "account")
    return cube


def _column(cube: Cube, dimension: Dimension) -> str:
    return _COLUMNS[SHAPES[cube].index(dimension)]


def _accounts(cube: Cube, parts: Sequence[Part], values: _Values) -> Q:
    """The linked accounts that count, payer by payer, in one condition however many there are."""
    column = _column(cube, Dimension.ACCOUNT)
    only: dict[int, set[str]] = defaultdict(set)
    condition = Q(pk__in=[])
    for part in parts:
        if part.only is None:
            left_out = values.of(Dimension.ACCOUNT, part.without)
            condition |= Q(source=part.source.pk) & ~Q(**{f"{column}__in": left_out})
        else:
            only[part.source.pk] |= part.only
    for source, numbers in only.items():
        condition |= Q(source=source, **{f"{column}__in": values.of(Dimension.ACCOUNT, numbers)})
    return condition


def _filters(question: Question, values: _Values) -> dict[Dimension, list[int]]:
    """The ids that each filter lets through. Raises UnknownValue."""
    wanted = {
        Dimension.SERVICE: question.services,
        Dimension.REGION: question.regions,
        Dimension.RECORD_TYPE: question.record_types,
    }
    filters = {dimension: _known(dimension, names, values) for dimension, names in wanted.items() if names}
    if question.charge_types:
        ids = values.of(
            Dimension.RECORD_TYPE, charge_types.of_types(values.all_of(Dimension.RECORD_TYPE), question.charge_types)
        )
        both = filters.get(Dimension.RECORD_TYPE)
        filters[Dimension.RECORD_TYPE] = ids if both is None else [pk for pk in both if pk in ids]
    return filters


def _known(dimension: Dimension, names: Iterable[str], values: _Values) -> list[int]:
    for name in sorted(names):
        if (dimension, name) not in values.ids:
            raise UnknownValue(f"No stored cost has the {NAMES[dimension]} “{name}”.", attr=NAMES[dimension])
    return values.of(dimension, names)


# --- time


def _periods(question: Question) -> list[DayRange]:
    days = question.days
    if question.granularity is Granularity.WHOLE:
        return [days]
    if question.granularity is Granularity.MONTHLY:
        return [DayRange(max(days.start, piece.start), piece.end) for piece in reversed(windows.chunks(days, 1))]
    return [DayRange(day, day + _DAY) for day in (days.start + _DAY * number for number in range(days.days))]


def _ranges(question: Question) -> tuple[DayRange | None, tuple[DayRange, ...]]:
    """The part of the range that monthly sums answer, and what daily rows must."""
    if question.granularity is Granularity.DAILY:
        return None, (question.days,)
    split = windows.by_whole_months(question.days)
    return split.months, split.edges


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
        return TruncMonth("day")
    return F(column)


# --- slices: control totals, flags, currencies


@dataclass(slots=True)
class _Flags:
    """What the slices of one period say."""

    days: int = 0
    complete: int = 0
    estimated: int = 0
    control: Decimal = ZERO


_Slices = dict[str, dict[date, _Flags]]


def _slices(reads: Sequence[_Read], question: Question) -> _Slices:
    """Flags by currency and by the first day of the period."""
    found: _Slices = defaultdict(lambda: defaultdict(_Flags))
    if not reads:
        return found
    for bucket, currency, days, complete, estimated, control in _slice_rows(_flagged(reads), question):
        flags = found[currency][max(bucket, question.days.start)]
        flags.days += days
        flags.complete += complete
        flags.estimated += estimated
        flags.control = EXACT.add(flags.control, control or ZERO)
    return found


def _flagged(reads: Sequence[_Read]) -> Q:
    condition = Q(pk__in=[])
    for read in reads:
        condition |= Q(cube=read.flag_cube, source__in=read.sources)
    return condition


def _slice_rows(which: Q, question: Question) -> Iterator[tuple[date, str, int, int, int, Decimal | None]]:
    months, edges = _ranges(question)
    # Filtered reads never use the TOTAL cube, so these are the control totals of the others.
    control = ExactSum(question.metric.value, filter=Q(cube=Cube.TOTAL))
    if months:
        rows = CostMonthSlice.objects.filter(which, _within("month", [months])).annotate(bucket=_bucket(question, "month"))
        yield from (
            rows.order_by()
            .values_list("bucket", "currency")
            .annotate(a=Sum("days"), b=Sum("complete_days"), c=Sum("estimated_days"), d=control)
        )
    if edges:
        daily = CostSlice.objects.filter(which, _within("day", edges)).annotate(bucket=_bucket(question, "day"))
        yield from (
            daily.order_by()
            .values_list("bucket", "currency")
            .annotate(
                a=Count("pk"), b=Count("pk", filter=Q(complete=True)), c=Count("pk", filter=Q(estimated=True)), d=control
            )
        )


def _currency(slices: _Slices, question: Question) -> str | None:
    if question.currency:
        return question.currency
    if len(slices) > 1:
        found = ", ".join(sorted(slices))
        raise MixedCurrencies(f"The costs are in {found}: choose one of them with currency=.", attr="currency")
    return next(iter(slices), None)


# --- facts


@dataclass(slots=True)
class _Sums:
    """One period's groups by the ids of their values, and how much of them no control total covers."""

    groups: dict[tuple[int, ...], Decimal] = field(default_factory=dict)
    uncontrolled: Decimal = ZERO

    def add(self, keys: tuple[int, ...], amount: Decimal, *, is_controlled: bool) -> None:
        self.groups[keys] = EXACT.add(self.groups.get(keys, ZERO), amount)
        if not is_controlled:
            self.uncontrolled = EXACT.add(self.uncontrolled, amount)


def _sums(reads: Sequence[_Read], question: Question, currency: str | None) -> dict[date, _Sums]:
    """Sums by the first day of the period."""
    found: dict[date, _Sums] = defaultdict(_Sums)
    for read in reads:
        if currency is None or (read.is_controlled and not question.group_by):
            continue
        for bucket, *keys, amount in _fact_rows(read, question, currency):
            found[max(bucket, question.days.start)].add(tuple(keys), amount, is_controlled=read.is_controlled)
    return found


def _fact_rows(read: _Read, question: Question, currency: str) -> Iterator[tuple[Any, ...]]:
    months, edges = _ranges(question)
    if months:
        rows = CostMonth.objects.filter(_within("month", [months])).annotate(bucket=_bucket(question, "month"))
        yield from _grouped(rows, read, question, currency)
    if edges:
        daily = CostFact.objects.filter(_within("day", edges)).annotate(bucket=_bucket(question, "day"))
        yield from _grouped(daily, read, question, currency)


def _grouped(rows: QuerySet[Any], read: _Read, question: Question, currency: str) -> QuerySet[Any, Any]:
    wanted = rows.filter(read.condition, cube=read.cube, source__in=read.sources, currency=currency)
    return wanted.order_by().values_list("bucket", *read.columns).annotate(ExactSum(question.metric.value))


# --- putting it together


@dataclass(frozen=True, slots=True)
class _Assembly:
    question: Question
    sources: int
    values: _Values
    flags: Mapping[date, _Flags]
    sums: Mapping[date, _Sums]

    def period(self, days: DayRange) -> Period:
        flags = self.flags.get(days.start, _Flags())
        sums = self.sums.get(days.start, _Sums())
        total = EXACT.add(flags.control, sums.uncontrolled) if flags.days else None
        groups = self._groups(sums)
        told = add(group.amount for group in groups)
        return Period(
            start=days.start,
            end=days.end,
            estimated=flags.estimated > 0,
            complete=self.sources > 0 and flags.complete == self.sources * days.days,
            total=total,
            residual=ZERO if total is None or not self.question.group_by else EXACT.subtract(total, told),
            groups=groups,
        )

    def _groups(self, sums: _Sums) -> tuple[Group, ...]:
        if not self.question.group_by:
            return ()
        groups = (self._group(keys, amount) for keys, amount in sums.groups.items())
        return tuple(sorted(groups, key=lambda group: (-group.amount, group.keys)))

    def _group(self, ids: tuple[int, ...], amount: Decimal) -> Group:
        names = [self.values.names[pk] for pk in ids]
        return Group(tuple(value for value, _ in names), tuple(label for _, label in names), amount)


def add(amounts: Iterable[Decimal]) -> Decimal:
    """An exact sum, however many digits it takes."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _completeness(parts: Sequence[Part], reads: Sequence[_Read], question: Question) -> tuple[Completeness, ...]:
    asked = DayRange(question.days.start, max(min(question.days.end, clock.today() + _DAY), question.days.start + _DAY))
    stored = _days_stored(reads, question)
    return tuple(
        Completeness(
            account=part.shown.account_id,
            alias=part.shown.account.alias,
            account_id=part.shown.account.account_id,
            status=part.source.status,
            code=part.source.status_code,
            detail=part.source.status_detail,
            remedy=part.source.status_remedy,
            observed_at=part.source.fresh_at,
            missing_days=max(0, asked.days - stored.get(part.source.pk, 0)),
        )
        for part in parts
    )


def _days_stored(reads: Sequence[_Read], question: Question) -> dict[int, int]:
    stored: dict[int, int] = defaultdict(int)
    if not reads:
        return stored
    months, edges = _ranges(question)
    if months:
        whole = CostMonthSlice.objects.filter(_flagged(reads), _within("month", [months])).order_by()
        for source, days in whole.values_list("source").annotate(Sum("days")):
            stored[source] += days
    if edges:
        daily = CostSlice.objects.filter(_flagged(reads), _within("day", edges)).order_by()
        for source, days in daily.values_list("source").annotate(Count("pk")):
            stored[source] += days
    return stored


def _as_of(parts: Sequence[Part]) -> datetime | None:
    fetched = [part.source.fresh_at for part in parts]
    return min((moment for moment in fetched if moment), default=None) if all(fetched) else None
