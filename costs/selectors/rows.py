"""Reading sums from facts and slices: one query each, however many sources, cubes and months they span.

What is summed over all sources is read from there, and what of it is not asked is taken out again; the rest comes from the facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from cloudconsole.core.money import EXACT, ZERO, ExactSum
from costs.models import CostFact, CostMonth, CostMonthSlice, CostRollup, CostRollupSlice, CostSlice
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.selectors import cuts
from costs.selectors.plans import Read
from costs.selectors.questions import Question
from costs.selectors.rolled import Rolled

_Rows = QuerySet[Any, Any]

# The id under which values that are not told apart come back; no value has it.
NOT_TOLD = 0
_NOTHING = ("nothing", "nothing_either")


@dataclass(slots=True)
class Flags:
    """What the slices of one period say. Days count once for each source."""

    days: int = 0
    complete: int = 0
    estimated: int = 0
    control: Decimal = ZERO

    @classmethod
    def sum(cls, several: Iterable[Flags]) -> Flags:
        found = cls()
        for one in several:
            found.days += one.days
            found.complete += one.complete
            found.estimated += one.estimated
            found.control = EXACT.add(found.control, one.control)
        return found


@dataclass(slots=True)
class Sums:
    """One period's groups by the ids of their values, and how much of them no control total covers."""

    groups: dict[tuple[int, ...], Decimal] = field(default_factory=dict)
    facts: dict[tuple[int, ...], int] = field(default_factory=dict)
    uncontrolled: Decimal = ZERO

    def add(self, keys: tuple[int, ...], amount: Decimal, facts: int, *, is_controlled: bool) -> None:
        self.groups[keys] = EXACT.add(self.groups.get(keys, ZERO), amount)
        self.facts[keys] = self.facts.get(keys, 0) + facts
        if not is_controlled:
            self.uncontrolled = EXACT.add(self.uncontrolled, amount)

    def drop_empty(self) -> None:
        """Groups of which every fact was taken out again are none of these sources'."""
        for keys in [keys for keys, facts in self.facts.items() if not facts]:
            del self.groups[keys], self.facts[keys]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the reads that answer it. `currency`: the only one that is asked for; None: each by itself."""

    reads: Sequence[Read]
    question: Question
    currency: str | None = None


# What slices and facts say, by currency and then by the first day of the period.
FlagsFound = dict[str, dict[date, Flags]]
SumsFound = dict[str, dict[date, Sums]]


def find(flags_of: Sequence[Asked], sums_of: Sequence[Asked], rolled: Rolled) -> tuple[list[FlagsFound], list[SumsFound]]:
    """The flags of some questions and the sums of others, in one query.

    Unfiltered totals come from control totals, so ungrouped sums need no facts.
    """
    flags = [_FlagsOf(asked) for asked in flags_of]
    sums = [_SumsOf(asked) for asked in sums_of]
    pieces = [piece for one in flags for piece in one.pieces(rolled)] + [piece for one in sums for piece in one.pieces(rolled)]
    for *row, number in _all([piece.rows.annotate(piece=Value(at)) for at, piece in enumerate(pieces)]):
        piece = pieces[number]
        piece.of.take(piece, row)
    return [one.told() for one in flags], [one.told() for one in sums]


class _FlagsOf:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.found: dict[str, dict[date, Flags]] = defaultdict(lambda: defaultdict(Flags))

    def pieces(self, rolled: Rolled) -> Iterator[_Piece]:
        question = self.asked.question
        # Filtered reads never use the TOTAL cube, so these are the control totals of the others.
        control = ExactSum(question.metric.value, filter=Q(cube=Cube.TOTAL))
        for read in self.asked.reads:
            for sign, rows in _flag_queries(read, question, control, rolled):
                yield _Piece(self, rows, sign)

    def take(self, piece: _Piece, row: Sequence[Any]) -> None:
        start, currency, days, complete, estimated, told = row
        period, sign = self.found[currency][max(start, self.asked.question.days.start)], piece.sign
        period.days += sign * days
        period.complete += sign * complete
        period.estimated += sign * estimated
        period.control = EXACT.add(period.control, _signed(sign, told or ZERO))

    def told(self) -> FlagsFound:
        told = {code: {start: one for start, one in periods.items() if one.days} for code, periods in self.found.items()}
        return {code: periods for code, periods in told.items() if periods}


class _SumsOf:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.keys = len(asked.question.group_by)
        self.found: dict[str, dict[date, Sums]] = defaultdict(lambda: defaultdict(Sums))

    def pieces(self, rolled: Rolled) -> Iterator[_Piece]:
        for read in self.asked.reads:
            if self.asked.question.group_by or not read.is_controlled:
                yield from _fact_queries(_Ask(self, read), rolled)

    def take(self, piece: _Piece, row: Sequence[Any]) -> None:
        start, currency, first, second, facts, told = row
        keys, sign, is_controlled = (first, second)[: self.keys], piece.sign, piece.is_controlled
        period, amount = self.found[currency][max(start, self.asked.question.days.start)], _signed(sign, told)
        period.add(keys, amount, sign * facts, is_controlled=is_controlled)
        if piece.unfolds:
            period.add((NOT_TOLD, *keys[1:]), amount.copy_negate(), -sign * facts, is_controlled=is_controlled)

    def told(self) -> SumsFound:
        for periods in self.found.values():
            for period in periods.values():
                period.drop_empty()
        return dict(self.found)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows that mean the same. `sign` is -1 where they are taken out of sums that hold them; `unfolds`: they are taken out of the
    sum of all.
    """

    of: _FlagsOf | _SumsOf
    rows: _Rows
    sign: int
    is_controlled: bool = False
    unfolds: bool = False


