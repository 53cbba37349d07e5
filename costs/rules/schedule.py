"""When a source is asked again. AWS updates billing data about three times a day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from costs.rules.windows import first_of_month

EVERY = timedelta(hours=8)
# A single account is worth less than its bill's payer: what a day asks of it stays within this, usage types and tags included.
SINGLE_DAILY_REQUESTS = 8
FOR_USAGE_TYPES = 2
# Refreshes of many sources spread over this time, each source always at its own place in it.
_SPREAD = timedelta(hours=1)
# Two refreshes missed: the figures are old enough to say so.
STALE_AFTER = timedelta(hours=28)


def usual_interval(requests_each: int, *, tags: int = 0) -> timedelta:
    """Between two refreshes of a single account that take `requests_each` paid requests each, besides `tags` a day."""
    times = max(1, (SINGLE_DAILY_REQUESTS - FOR_USAGE_TYPES - tags) // max(1, requests_each))
    return max(EVERY, timedelta(days=1) / times)


def next_refresh(
    source_id: int, ended_at: datetime, *, requests_left: int, requests_each: int, every: timedelta = EVERY
) -> datetime:
    """The moment of the source's next refresh after one that ended at `ended_at`, `every` later if the money lasts.

    Refreshes are spaced so that the paid requests left this month last until its end, whatever the usual interval.
    """
    month_end = datetime.combine(first_of_month(ended_at.date(), months=1), time(), UTC)
    affordable = requests_left // max(1, requests_each)
    if affordable == 0:
        return month_end + _jitter(source_id)
    return ended_at + max(every, (month_end - ended_at) / affordable) + _jitter(source_id)


def _jitter(source_id: int) -> timedelta:
    seconds = int(_SPREAD.total_seconds())
    # Knuth's multiplicative hash: neighbouring ids land far apart.
    return timedelta(seconds=source_id * 2654435761 % seconds)
