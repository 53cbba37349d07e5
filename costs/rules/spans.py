"""Ranges of days that people ask about, and what each is compared with. All ranges are half-open UTC days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from costs.rules.windows import BACKFILL_MONTHS, DayRange, first_of_month

_DAY = timedelta(days=1)


class Preset(StrEnum):
    """A range that moves with the calendar; today is in it as far as it is known."""

    DAYS_7 = "7d"
    DAYS_30 = "30d"
    DAYS_90 = "90d"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    MONTHS_3 = "3m"
    MONTHS_6 = "6m"
    MONTHS_13 = "13m"
    THIS_YEAR = "this_year"


TITLES: dict[Preset, str] = {
    Preset.DAYS_7: "Last 7 days",
    Preset.DAYS_30: "Last 30 days",
    Preset.DAYS_90: "Last 90 days",
    Preset.THIS_MONTH: "This month",
    Preset.LAST_MONTH: "Last month",
    Preset.MONTHS_3: "Three months",
    Preset.MONTHS_6: "Six months",
    Preset.MONTHS_13: "Thirteen months",
    Preset.THIS_YEAR: "This year",
}

_DAYS = {Preset.DAYS_7: 7, Preset.DAYS_30: 30, Preset.DAYS_90: 90}
# Months counted with the one that has begun.
_MONTHS = {Preset.THIS_MONTH: 1, Preset.MONTHS_3: 3, Preset.MONTHS_6: 6, Preset.MONTHS_13: BACKFILL_MONTHS}


def days_of(preset: Preset, today: date) -> DayRange:
    tomorrow = today + _DAY
    if preset in _DAYS:
        return DayRange(tomorrow - _DAY * _DAYS[preset], tomorrow)
    if preset is Preset.LAST_MONTH:
        return DayRange(first_of_month(today, months=-1), first_of_month(today))
    if preset is Preset.THIS_YEAR:
        return DayRange(date(today.year, 1, 1), tomorrow)
    return DayRange(first_of_month(today, months=1 - _MONTHS[preset]), tomorrow)


def previous(days: DayRange) -> DayRange:
    """What `days` are compared with: as many whole months before whole months, the same days of the month before for a month
    that has begun, and otherwise the same number of days just before.
    """
    if days.start.day == 1 and days.end.day == 1:
        return DayRange(first_of_month(days.start, months=-_months(days)), days.start)
    if days.start.day == 1 and days.end <= first_of_month(days.start, months=1):
        start = first_of_month(days.start, months=-1)
        return DayRange(start, min(start + _DAY * days.days, days.start))
    return DayRange(days.start - _DAY * days.days, days.start)


def _months(days: DayRange) -> int:
    return (days.end.year - days.start.year) * 12 + days.end.month - days.start.month


# --- two spans beside each other


class Comparison(StrEnum):
    """Two spans of complete days that people compare."""

    WEEKS = "7d"
    THIRTY_DAYS = "30d"
    MONTH_SO_FAR = "this_month"
    LAST_MONTH = "last_month"


COMPARISONS: dict[Comparison, str] = {
    Comparison.WEEKS: "7 days against the 7 before",
    Comparison.THIRTY_DAYS: "30 days against the 30 before",
    Comparison.MONTH_SO_FAR: "This month against the same days before",
    Comparison.LAST_MONTH: "Last month against the month before",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared: `after` with `before`."""

    before: DayRange
    after: DayRange


def pair_of(comparison: Comparison, last_complete: date) -> Pair:
    """The spans as of `last_complete`, the newest day that AWS adds nothing to."""
    end = last_complete + _DAY
    if comparison is Comparison.LAST_MONTH:
        after = DayRange(first_of_month(end, months=-1), first_of_month(end))
    elif comparison is Comparison.MONTH_SO_FAR:
        after = DayRange(first_of_month(last_complete), end)
    else:
        after = DayRange(end - _DAY * (7 if comparison is Comparison.WEEKS else 30), end)
    return Pair(previous(after), after)


def settled(pair: Pair, last_complete: date) -> Pair | None:
    """The complete days of both. When days of `after` are cut off, as many are cut off `before`; None when none are left."""
    end = last_complete + _DAY
    after_end = min(pair.after.end, end)
    if after_end <= pair.after.start:
        return None
    after = DayRange(pair.after.start, after_end)
    kept = min(pair.before.days, after.days) if after.days < pair.after.days else pair.before.days
    before_end = min(pair.before.start + _DAY * kept, end)
    return Pair(DayRange(pair.before.start, before_end), after) if before_end > pair.before.start else None
