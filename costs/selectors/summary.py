"""The figures of a month in progress: what it cost so far, against the same days before, where it will end, what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.money import EXACT, ZERO
from costs.rules import charge_types, settle, windows
from costs.rules.charge_types import GIVEN_BACK, ChargeType
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import costs, forecasts
from costs.selectors.costs import Reader
from costs.selectors.forecasts import Outlook
from costs.selectors.questions import Answer, Period, Question

_DAY = timedelta(days=1)
MOVER_DAYS = 7
MOVERS = 5


@dataclass(frozen=True, slots=True)
class Span:
    """What some days cost; None where nothing is stored."""

    days: DayRange
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Mover:
    """A service whose cost of the last seven complete days differs from the seven before."""

    service: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return EXACT.subtract(self.after, self.before)


@dataclass(frozen=True, slots=True)
class Summary:
    """`month_to_date` includes today as far as it is known. `settled` are its complete days, which alone are comparable with
    `same_span_last_month`; both are None in the first days of a month.

    `gross` is what was charged before credits and refunds, `credits` those (a negative amount); `tax` is within gross.
    """

    currency: str | None
    month_to_date: Span
    settled: Span | None
    same_span_last_month: Span | None
    full_last_month: Span
    outlook: Outlook
    gross: Decimal | None
    credits: Decimal | None
    tax: Decimal | None
    days_before: DayRange
    days_after: DayRange
    movers: tuple[Mover, ...]
    as_of: datetime | None


def summary(
    reader: Reader, *, metric: Metric = Metric.UNBLENDED, currency: str | None = None, recent: Answer | None = None
) -> Summary:
    """The summary of today's month. `recent`: days by service that were read already. Raises MixedCurrencies, UnknownAccount."""
    today = clock.today()
    month = first_of_month(today)
    # Asked first: its longer span holds the completeness of all the others.
    outlook = forecasts.expected(reader, Question(windows.month_of(today), metric=metric, currency=currency))
    by_type = reader.answer(by_record_type(today, metric=metric, currency=currency))
    this_month = DayRange(month, today + _DAY)
    settled = _settled(this_month, today)
    weeks = _weeks(today)
    return Summary(
        currency=by_type.currency,
        month_to_date=_span(by_type, this_month),
        settled=_span(by_type, settled) if settled else None,
        same_span_last_month=_span(by_type, _a_month_before(settled)) if settled else None,
        full_last_month=_span(by_type, windows.month_of(month - _DAY)),
        outlook=outlook,
        gross=_charged(by_type, this_month),
        credits=_of_types(by_type, this_month, GIVEN_BACK),
        tax=_of_types(by_type, this_month, frozenset({ChargeType.TAX})),
        days_before=weeks[0],
        days_after=weeks[1],
        movers=_movers(recent or _recent(reader, weeks, metric, by_type.currency), weeks)[:MOVERS],
        as_of=by_type.as_of,
    )


def by_record_type(today: date, *, metric: Metric = Metric.UNBLENDED, currency: str | None = None) -> Question:
    """What a summary asks about this month and the one before."""
    two_months = DayRange(first_of_month(today, months=-1), today + _DAY)
    return Question(two_months, group_by=(Dimension.RECORD_TYPE,), metric=metric, currency=currency)


def days_read(today: date) -> DayRange:
    """All days that a summary reads something of; those of its forecast reach back farthest."""
    return forecasts.days_read(windows.month_of(today), today)


def _settled(month: DayRange, today: date) -> DayRange | None:
    end = settle.last_complete_day(today) + _DAY
    return DayRange(month.start, end) if end > month.start else None


def _a_month_before(days: DayRange) -> DayRange:
    """The same days of the previous month, as many of them as it has."""
    start = first_of_month(days.start, months=-1)
    return DayRange(start, min(start + (days.end - days.start), days.start))


def _weeks(today: date) -> tuple[DayRange, DayRange]:
    """The seven days before the last seven complete ones, and those."""
    end = settle.last_complete_day(today) + _DAY
    middle = end - _DAY * MOVER_DAYS
    return DayRange(middle - _DAY * MOVER_DAYS, middle), DayRange(middle, end)


def _inside(answer: Answer, days: DayRange) -> list[Period]:
    return [period for period in answer.periods if days.start <= period.start < days.end]


def _span(answer: Answer, days: DayRange) -> Span:
    return Span(days, _sum(period.total for period in _inside(answer, days)))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return costs.add(known) if known else None


def _of_types(answer: Answer, days: DayRange, types: frozenset[ChargeType]) -> Decimal | None:
    """The sum of some kinds of charges; None where nothing is stored, zero where there were none."""
    periods = [period for period in _inside(answer, days) if period.total is not None]
    return costs.add(_type_amounts(periods, types)) if periods else None


def _type_amounts(periods: Iterable[Period], types: frozenset[ChargeType]) -> Iterator[Decimal]:
    for period in periods:
        yield from (group.amount for group in period.groups if charge_types.classify(group.keys[0]) in types)


def _charged(answer: Answer, days: DayRange) -> Decimal | None:
    """Everything but what was given back: what no group tells is charged too."""
    total, given_back = _span(answer, days).amount, _of_types(answer, days, GIVEN_BACK)
    return None if total is None or given_back is None else EXACT.subtract(total, given_back)


def _recent(reader: Reader, weeks: tuple[DayRange, DayRange], metric: Metric, currency: str | None) -> Answer:
    days = DayRange(weeks[0].start, weeks[1].end)
    return reader.answer(Question(days, group_by=(Dimension.SERVICE,), metric=metric, currency=currency))


def _movers(answer: Answer, weeks: tuple[DayRange, DayRange]) -> tuple[Mover, ...]:
    before, after = (_by_service(_inside(answer, week)) for week in weeks)
    movers = (Mover(name, before.get(name, ZERO), after.get(name, ZERO)) for name in {*before, *after})
    return tuple(sorted((mover for mover in movers if mover.change), key=lambda mover: (-abs(mover.change), mover.service)))


def _by_service(periods: Iterable[Period]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for period in periods:
        for group in period.groups:
            found[group.keys[0]] = EXACT.add(found.get(group.keys[0], ZERO), group.amount)
    return found
