"""The one place that reads the clock. Everything is UTC; a billing day is a date, never a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> datetime:
    """The current moment, timezone-aware in UTC."""
    return datetime.now(UTC)


def month_start() -> datetime:
    """The first moment of the current calendar month (UTC)."""
    return now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def today() -> date:
    """The current billing day (UTC)."""
    return now().date()
