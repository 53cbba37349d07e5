"""Which days to ask Cost Explorer for. All ranges are half-open UTC days.

Cost Explorer wants Start < End, Start <= today, End <= the first of next month, and tells daily costs for 14 months
(AWS Cost Explorer API, GetCostAndUsage).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

BACKFILL_MONTHS = 13
# Invoices are final by about the 10th: until then the previous month still moves.
PREVIOUS_MONTH_MOVES_UNTIL = 10
LATE_DAYS = 5
# Longer questions have longer answers, and a failure costs more of them.
CHUNK_MONTHS = 3

_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class DayRange:
    """The days from `start` up to, without, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}: the end is exclusive.")

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def first_of_month(day: date, *, months: int = 0) -> date:
    """The first of the month that lies `months` after (negative: before) the month of `day`."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_of(day: date) -> DayRange:
    """The whole calendar month of `day`."""
    return DayRange(first_of_month(day), first_of_month(day, months=1))


def backfill(today: date) -> DayRange:
    """Thirteen full months and the current one."""
    return DayRange(first_of_month(today, months=-BACKFILL_MONTHS), today + _DAY)


def refresh(today: date, fresh_on: date | None = None) -> DayRange:
    """What may have changed since the last complete refresh: this month, the last days, and the previous month until
    its invoice is final. The first refresh of a week looks at the whole previous month again, because refunds and
    corrections come after the invoice. After a long pause, everything since that refresh, as far back as daily costs are told.
    """
    moved = _moved(today, fresh_on)
    if fresh_on is None or fresh_on.isocalendar()[:2] >= today.isocalendar()[:2]:
        return moved
    return DayRange(min(moved.start, first_of_month(today, months=-1)), moved.end)


def _moved(today: date, fresh_on: date | None) -> DayRange:
    starts = [_moving_since(today)]
    if fresh_on is not None and fresh_on < today:
        starts.append(max(_moving_since(fresh_on), backfill(today).start))
    return DayRange(min(starts), today + _DAY)


def usage_types(today: date, asked_on: date | None) -> DayRange | None:
    """The days to ask usage types for: once a day the last ones, once a week all that may have changed; None when asked today.

    Their answers are the longest, and AWS charges for each page.
    """
    if asked_on is None:
        return _moved(today, None)
    if asked_on >= today:
        return None
    whole = _moved(today, asked_on)
    if today.isocalendar().week != asked_on.isocalendar().week:
        return whole
    return DayRange(max(whole.start, asked_on - timedelta(days=LATE_DAYS)), whole.end)


def _moving_since(today: date) -> date:
    if today.day <= PREVIOUS_MONTH_MOVES_UNTIL:
        return first_of_month(today, months=-1)
    return min(first_of_month(today), today - timedelta(days=LATE_DAYS))


def chunks(days: DayRange, months: int) -> list[DayRange]:
    """`days` cut at month starts into pieces of at most `months` months, the newest first."""
    pieces: list[DayRange] = []
    end = days.end
    while end > days.start:
        start = max(days.start, first_of_month(end - _DAY, months=1 - months))
        pieces.append(DayRange(start, end))
        end = start
    return pieces


def halves(days: DayRange) -> tuple[DayRange, DayRange] | None:
    """The newer and the older half; None when a single day is left."""
    if days.days == 1:
        return None
    middle = days.start + timedelta(days=days.days // 2)
    return DayRange(middle, days.end), DayRange(days.start, middle)


@dataclass(frozen=True, slots=True)
class Split:
    """A range by the rows that answer it: whole months from monthly sums, the edges from daily facts."""

    months: DayRange | None
    edges: tuple[DayRange, ...]


def by_whole_months(days: DayRange) -> Split:
    first = days.start if days.start.day == 1 else first_of_month(days.start, months=1)
    last = first_of_month(days.end)
    if first >= last:
        return Split(None, (days,))
    edges = [DayRange(start, end) for start, end in ((days.start, first), (last, days.end)) if start < end]
    return Split(DayRange(first, last), tuple(edges))


def tomorrow(today: date) -> date:
    return today + _DAY
