"""A report answered: a chart by day or month, a table of its largest groups, the span before, and what can be asked next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile

from accounts.models import User
from cloudconsole.core.charts import SERIES_SHOWN
from cloudconsole.core.money import ZERO, total
from costs.models import CostSource
from costs.rules import pivots, spans
from costs.rules.cubes import Dimension
from costs.rules.pivots import Before, Pivot, Told
from costs.rules.windows import DayRange
from costs.selectors import scope
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Group, Question
from costs.selectors.reports import ENVIRONMENT, Report

COLUMNS = 6
# So many groups over all periods are told at once; above that, small groups are folded by the database.
SHORT = 5_000

# What a person looks at next once they have chosen one value of a dimension, the most telling first.
_NEXT: dict[Dimension, tuple[Dimension, ...]] = {
    Dimension.SERVICE: (Dimension.USAGE_TYPE, Dimension.REGION, Dimension.ACCOUNT, Dimension.RECORD_TYPE),
    Dimension.ACCOUNT: (Dimension.SERVICE, Dimension.RECORD_TYPE),
    Dimension.REGION: (Dimension.SERVICE,),
    Dimension.RECORD_TYPE: (Dimension.SERVICE, Dimension.ACCOUNT),
    Dimension.USAGE_TYPE: (Dimension.SERVICE,),
}
_NEXT_OF_TAG = (Dimension.SERVICE, Dimension.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Settled:
    """The complete days at the start of a span, and as many of the span before: these can be compared."""

    days: int
    amount: Decimal
    before: Decimal | None


@dataclass(frozen=True, slots=True)
class Exploration:
    """`by_period` tells the first grouping apart as far as the chart or the table's cells need it.

    `pivot` is None where nothing is stored; `others` is how many groups its row of others holds, and `labels` are names for the
    keys of rows and columns.
    """

    report: Report
    days: DayRange
    by_period: Answer
    shown: tuple[str, ...]
    others: int
    labels: Mapping[str, str]
    pivot: Pivot | None
    before_days: DayRange | None
    before: Answer | None
    settled: Settled | None

    @property
    def by_columns(self) -> bool:
        """Whether the table's columns are the second grouping; else they are days or months."""
        return len(self.report.group_by) > 1


def reader_for(user: User, report: Report, *, sources: Sequence[CostSource] | None = None) -> Reader:
    """Narrowed to the report's accounts, and to those of its environments. `sources`: those that `user` sees, if read already."""
    sources = scope.sources_of(user) if sources is None else sources
    named, environments = report.values_of("account"), report.values_of(ENVIRONMENT)
    if not environments:
        return Reader(user, named, sources=sources)
    inside = [source.account for source in sources if source.account.environment in environments]
    chosen = [account for account in inside if not named or {str(account.pk), account.alias, account.account_id} & set(named)]
    # In an environment without accounts nothing is asked, instead of everything.
    return Reader(user, [str(account.pk) for account in chosen], sources=sources if chosen else [])


def explore(reader: Reader, report: Report, today: date, *, with_days: bool = True) -> Exploration:
    """`with_days`: a table by single days gets its cells; a page that shows none of them need not add them up.

    Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue."""
    asked = report.question(today)
    before_days = spans.previous(asked.days) if report.compare else None
    has_cells = with_days or asked.granularity is not Granularity.DAILY
    told = _told(reader, _Asked(asked, before_days, report.top, has_cells=has_cells))
    before = told.before
    return Exploration(
        report=report,
        days=asked.days,
        by_period=told.by_period,
        shown=told.shown,
        others=told.groups - len(told.shown),
        labels={**told.labels, **(before.labels if before else {})},
        pivot=_pivot(report, told, before, with_days=with_days),
        before_days=before_days,
        before=before,
        settled=_settled(reader, asked, told.by_period, before) if before else None,
    )


def _settled(reader: Reader, asked: Question, now: Answer, before: Answer) -> Settled | None:
    periods = list(takewhile(lambda period: period.complete and period.total is not None, now.periods))
    if not periods:
        return None
    amount = total(period.total or ZERO for period in periods)
    days = (periods[-1].end - asked.days.start).days
    if len(periods) < len(now.periods):
        start = before.question.days.start
        then = DayRange(start, min(start + timedelta(days=days), before.question.days.end))
        groups = replace(asked, days=then, granularity=Granularity.WHOLE, group_by=(), beside=frozenset(asked.group_by))
        before = reader.answer(groups)
    return Settled(days, amount, before.total if _is_whole(before) else None)


