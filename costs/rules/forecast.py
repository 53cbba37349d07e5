"""What the days ahead are expected to cost, with an interval, from the complete days behind them.

The model is `forecast_model`; here its figures become money, get an interval from its own errors in the past, and give way to a
simpler method where the history is short. Errors are what the model would have been wrong by at earlier days of the same
history, over as many days ahead; `bench/forecast.py` measures how often the interval holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

import numpy as np

from cloudconsole.core.money import ZERO, total
from costs.rules import forecast_model
from costs.rules.forecast_model import TREND_DAYS, Course, Floats
from costs.rules.windows import DayRange

LEVEL = 80
# What is read for a forecast; more would tell of rhythms that have passed.
HISTORY_DAYS = 196
LEAST_DAYS = 7
_RHYTHM_DAYS = 14
_CENT = Decimal("0.01")
_DAY = timedelta(days=1)

# Two-sided quantile of the normal distribution for LEVEL percent.
_QUANTILE = 1.2816
# Errors are looked at from earlier days two weeks apart, each with at least so many days behind it.
_ORIGIN_STEP = 14
_LEAST_BEHIND = 42
_LEAST_ERRORS = 4


class Method(StrEnum):
    """How the days ahead were found, by how much history there was."""

    ACTUAL = "actual"
    DAILY_MEDIAN = "daily_median"
    WEEKDAY_RHYTHM = "weekday_rhythm"
    TREND_RHYTHM_MONTH_DAYS = "trend_weekday_rhythm_month_days"


METHODS: dict[Method, str] = {
    Method.ACTUAL: "Known figures",
    Method.DAILY_MEDIAN: "Median day",
    Method.WEEKDAY_RHYTHM: "Weekday rhythm",
    Method.TREND_RHYTHM_MONTH_DAYS: "Trend, weekday rhythm and month days",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """Of some days; the interval holds the true amount with LEVEL percent."""

    amount: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Forecast:
    """The days after the last complete one, one after the other from `start`. Amounts are rounded to cents, day by day.

    `at_least`: what is known of them already, where nothing can be taken back. `behind`: the history, NaN where it has a gap.
    """

    method: Method
    start: date
    amounts: tuple[Decimal, ...]
    at_least: tuple[Decimal, ...]
    behind: Floats

    def amount(self, days: DayRange) -> Decimal:
        """Of those of `days` that lie ahead; zero where none does."""
        first, last = self._numbers(days)
        return total(self.amounts[first:last])

    def of(self, days: DayRange) -> Expected:
        """The same with its interval."""
        first, last = self._numbers(days)
        amount = self.amount(days)
        if first >= last:
            return Expected(amount, amount, amount)
        margin = Decimal(self._errors.margin(first, last)).quantize(_CENT)
        low = amount - margin
        return Expected(amount, max(low, total(self.at_least[first:last])) if self.at_least else low, amount + margin)

    @cached_property
    def _errors(self) -> _Errors:
        return _Errors.of(self.start - _DAY, self.behind, len(self.amounts), self.method)

    def _numbers(self, days: DayRange) -> tuple[int, int]:
        first, last = (days.start - self.start).days, (days.end - self.start).days
        return max(0, first), max(0, min(last, len(self.amounts)))


def ahead(history: Mapping[date, Decimal], until: date, known: Mapping[date, Decimal]) -> Forecast | None:
    """The days after the last of `history` up to, without, `until`; None where less than a week of days is known.

    `history`: complete days. `known`: what is known of days ahead so far. Where no cost is negative nothing can be taken back, so
    a day ahead costs at least that.
    """
    if len(history) < LEAST_DAYS:
        return None
    last = max(history)
    amounts = _series(history, last)
    count = max(0, (until - last).days - 1)
    method, course = _course(last, amounts)
    days = [last + _DAY * number for number in range(1, count + 1)]
    grows = min(history.values()) >= 0 and all(amount >= 0 for amount in known.values())
    least = tuple(known.get(day, ZERO) for day in days) if grows else ()
    expected = tuple(Decimal(float(amount)).quantize(_CENT) for amount in course.ahead(count))
    return Forecast(
        method=method,
        start=last + _DAY,
        amounts=tuple(map(max, expected, least)) if grows else expected,
        at_least=least,
        behind=amounts,
    )


def _series(history: Mapping[date, Decimal], last: date) -> Floats:
    """The days up to `last` without a gap, NaN where one is not known."""
    first = max(min(history), last - _DAY * (HISTORY_DAYS - 1))
    days = [first + _DAY * number for number in range((last - first).days + 1)]
    return np.array([float(history[day]) if day in history else np.nan for day in days])


def _course(last: date, amounts: Floats) -> tuple[Method, Course]:
    if len(amounts) < _RHYTHM_DAYS:
        return Method.DAILY_MEDIAN, Course(last, float(np.nanmedian(amounts)), 0.0, np.zeros(7), {})
    course = forecast_model.course_of(last - _DAY * (len(amounts) - 1), amounts)
    return Method.TREND_RHYTHM_MONTH_DAYS if len(amounts) >= TREND_DAYS else Method.WEEKDAY_RHYTHM, course


@dataclass(frozen=True, slots=True)
class _Errors:
    """By how much sums of days were wrong: `paths` are the summed errors after so many days ahead, from several earlier days.

    `daily` is the deviation of single days, for histories that are too short to look back from.
    """

    paths: tuple[Floats, ...]
    daily: float
    behind: int

    @classmethod
    def of(cls, last: date, amounts: Floats, count: int, method: Method) -> _Errors:
        paths = []
        if method is Method.TREND_RHYTHM_MONTH_DAYS:
            first = last - _DAY * (len(amounts) - 1)
            for behind in range(len(amounts) - _ORIGIN_STEP // 2, _LEAST_BEHIND - 1, -_ORIGIN_STEP):
                paths.append(_path(first, amounts, behind, count))
        return cls(tuple(paths), _deviation(amounts), len(amounts))

    def margin(self, first: int, last: int) -> float:
        """Of the sum of the days ahead from number `first` up to, without, `last`."""
        chance = _QUANTILE * self.daily * float(np.sqrt(last - first)) * (1 + last / self.behind)
        reach = self._reach(last)
        if reach == 0:
            return chance
        seen_first = max(0, reach - (last - first))
        wrong = [abs(float(path[reach] - path[seen_first])) for path in self.paths if len(path) > reach]
        usual = float(np.quantile(wrong, LEVEL / 100))
        return usual * last / reach * float(np.sqrt((last - first) / (reach - seen_first)))

    def _reach(self, last: int) -> int:
        """The farthest day ahead, up to `last`, that enough paths go to."""
        lengths = sorted((len(path) - 1 for path in self.paths), reverse=True)
        return min(last, lengths[_LEAST_ERRORS - 1]) if len(lengths) >= _LEAST_ERRORS else 0


def _path(first: date, amounts: Floats, behind: int, count: int) -> Floats:
    """What the model would have been wrong by, added up day by day, with only the first `behind` days known."""
    course = forecast_model.course_of(first, amounts[:behind])
    truth = amounts[behind : behind + count]
    wrong = np.nan_to_num(truth - course.ahead(len(truth)))
    return np.concatenate([[0.0], np.cumsum(wrong)])


def _deviation(amounts: Floats) -> float:
    """Of a day from its weekday's mean; from the mean where there are too few weeks."""
    known = np.flatnonzero(~np.isnan(amounts))
    told = amounts[known]
    if len(amounts) < 2 * _RHYTHM_DAYS:
        return float(np.std(told))
    weekday = known % 7
    counts = np.maximum(np.bincount(weekday, minlength=7), 1)
    means = np.bincount(weekday, told, minlength=7) / counts
    return float(np.std(told - means[weekday]))
