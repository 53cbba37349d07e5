"""How many paid requests tags take, and which of them are asked on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from math import ceil

# On an average day of a month (365.25 / 12).
_DAYS_A_MONTH = Decimal("30.4375")
# A single account's day has room for these besides its refresh and its usage types.
SINGLE_DAILY_TAGS = 3


def questions_of(*, by_account: bool, single: bool) -> int:
    """For one key: its costs by service, and a payer's by account. A single account's follow from those by service."""
    return 2 if by_account and not single else 1


def due(asked_on: Mapping[int, date | None], today: date, *, single: bool) -> list[int]:
    """The tag cubes to ask today, of those last asked on `asked_on` (by number; None: never).

    Each is asked once a day at most. Of a single account only as many as its day has room for: those that waited longest.
    """
    waiting = [cube for cube, last in asked_on.items() if last is None or last < today]
    oldest = sorted(waiting, key=lambda cube: (asked_on[cube] or date.min, cube))
    if not single:
        return sorted(oldest)
    room = SINGLE_DAILY_TAGS - sum(last is not None and last >= today for last in asked_on.values())
    return sorted(oldest[: max(0, room)])


def monthly(questions: int, *, single: bool) -> int:
    """Requests of a month of daily refreshes, rounded up, if every answer has one page."""
    daily = min(questions, SINGLE_DAILY_TAGS) if single else questions
    return ceil(daily * _DAYS_A_MONTH)