def days_stored(reads: Sequence[Read], question: Question) -> dict[int, int]:
    """How many days of the range each source has stored."""
    stored: dict[int, int] = defaultdict(int)
    control = ExactSum(question.metric.value)
    ranges = cuts.whole(question)
    queries = [rows for read in reads for rows in _slices(read, question, ("source",), control, ranges)]
    for source, days, *_ in _all(queries):
        stored[source] += days
    return stored


def sources_in(currency: str, reads: Sequence[Read]) -> set[int]:
    """The sources that tell anything in `currency`."""
    asked = {source for read in reads for source in read.sources}
    told = CostMonthSlice.objects.filter(cube=Cube.TOTAL, source__in=asked, currency=currency)
    return set(told.order_by().values_list("source", flat=True).distinct())


def _signed(sign: int, amount: Decimal) -> Decimal:
    return amount if sign > 0 else amount.copy_negate()


# --- slices


def _flag_queries(read: Read, question: Question, control: ExactSum, rolled: Rolled) -> Iterator[tuple[int, _Rows]]:
    """Rows, each with the sign that they count with."""
    split, keys = cuts.split_of(question, rolled.since), ("bucket", "currency")
    if read.less is None:
        yield from ((1, rows) for rows in _slices(read, question, keys, control, cuts.whole(question, rolled.since)))
        return
    months, days = rolled.months(read.flag_cube, split.months), rolled.days(read.flag_cube, split.edges)
    for cut, is_month in ((months, True), (days, False)):
        if cut.summed:
            which = Q(cube=read.flag_cube, is_month=is_month)
            sums = CostRollupSlice.objects.filter(which, cuts.within("day", cut.summed))
            yield 1, _monthly(sums.annotate(bucket=cuts.bucket(question, "day", is_month=is_month)), keys, control)
        yield from ((1, rows) for rows in _slices(read, question, keys, control, _of(cut.others, is_month=is_month)))
        if cut.summed and read.less:
            taken_out = replace(read, sources=read.less)
            yield from ((-1, rows) for rows in _slices(taken_out, question, keys, control, _of(cut.summed, is_month=is_month)))


