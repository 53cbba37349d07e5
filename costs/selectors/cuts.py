"""Which stored days and months a question is about, as conditions on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import DateField, F, Q, Value

from cloudconsole.core import clock
from cloudconsole.core.periods import MonthOf
from costs.rules import windows
from costs.rules.windows import DayRange, Split, first_of_month
from costs.selectors.questions import Granularity, Question


@dataclass(frozen=True, slots=True)
class Ranges:
    """The whole months that monthly rows answer, and the days that daily ones must."""

    months: tuple[DayRange, ...] = ()
    days: tuple[DayRange, ...] = ()


def split_of(question: Question, since: date = date.min) -> Split:
    """The part of the range that monthly sums answer, and what daily rows must. Nothing is stored of the days before `since`."""
    if question.days.end <= since:
        return Split(None, ())
    days = DayRange(max(question.days.start, since), question.days.end)
    if question.granularity is Granularity.DAILY:
        return Split(None, (days,))
    if days.end > clock.today():
        # Nothing is stored beyond today: the sums of the current month are those of its days so far.
        days = DayRange(days.start, first_of_month(days.end, months=0 if days.end.day == 1 else 1))
    return windows.by_whole_months(days)


def whole(question: Question, since: date = date.min) -> Ranges:
    split = split_of(question, since)
    return Ranges(months=(split.months,) if split.months else (), days=split.edges)


def within(column: str, ranges: Sequence[DayRange]) -> Q:
    condition = Q(pk__in=[])
    for days in ranges:
        condition |= Q(**{f"{column}__gte": days.start, f"{column}__lt": days.end})
    return condition


def on_days(ranges: Sequence[DayRange]) -> Q:
    return Q(day__in=[days.start + timedelta(days=number) for days in ranges for number in range(days.days)])


def in_months(ranges: Sequence[DayRange]) -> Q:
    """One by one: the keys of a month lie together, so that few accounts of many are found at once."""
    return Q(month__in=[piece.start for months in ranges for piece in windows.chunks(months, 1)])


def bucket(question: Question, column: str, *, is_month: bool = False) -> Any:
    """The first day of the period that a row belongs to."""
    if question.granularity is Granularity.WHOLE:
        return Value(question.days.start, output_field=DateField())
    if question.granularity is Granularity.MONTHLY and not is_month:
        return MonthOf(column)
    return F(column)