@dataclass(frozen=True, slots=True)
class _Told:
    """`amounts` of the whole span by both groupings, where what is no row or no column may be folded under an empty key.

    `groups`: how many rows there would be without folding. `heads`: the columns of the second grouping. `by_period` tells the
    first one as far as it is looked at.
    """

    amounts: Mapping[tuple[str, str], Decimal]
    labels: Mapping[str, str]
    shown: tuple[str, ...]
    groups: int
    heads: tuple[str | None, ...]
    by_period: Answer
    before: Answer | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """`has_cells`: the table shows each of its `top` rows by period, and not only the chart its largest."""

    now: Question
    before_days: DayRange | None
    top: int
    has_cells: bool

    @property
    def whole(self) -> Question:
        return replace(self.now, granularity=Granularity.WHOLE)

    @property
    def by_first(self) -> Question:
        """By the first grouping, from the same rows as by both."""
        return replace(self.now, group_by=self.now.group_by[:1], beside=frozenset(self.now.group_by))

    def before(self, told: frozenset[str] | None = None) -> list[Question]:
        """The span before; of it, too, only rows that are shown are told apart. Nothing where no spans are compared."""
        if self.before_days is None:
            return []
        return [replace(self.by_first, days=self.before_days, granularity=Granularity.WHOLE, told=told)]

    @property
    def around(self) -> list[Question]:
        """What is asked how complete it is. Days answer for any span within them, months only for their own."""
        if self.before_days is None:
            return [self.now]
        if self.now.granularity is not Granularity.DAILY:
            return [self.now, *self.before()]
        return [replace(self.now, days=DayRange(min(self.before_days.start, self.now.days.start), self.now.days.end))]


