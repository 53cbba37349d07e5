"""Is a day unusual? Compared with the same weekdays before it, by median and median absolute deviation, over complete days only.

A day is unusual when it exceeds what was expected by a floor in money *and* by a percentage *and* by several times the usual
deviation. Days after it are never looked at. Without enough history there is no verdict, which is not the same as normal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from cloudconsole.core.money import EXACT, ZERO
from costs.rules.usage import NOTHING, Bounds
from costs.rules.windows import first_of_month

_DAY = timedelta(days=1)
WINDOW_DAYS = 56
HISTORY_DAYS = 28  # of them must be complete
RESTARTED_DAYS = 7  # are enough after somebody accepted a new level
SAME_WEEKDAYS = 3  # fewer than that say less than all days together
REACH = timedelta(days=62)  # as far back as two months' same day lies
# The standard deviation of a normal distribution is so many median absolute deviations.
_PER_DEVIATION = Decimal("1.4826")
_HUNDRED = Decimal(100)


class Sensitivity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


DEVIATIONS: dict[Sensitivity, Decimal] = {
    Sensitivity.LOW: Decimal(6),
    Sensitivity.MEDIUM: Decimal(4),
    Sensitivity.HIGH: Decimal(3),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How far above the expected a day must be, in all three ways. `floor` is money a day, `percent` of the expected."""

    floor: Decimal
    percent: Decimal
    sensitivity: Sensitivity

    @property
    def deviations(self) -> Decimal:
        return DEVIATIONS[self.sensitivity]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`actual` is at least that much where AWS does not tell exactly. `limit`: from there on it is unusual. `is_new`: no cost in
    all the days it is compared with.
    """

    day: date
    actual: Decimal
    expected: Decimal
    limit: Decimal
    is_new: bool
    is_exact: bool

    @property
    def is_unusual(self) -> bool:
        return self.actual >= self.limit

    @property
    def impact(self) -> Decimal:
        return EXACT.subtract(self.actual, self.expected)


@dataclass(frozen=True)
class Series:
    """One account's or region's usage of one service. A complete day without an amount cost nothing.

    `left_out`: days that are compared with nothing, because a person said that they are not how it usually is.
    `restart`: since that day a new level counts; what was before does not.
    """

    complete: Collection[date]
    amounts: Mapping[date, Bounds]
    left_out: Collection[date] = frozenset()
    restart: date | None = None
    _usable: dict[date, Decimal] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Of past days the higher bound counts, of the judged one the lower: then what looks unusual is."""
        usable = {day: self.amounts.get(day, NOTHING).high for day in self.complete if day not in self.left_out}
        object.__setattr__(self, "_usable", usable)

    def judge(self, day: date, limits: Limits) -> Verdict | None:
        """None where the day is not complete, or too little is known of the days before it."""
        before = self._before(day)
        if day not in self.complete or len(before) < (RESTARTED_DAYS if self._is_restarted(day) else HISTORY_DAYS):
            return None
        told = self.amounts.get(day, NOTHING)
        usual = _Usual.of(before)
        expected = EXACT.add(usual.medians[day.weekday()], self._monthly(day, usual))
        deviation = usual.deviation(day.weekday())
        limit = max(
            EXACT.add(expected, limits.floor),
            EXACT.add(expected, EXACT.divide(EXACT.multiply(abs(expected), limits.percent), _HUNDRED)),
            EXACT.add(expected, EXACT.multiply(limits.deviations, deviation)),
        )
        return Verdict(day, told.low, expected, limit, not any(before.values()), told.is_exact)

    def may_be_unusual(self, day: date, limits: Limits) -> bool:
        """A quick no for what cannot be: most days of most series are below the floor, or near their weekday's median."""
        told = self.amounts.get(day, NOTHING).low
        if told < limits.floor:
            return False
        if not self._is_gapless or day - _DAY * WINDOW_DAYS not in self._usable:
            return True
        same = [self._usable[day - _DAY * 7 * number] for number in range(1, WINDOW_DAYS // 7 + 1)]
        return told >= EXACT.add(median(same), limits.floor)

    @cached_property
    def _is_gapless(self) -> bool:
        """Whether every day from the first to the last counts, so that each day is compared with its own weekdays."""
        if not self._usable or self.restart is not None:
            return False
        return len(self._usable) == (max(self._usable) - min(self._usable)).days + 1

    def _before(self, day: date) -> dict[date, Decimal]:
        days = (day - _DAY * number for number in range(1, WINDOW_DAYS + 1))
        return {one: self._usable[one] for one in days if self._counts(one, day)}

    def _counts(self, past: date, day: date) -> bool:
        return past in self._usable and (self.restart is None or past >= self.restart or not self._is_restarted(day))

    def _is_restarted(self, day: date) -> bool:
        return self.restart is not None and day >= self.restart

    def _monthly(self, day: date, usual: _Usual) -> Decimal:
        """What comes on top on this day of every month: the smaller of the last two, so that one past spike makes no rhythm."""
        days = [a_month_before(day, months=months) for months in (1, 2)]
        told = [one for one in days if one is not None and self._counts(one, day)]
        on_top = (EXACT.subtract(self._usable[one], usual.medians[one.weekday()]) for one in told)
        return max(ZERO, min(on_top)) if len(told) == len(days) else ZERO


def a_month_before(day: date, *, months: int) -> date | None:
    """The same day of an earlier month, the last for the last; None where that month has no such day."""
    if (day + _DAY).day == 1:
        return first_of_month(day, months=1 - months) - _DAY
    start = first_of_month(day, months=-months)
    found = start + _DAY * (day.day - 1)
    return found if found.month == start.month else None


@dataclass(frozen=True, slots=True)
class _Usual:
    """What the days before say: each weekday's median, and how far days usually are from it."""

    medians: Mapping[int, Decimal]
    own_deviations: Mapping[int, Decimal]
    all_deviations: Decimal

    @classmethod
    def of(cls, before: Mapping[date, Decimal]) -> _Usual:
        groups: dict[int, list[Decimal]] = defaultdict(list)
        for day, amount in before.items():
            groups[day.weekday()].append(amount)
        if any(len(groups[number]) < SAME_WEEKDAYS for number in range(7)):
            every = list(before.values())
            groups = defaultdict(list, dict.fromkeys(range(7), every))
        distances = {number: _distances(amounts) for number, amounts in groups.items()}
        return cls(
            {number: median(amounts) for number, amounts in groups.items()},
            {number: median(found) for number, found in distances.items()},
            median([distance for found in distances.values() for distance in found]),
        )

    def deviation(self, weekday: int) -> Decimal:
        """The larger of the weekday's own and that of all days: a handful of days alone says too little."""
        return EXACT.multiply(_PER_DEVIATION, max(self.own_deviations[weekday], self.all_deviations))


def _distances(amounts: Sequence[Decimal]) -> list[Decimal]:
    middle = median(amounts)
    return [abs(EXACT.subtract(amount, middle)) for amount in amounts]


def median(amounts: Sequence[Decimal]) -> Decimal:
    """Of at least one amount; exact also between two."""
    ordered, half = sorted(amounts), len(amounts) // 2
    if len(ordered) % 2:
        return ordered[half]
    return EXACT.divide(EXACT.add(ordered[half - 1], ordered[half]), Decimal(2))
