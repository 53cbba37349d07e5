"""What expenses are grouped by, and the periods that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_DAY = timedelta(days=1)


class GroupBy(StrEnum):
    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    MONTH = "month"
    WEEK = "week"
    WEEKDAY = "weekday"
    DAY = "day"
    PAYMENT_METHOD = "payment_method"
    LOCATION = "location"
    PAYEE = "payee"
    TAG = "tag"
    USER = "user"


# Groups that are periods: shown in their order, and not compared one by one with the period before.
PERIODS = (GroupBy.MONTH, GroupBy.WEEK, GroupBy.DAY)
IN_ORDER = (*PERIODS, GroupBy.WEEKDAY)


@dataclass(frozen=True)
class Days:
    """From `start` until before `end`."""

    start: date
    end: date

    @property
    def last(self) -> date:
        return self.end - _DAY


def previous(days: Days) -> Days | None:
    """The period before, of whole months when `days` are whole months, else of as many days. None before all time."""
    try:
        return _previous(days)
    except (ValueError, OverflowError):
        return None


def _previous(days: Days) -> Days:
    if days.start.day == 1 and days.end.day == 1:
        months = (days.end.year - days.start.year) * 12 + days.end.month - days.start.month
        return Days(months_later(days.start, -months), days.start)
    return Days(days.start - (days.end - days.start), days.start)


def months_later(day: date, months: int) -> date:
    """The first day of the month so many months after that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def period_of(group: GroupBy, first: date) -> Days:
    """The days of a group that is a period and starts on `first`."""
    if group is GroupBy.MONTH:
        return Days(first, months_later(first, 1))
    return Days(first, first + timedelta(days=7 if group is GroupBy.WEEK else 1))
