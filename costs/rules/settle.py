"""When a day's costs can be believed. AWS's own "Estimated" only says that the month is open, not that the day is whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

# Late services land more than a day after the day ended; two days later nearly all of it is there.
SETTLE_LAG = timedelta(days=2)


def is_complete(day: date, fetched_at: datetime) -> bool:
    """Whether the UTC day `day` had settled when its costs were fetched."""
    ended_at = datetime.combine(day + timedelta(days=1), time(), UTC)
    return fetched_at >= ended_at + SETTLE_LAG


def last_complete_day(today: date) -> date:
    """The newest day that a fetch made today finds complete."""
    return today - SETTLE_LAG - timedelta(days=1)
