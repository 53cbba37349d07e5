"""The calendar of budgets: which days a period has, and which periods still move. All ranges are half-open UTC days."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from costs.rules import settle
from costs.rules.windows import LATE_DAYS, PREVIOUS_MONTH_MOVES_UNTIL, DayRange, first_of_month

_DAY = timedelta(days=1)


class Every(StrEnum):
    """How long a period is: the calendar's day, month, quarter or year."""

    DAILY = "daily"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


_MONTHS = {Every.MONTHLY: 1, Every.QUARTERLY: 3, Every.YEARLY: 12}


def period_of(every: Every, day: date) -> DayRange:
    """The period that `day` lies in."""
    if every is Every.DAILY:
        return DayRange(day, day + _DAY)
    months = _MONTHS[every]
    start = first_of_month(day, months=-((day.month - 1) % months))
    return DayRange(start, first_of_month(start, months=months))


def before(every: Every, days: DayRange, count: int) -> list[DayRange]:
    """The `count` periods before `days`, the newest first."""
    found: list[DayRange] = []
    while len(found) < count:
        days = period_of(every, days.start - _DAY)
        found.append(days)
    return found


def following(every: Every, day: date, count: int) -> list[DayRange]:
    """The period of `day` and those after it, `count` in all."""
    found = [period_of(every, day)]
    while len(found) < count:
        found.append(period_of(every, found[-1].end))
    return found


def moving(every: Every, today: date) -> list[DayRange]:
    """The period of today, and before it those whose figures AWS still changes; the newest first."""
    lag = timedelta(days=LATE_DAYS if every is Every.DAILY else PREVIOUS_MONTH_MOVES_UNTIL)
    found = [period_of(every, today)]
    while (days := period_of(every, found[-1].start - _DAY)).end + lag > today:
        found.append(days)
    return found


def title(every: Every, days: DayRange) -> str:
    """`2026-10-01` of a quarterly budget → "Q4 2026"."""
    start = days.start
    if every is Every.DAILY:
        return f"{start.day} {start:%b %Y}"
    if every is Every.MONTHLY:
        return f"{start:%B %Y}"
    return f"Q{(start.month + 2) // 3} {start.year}" if every is Every.QUARTERLY else str(start.year)


def complete_until(today: date) -> date:
    """The day after the newest one that can be complete."""
    return settle.last_complete_day(today) + _DAY
