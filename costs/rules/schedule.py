"""When a source is asked again. AWS updates billing data about three times a day."""

from __future__ import annotations

from datetime import datetime, timedelta

EVERY = timedelta(hours=8)
# Refreshes of many sources spread over this time, each source always at its own place in it.
_SPREAD = timedelta(hours=1)
# Two refreshes missed: the figures are old enough to say so.
STALE_AFTER = timedelta(hours=20)


def next_refresh(source_id: int, ended_at: datetime) -> datetime:
    """The moment of the source's next refresh after one that ended at `ended_at`."""
    return ended_at + EVERY + _jitter(source_id)


def is_stale(fresh_at: datetime, now: datetime) -> bool:
    return now - fresh_at > STALE_AFTER


def _jitter(source_id: int) -> timedelta:
    seconds = int(_SPREAD.total_seconds())
    # Knuth's multiplicative hash: neighbouring ids land far apart.
    return timedelta(seconds=source_id * 2654435761 % seconds)