def _told(reader: Reader, asked: _Asked) -> _Told:
    """One answer where it is short; else first the sums, and then only the largest groups by period."""
    now, top = asked.now, asked.top
    if _is_short(reader, now):
        reader.prepare(now, *asked.before(), around=asked.around)
        by_period = reader.answer(now)
        by_row = pivots.sums(by_period.amounts, 0)
        before = [reader.answer(one) for one in asked.before()]
        shown = tuple(pivots.largest(by_row, top))
        return _Told(by_period.amounts, by_period.labels, shown, len(by_row), (), by_period, *before)
    whole = _whole(reader, asked)
    has_cells = asked.has_cells and len(now.group_by) == 1
    course = replace(asked.by_first, told=_largest(whole.by_row, top if has_cells else min(top, SERIES_SHOWN)))
    compared = asked.before(_largest(whole.by_row, top))
    reader.prepare(course, *compared)
    return _Told(
        whole.answer.amounts,
        whole.answer.labels,
        tuple(pivots.largest(whole.by_row, top)),
        len(whole.by_row),
        whole.heads,
        reader.answer(course),
        *(reader.answer(one) for one in compared),
    )


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole span by its groupings, with every amount by the first of them and the columns of the second."""

    answer: Answer
    by_row: Mapping[str, Decimal]
    heads: tuple[str | None, ...] = ()


def _whole(reader: Reader, asked: _Asked) -> _Whole:
    """Pairs are as many as all values multiplied: only those of the largest rows are told apart, or of the largest columns where
    these are accounts, of which there are most.
    """
    whole = asked.whole
    if len(whole.group_by) < 2:
        reader.prepare(whole, around=asked.around)
        answer = reader.answer(whole)
        return _Whole(answer, pivots.sums(answer.amounts, 0))
    if whole.group_by[1] == Dimension.ACCOUNT:
        by_column, pairs = _pairs(reader, replace(whole, group_by=whole.group_by[::-1]), COLUMNS, asked.around)
        turned = _turned(pairs)
        return _Whole(turned, pivots.sums(turned.amounts, 0), pivots.heads_of(by_column, COLUMNS))
    by_row, pairs = _pairs(reader, whole, asked.top, asked.around)
    return _Whole(pairs, by_row, pivots.heads_of(pivots.sums(pairs.amounts, 1), COLUMNS))


def _pairs(reader: Reader, whole: Question, count: int, around: Sequence[Question]) -> tuple[Mapping[str, Decimal], Answer]:
    """All amounts by the first grouping, and by both for its `count` largest values."""
    by_first = replace(whole, group_by=whole.group_by[:1], beside=frozenset(whole.group_by))
    reader.prepare(by_first, around=around)
    amounts = pivots.sums(reader.answer(by_first).amounts, 0)
    return amounts, reader.answer(replace(whole, told=_largest(amounts, count)))


def _largest(amounts: Mapping[str, Decimal], count: int) -> frozenset[str] | None:
    """The `count` largest; None where these are all."""
    return frozenset(pivots.largest(amounts, count)) if len(amounts) > count else None


def _turned(answer: Answer) -> Answer:
    """The same with its two groupings the other way round."""
    periods = (
        replace(one, groups=tuple(Group(group.keys[::-1], group.labels[::-1], group.amount) for group in one.groups))
        for one in answer.periods
    )
    return replace(answer, periods=tuple(periods))


def _is_short(reader: Reader, asked: Question) -> bool:
    if not asked.group_by:
        return True
    only = asked.group_by[0]
    is_wide = len(asked.group_by) > 1 or only == Dimension.USAGE_TYPE or only.tag_key is not None
    periods = asked.days.days if asked.granularity is Granularity.DAILY else asked.days.days // 28 + 1
    return not is_wide and len(reader.known(only)) * periods <= SHORT


def _pivot(report: Report, told: _Told, before: Answer | None, *, with_days: bool) -> Pivot | None:
    whole = told.by_period.total
    if whole is None:
        return None
    known = None
    if before and before.total is not None and _is_whole(before):
        known = Before(pivots.sums(before.amounts, 0), before.total)
    if len(report.group_by) > 1:
        return pivots.pivot(Told(told.amounts, whole), known, shown=told.shown, heads=told.heads)
    if report.granularity is Granularity.DAILY and not with_days:
        return pivots.pivot(Told(told.amounts, whole), known, shown=told.shown, heads=())
    heads = tuple(period.start.isoformat() for period in told.by_period.periods)
    return pivots.pivot(_by_start(told.by_period, whole), known, shown=told.shown, heads=heads)


def _is_whole(answer: Answer) -> bool:
    return all(period.complete for period in answer.periods)


def _by_start(answer: Answer, whole: Decimal) -> Told:
    starts = [(period.start.isoformat(), period) for period in answer.periods]
    amounts = {(group.keys[0], start): group.amount for start, period in starts for group in period.groups}
    totals = {start: period.total or ZERO for start, period in starts}
    return Told(amounts, whole, totals)


# --- what can be asked next


def drilled(reader: Reader, report: Report, dimension: Dimension) -> Callable[[str], Report]:
    """The report narrowed to one value of `dimension`, grouped by what tells most about it."""
    name = dimension.word
    group_by = _next_groups(reader, report.with_values(name, [""]), dimension)
    return lambda value: replace(report.with_values(name, [value]), group_by=group_by)


def crossed(reader: Reader, report: Report) -> Callable[[str, str], Report]:
    """The report narrowed to one value of each of its two groupings, grouped by what tells more about both, or by nothing."""
    first, second = report.group_by
    narrowed = report.with_values(first.word, [""]).with_values(second.word, [""])
    group_by = _next_groups(reader, replace(narrowed, group_by=()), first)
    return lambda row, column: replace(
        report.with_values(first.word, [row]).with_values(second.word, [column]), group_by=group_by
    )


def in_days(report: Report, days: DayRange) -> Report:
    """The report about these days, day by day: what a column of a table of months or days is about."""
    return replace(report, days=days, granularity=Granularity.DAILY)


def _next_groups(reader: Reader, narrowed: Report, dimension: Dimension) -> tuple[Dimension, ...]:
    left = tuple(one for one in narrowed.group_by if one != dimension)
    chosen = {Dimension.called(name) for name in _named(narrowed) if len(narrowed.values_of(name)) == 1}
    wanted = [left] if left else []
    wanted += [(one,) for one in _NEXT.get(dimension, _NEXT_OF_TAG) if one not in chosen]
    return next((groups for groups in wanted if is_told(reader, replace(narrowed, group_by=groups))), narrowed.group_by)


def _named(report: Report) -> list[str]:
    """What it is narrowed by that AWS tells apart."""
    return [name for name in report.filter_names if name != ENVIRONMENT]


def is_told(reader: Reader, report: Report) -> bool:
    """Whether stored costs tell apart what the report groups and narrows by."""
    filtered = report.filtered - {Dimension.ACCOUNT} | ({Dimension.RECORD_TYPE} if report.charge_types else set())
    accounts = (*report.values_of("account"), *report.values_of(ENVIRONMENT))
    return reader.tells({*report.group_by, *filtered}, of=accounts)


def offers(reader: Reader, report: Report) -> list[Report]:
    """The nearest reports that stored costs can answer, in the place of one that they cannot: one grouping or filter less."""
    fewer = [replace(report, group_by=tuple(one for one in report.group_by if one != gone)) for gone in report.group_by]
    wider = [report.with_values(name, ()) for name in _named(report)]
    wider += [replace(report, charge_types=())] if report.charge_types else []
    both = [replace(one, group_by=(group,)) for one in wider for group in report.group_by if len(report.group_by) > 1]
    told = [one for one in (*fewer, *wider, *both) if is_told(reader, one)]
    return list(dict.fromkeys(told))[:6]