def _of(ranges: tuple[DayRange, ...], *, is_month: bool) -> cuts.Ranges:
    return cuts.Ranges(months=ranges) if is_month else cuts.Ranges(days=ranges)


def _slices(read: Read, question: Question, keys: tuple[str, ...], control: ExactSum, ranges: cuts.Ranges) -> Iterator[_Rows]:
    which = Q(cube=read.flag_cube, source__in=read.sources)
    if ranges.months:
        monthly = CostMonthSlice.objects.filter(which, cuts.in_months(ranges.months))
        yield _monthly(monthly.annotate(bucket=cuts.bucket(question, "month", is_month=True)), keys, control)
    if ranges.days:
        daily = CostSlice.objects.filter(which, cuts.within("day", ranges.days)).order_by()
        by_day = daily.annotate(bucket=cuts.bucket(question, "day")).values_list(*keys)
        complete, estimated = Count("pk", filter=Q(complete=True)), Count("pk", filter=Q(estimated=True))
        yield by_day.annotate(a=Count("pk"), b=complete, c=estimated, d=control)


def _monthly(rows: _Rows, keys: tuple[str, ...], control: ExactSum) -> _Rows:
    """Rows that hold several slices each."""
    keyed = rows.order_by().values_list(*keys)
    counted: _Rows = keyed.annotate(a=Sum("days"), b=Sum("complete_days"), c=Sum("estimated_days"), d=control)
    return counted


# --- facts


def _fact_queries(ask: _Ask, rolled: Rolled) -> Iterator[_Piece]:
    read, question = ask.read, ask.of.asked.question
    split = cuts.split_of(question, rolled.since)
    if not read.is_summed:
        yield from ask.facts(cuts.whole(question, rolled.since))
        return
    for cut, is_month in ((rolled.months(read.cube, split.months), True), (rolled.days(read.cube, split.edges), False)):
        if cut.summed:
            yield from ask.rollups(cut.summed, is_month=is_month)
        yield from ask.facts(_of(cut.others, is_month=is_month))
        if cut.summed and read.less:
            yield from ask.taken_out(read.less).facts(_of(cut.summed, is_month=is_month))


