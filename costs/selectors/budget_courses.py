"""How a budget's period adds up, day by day or month by month, beside its pace. Counted with its owner's rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import EXACT
from costs.models import Budget
from costs.rules import budget_periods, budgets
from costs.rules.budget_periods import Every
from costs.rules.windows import DayRange, chunks
from costs.selectors import budget_figures, forecasts
from costs.selectors import budgets as selectors
from costs.selectors.budget_figures import Readers, Reading

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    """From the period's start up to and with `last`. `still_expected` is added to the known part, none where all is known."""

    last: date
    actual: Decimal | None
    still_expected: Decimal | None
    total: Decimal | None
    low: Decimal | None
    high: Decimal | None
    pace: Decimal
    is_known: bool


@dataclass(frozen=True, slots=True)
class Course:
    points: Sequence[Point]
    level: int
    reason: str


def course(budget: Budget) -> Course | None:
    """None where it cannot be counted, which the budget's own reason says."""
    if budget.owner is None or not budget.owner.is_active:
        return None
    report = selectors.report_of(budget)
    days = budget_periods.period_of(budget.period, clock.today())
    try:
        reader = Readers().of(budget.owner, report)
        reading = budget_figures.read(reader, report, budget.period)
        ends = _ends(budget.period, days)
        found = forecasts.course(reader, budget_figures.question_of(report, days), ends)
    except CloudconsoleError:
        return None
    before = [days.start, *ends]
    points = [_point(one, reading, budget.amount_of(days), since) for one, since in zip(found, before, strict=False)]
    return Course(points, reading.outlook.level, reading.outlook.reason)


def _ends(every: Every, days: DayRange) -> list[date]:
    """Every day of it; of a year every month."""
    if every is Every.YEARLY:
        return [one.end for one in reversed(chunks(days, 1))]
    return [days.start + _DAY * number for number in range(1, days.days + 1)]


def _point(found: forecasts.Point, reading: Reading, amount: Decimal, since: date) -> Point:
    """`since`: the day after the point before it."""
    until = reading.complete_until
    is_known = until is not None and found.end <= until
    actual = found.actual if since <= clock.today() else None
    rest = None if found.amount is None or is_known else EXACT.subtract(found.amount, actual) if actual else found.amount
    return Point(
        last=found.end - _DAY,
        actual=actual,
        still_expected=rest,
        total=found.amount if found.amount is not None else actual,
        low=None if is_known else found.low,
        high=None if is_known else found.high,
        pace=budgets.pace(amount, reading.days, reading.rhythm, found.end),
        is_known=is_known,
    )
