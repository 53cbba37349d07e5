"""Where the month will end, from the pace of its last weeks: per weekday, so that weekends do not bend it.

Every charge that is already known counts as it is; only usage is carried forward, because tax, support, refunds and fees do not
come by the day. The interval takes days as independent of each other, which is why it is wide only by the days left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cloudconsole.core.money import EXACT, ZERO

METHOD = "weekday_run_rate_28d"
LEVEL = 80
WINDOW_DAYS = 28
_LEAST_DAYS = 14
# Two-sided quantile of the normal distribution for LEVEL percent.
_QUANTILE = Decimal("1.2816")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Forecast:
    """The month's expected total, in the currency of the input, rounded to cents, with an interval of LEVEL percent."""

    amount: Decimal
    low: Decimal
    high: Decimal


def month_end(*, known: Decimal, usage: Mapping[date, Decimal], remaining: Sequence[date]) -> Forecast | None:
    """The known charges of the month plus usual usage on the `remaining` days. None with fewer than two weeks of days.

    `usage`: usage of complete days. Amounts already known of a remaining day must not be in `known`.
    """
    recent = dict(sorted(usage.items())[-WINDOW_DAYS:])
    if len(recent) < _LEAST_DAYS:
        return None
    pace = {weekday: _mean([amount for day, amount in recent.items() if day.weekday() == weekday]) for weekday in range(7)}
    expected = known
    for day in remaining:
        expected = EXACT.add(expected, pace[day.weekday()])
    squares = [EXACT.power(EXACT.subtract(amount, pace[day.weekday()]), 2) for day, amount in recent.items()]
    margin = EXACT.multiply(_QUANTILE, EXACT.sqrt(EXACT.multiply(_mean(squares), Decimal(len(remaining)))))
    return Forecast(expected.quantize(_CENT), (expected - margin).quantize(_CENT), (expected + margin).quantize(_CENT))


def days_after(day: date, end: date) -> list[date]:
    """The days after `day` up to, without, `end`."""
    return [day + timedelta(days=number) for number in range(1, (end - day).days)]


def _mean(amounts: Sequence[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return EXACT.divide(total, Decimal(len(amounts)))