@dataclass(frozen=True, slots=True)
class _Ask:
    """One read's groups. `sign` is -1 where they are taken out of sums that hold them."""

    of: _SumsOf
    read: Read
    sign: int = 1

    def facts(self, ranges: cuts.Ranges) -> Iterator[_Piece]:
        if ranges.months:
            months = CostMonth.objects.filter(cuts.in_months(ranges.months), self._mine)
            yield self._folded(months, "month")
        if ranges.days:
            days = CostFact.objects.filter(cuts.within("day", ranges.days), self._mine)
            if self.read.told is None or not self._slices_tell_all:
                yield self._folded(days, "day")
            else:
                yield from self._told_of(days, "day")
                all_of_it = CostSlice.objects.filter(cuts.within("day", ranges.days), self._mine)
                yield self._keyed(all_of_it, "day", (), Sum("rows"))

    def rollups(self, ranges: Sequence[DayRange], *, is_month: bool) -> Iterator[_Piece]:
        """Few groups are read as they are; what all others cost is the sum of all without them."""
        rows = CostRollup.objects.filter(cuts.within("day", ranges), cube=self.read.cube, is_month=is_month)
        whole = rows.filter(self.read.condition, kept=self.read.kept(self.read.rest))
        yield self._keyed(whole, "day", self.read.rest, Sum("facts"), is_month=is_month)
        if self.read.sums_tell(self.read.columns):
            told = rows.filter(kept=self.read.kept(self.read.columns))
            yield from self._told_of(told, "day", Sum("facts"), is_month=is_month)
        elif is_month:
            yield from self._told_of(CostMonth.objects.filter(cuts.in_months(ranges), self._summed), "month", is_month=True)
        else:
            days = cuts.on_days(ranges) if self._finds_days else cuts.within("day", ranges)
            yield from self._told_of(CostFact.objects.filter(days, self._summed), "day")

    def taken_out(self, sources: tuple[int, ...]) -> _Ask:
        """What the sums hold of sources that are not asked; of groups that are read from the facts they hold nothing."""
        told = self.read.told if self.read.sums_tell(self.read.columns) else ()
        return replace(self, read=replace(self.read, sources=sources, told=told), sign=-1)

    @property
    def _mine(self) -> Q:
        return Q(cube=self.read.cube, source__in=self.read.sources)

    @property
    def _finds_days(self) -> bool:
        """Whether to look for each day: where both values are given. Beside few record types a range is as short."""
        return bool(self.read.filtered) and not self.read.less and Dimension.RECORD_TYPE not in self.read.cube.shape

    @property
    def _summed(self) -> Q:
        """The same of days that are summed: naming every source that is in the sums would only make it slower."""
        return self._mine if self.read.less else Q(cube=self.read.cube)

    @property
    def _slices_tell_all(self) -> bool:
        """Whether the sums of slices are those of all the facts that are asked."""
        return self.read.is_whole and not self.read.filtered and len(self.read.columns) == 1

    def _told_of(
        self, rows: QuerySet[Any], column: str, facts: Aggregate | None = None, *, is_month: bool = False
    ) -> Iterator[_Piece]:
        """The groups that are told apart; they are taken out of the sum of all."""
        if self.read.told:
            told = rows.filter(self.read.condition, **{f"{self.read.columns[0]}__in": self.read.told})
            yield self._keyed(told, column, self.read.columns, facts, is_month=is_month, unfolds=True)

    def _folded(self, rows: QuerySet[Any], column: str) -> _Piece:
        """Every row is read; the database folds those that are not told apart, so few come back."""
        rows = rows.filter(self.read.condition)
        is_month = column == "month"
        if self.read.told is None:
            return self._keyed(rows, column, self.read.columns, is_month=is_month)
        folded = rows.annotate(folded=_folded(self.read.columns[0], self.read.told))
        return self._keyed(folded, column, ("folded", *self.read.columns[1:]), is_month=is_month)

    def _keyed(
        self,
        rows: QuerySet[Any],
        column: str,
        columns: Sequence[str],
        facts: Aggregate | None = None,
        *,
        is_month: bool = False,
        unfolds: bool = False,
    ) -> _Piece:
        asked = self.of.asked
        if asked.currency:
            rows = rows.filter(currency=asked.currency)
        keyed = rows.annotate(bucket=cuts.bucket(asked.question, column, is_month=is_month)).order_by()
        # Two keys in every row, so that rows of all questions fit together.
        missing = len(_NOTHING) - len(columns)
        keyed = keyed.annotate(**{name: Value(NOT_TOLD) for name in _NOTHING[:missing]})
        folded = _NOTHING[: len(self.read.columns) - len(columns)]
        keys = (*folded, *columns, *_NOTHING[len(folded) : missing])
        sums = {"fact_count": facts or Count("*"), "amount": ExactSum(asked.question.metric.value)}
        grouped: _Rows = keyed.values_list("bucket", "currency", *keys).annotate(**sums)
        return _Piece(self.of, grouped, self.sign, is_controlled=self.read.is_controlled, unfolds=unfolds)


def _folded(column: str, told: Sequence[int]) -> Any:
    """The column's own ids where they are told apart, NOT_TOLD for all others."""
    if not told:
        return Value(NOT_TOLD, output_field=IntegerField())
    return Case(When(Q(**{f"{column}__in": told}), then=F(column)), default=Value(NOT_TOLD), output_field=IntegerField())


def _all(queries: Sequence[_Rows]) -> Iterable[tuple[Any, ...]]:
    """The rows of all queries, in one."""
    if not queries:
        return ()
    first, *others = queries
    return first.union(*others, all=True) if others else first
