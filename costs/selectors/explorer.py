"""A report answered: a chart by day or month, a table of its largest groups, the span before, and what can be asked next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from accounts.models import User
from cloudconsole.core.money import ZERO
from costs.rules import pivots, spans
from costs.rules.cubes import Dimension
from costs.rules.pivots import Before, Pivot, Told
from costs.rules.windows import DayRange
from costs.selectors import scope
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Group, Question
from costs.selectors.reports import ENVIRONMENT, FILTERS, Report

COLUMNS = 6
OTHERS = "Other"

# What a person looks at next once they have chosen one value of a dimension, the most telling first.
_NEXT: dict[Dimension, tuple[Dimension, ...]] = {
    Dimension.SERVICE: (Dimension.USAGE_TYPE, Dimension.REGION, Dimension.ACCOUNT, Dimension.RECORD_TYPE),
    Dimension.ACCOUNT: (Dimension.SERVICE, Dimension.RECORD_TYPE),
    Dimension.REGION: (Dimension.SERVICE,),
    Dimension.RECORD_TYPE: (Dimension.SERVICE, Dimension.ACCOUNT),
    Dimension.USAGE_TYPE: (Dimension.SERVICE,),
}
_FILTER_OF = {dimension: name for name, dimension in FILTERS.items()}


@dataclass(frozen=True, slots=True)
class Exploration:
    """`by_period` tells the first grouping apart as far as `shown` goes. `pivot` is None where nothing is stored; `others` is how
    many groups its row of others holds, and `labels` are names for the keys of rows and columns.
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

    @property
    def before_total(self) -> Decimal | None:
        """What the span before cost; None when not all of its days are known, which is nothing to compare with."""
        return self.before.total if self.before and _is_whole(self.before) else None

    @property
    def by_columns(self) -> bool:
        """Whether the table's columns are the second grouping; else they are days or months."""
        return len(self.report.group_by) > 1


def reader_for(user: User, report: Report) -> Reader:
    """Narrowed to the report's accounts, and to those of its environments."""
    sources = scope.sources_of(user)
    named, environments = report.values_of("account"), report.values_of(ENVIRONMENT)
    if not environments:
        return Reader(user, named, sources=sources)
    inside = [source.account for source in sources if source.account.environment in environments]
    chosen = [account for account in inside if not named or {str(account.pk), account.alias, account.account_id} & set(named)]
    # In an environment without accounts nothing is asked, instead of everything.
    return Reader(user, [str(account.pk) for account in chosen], sources=sources if chosen else [])


def explore(reader: Reader, report: Report, today: date) -> Exploration:
    """Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue."""
    asked = report.question(today)
    whole = reader.answer(replace(asked, granularity=Granularity.WHOLE))
    amounts = _amounts(whole)
    by_row = pivots.sums(amounts, 0)
    shown = tuple(pivots.largest(by_row, report.top)) if report.group_by else ()
    by_period = reader.answer(_by_period(asked, shown, folds=len(by_row) > len(shown)))
    before_days = spans.previous(asked.days) if report.compare else None
    before = reader.answer(_before(asked, before_days)) if before_days else None
    return Exploration(
        report=report,
        days=asked.days,
        by_period=by_period,
        shown=shown,
        others=len(by_row) - len(shown),
        labels=_labels(whole, before),
        pivot=_pivot(report, whole, by_period, before, shown),
        before_days=before_days,
        before=before,
    )


def _by_period(asked: Question, shown: tuple[str, ...], *, folds: bool) -> Question:
    told = frozenset(shown) if folds and asked.group_by else None
    return replace(asked, group_by=asked.group_by[:1], beside=frozenset(asked.group_by), told=told)


def _before(asked: Question, days: DayRange) -> Question:
    first = asked.group_by[:1]
    return replace(asked, days=days, granularity=Granularity.WHOLE, group_by=first, beside=frozenset(asked.group_by))


def _amounts(whole: Answer) -> dict[tuple[str, str], Decimal]:
    return {_place(group): group.amount for period in whole.periods for group in period.groups}


def _place(group: Group) -> tuple[str, str]:
    return group.keys[0], group.keys[1] if len(group.keys) > 1 else ""


def _labels(*answers: Answer | None) -> dict[str, str]:
    groups = [group for answer in answers if answer for period in answer.periods for group in period.groups]
    return {key: label for group in groups for key, label in zip(group.keys, group.labels, strict=True)}


def _pivot(report: Report, whole: Answer, by_period: Answer, before: Answer | None, shown: tuple[str, ...]) -> Pivot | None:
    if whole.total is None or by_period.total is None:
        return None
    known = None
    if before and before.total is not None and _is_whole(before):
        known = Before({keys[0]: amount for keys, amount in _amounts(before).items()}, before.total)
    if len(report.group_by) > 1:
        amounts = _amounts(whole)
        return pivots.pivot(Told(amounts, whole.total), known, shown=shown, heads=pivots.heads_of(amounts, COLUMNS))
    now = _by_start(by_period, by_period.total)
    return pivots.pivot(now, known, shown=shown, heads=[period.start.isoformat() for period in by_period.periods])


def _is_whole(answer: Answer) -> bool:
    return all(period.complete for period in answer.periods)


def _by_start(answer: Answer, total: Decimal) -> Told:
    amounts = {(group.keys[0], period.start.isoformat()): group.amount for period in answer.periods for group in period.groups}
    totals = {period.start.isoformat(): period.total or ZERO for period in answer.periods}
    return Told(amounts, total, totals)


# --- what can be asked next


def drilled(reader: Reader, report: Report, dimension: Dimension) -> Callable[[str], Report]:
    """The report narrowed to one value of `dimension`, grouped by what tells most about it."""
    name = _FILTER_OF[dimension]
    group_by = _next_groups(reader, report.with_values(name, [""]), dimension)
    return lambda value: replace(report.with_values(name, [value]), group_by=group_by)


def _next_groups(reader: Reader, narrowed: Report, dimension: Dimension) -> tuple[Dimension, ...]:
    left = tuple(one for one in narrowed.group_by if one is not dimension)
    chosen = {one for name, one in FILTERS.items() if len(narrowed.values_of(name)) == 1}
    wanted = [left] if left else []
    wanted += [(one,) for one in _NEXT[dimension] if one not in chosen]
    return next((groups for groups in wanted if _is_told(reader, replace(narrowed, group_by=groups))), narrowed.group_by)


def _is_told(reader: Reader, report: Report) -> bool:
    filtered = report.filtered - {Dimension.ACCOUNT} | ({Dimension.RECORD_TYPE} if report.charge_types else set())
    accounts = (*report.values_of("account"), *report.values_of(ENVIRONMENT))
    return reader.tells({*report.group_by, *filtered}, of=accounts)


def offers(reader: Reader, report: Report) -> list[Report]:
    """The nearest reports that stored costs can answer, in the place of one that they cannot: one grouping or filter less."""
    fewer = [replace(report, group_by=tuple(one for one in report.group_by if one is not gone)) for gone in report.group_by]
    wider = [report.with_values(name, ()) for name in FILTERS if report.values_of(name)]
    wider += [replace(report, charge_types=())] if report.charge_types else []
    both = [replace(one, group_by=(group,)) for one in wider for group in report.group_by if len(report.group_by) > 1]
    told = [one for one in (*fewer, *wider, *both) if _is_told(reader, one)]
    return list(dict.fromkeys(told))[:6]
