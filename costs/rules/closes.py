"""When a month is closed, and the digest that proves that its figures are the ones that were frozen.

Invoices are final by about the 10th; the month is frozen from the 11th on (UTC), from figures that were fetched then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from costs.rules.amounts import plain
from costs.rules.cubes import Cube
from costs.rules.windows import PREVIOUS_MONTH_MOVES_UNTIL, first_of_month, month_of

# What is frozen: what every refresh asks for. Usage types have a pace of their own and tell nothing that these do not add up to.
FROZEN = (
    Cube.TOTAL,
    Cube.SERVICE_RECORD_TYPE,
    Cube.ACCOUNT_SERVICE,
    Cube.REGION_SERVICE,
    Cube.ACCOUNT_RECORD_TYPE,
)


class Fact(NamedTuple):
    """One daily cost in AWS's own words; a control total has no keys. `amounts` in the order of the metrics."""

    day: date
    cube: int
    first: str
    second: str
    currency: str
    amounts: tuple[Decimal, ...]


def digest(facts: Iterable[Fact]) -> str:
    """SHA-256 over the facts, whatever order they come in, whatever ids and trailing zeros the database gives them."""
    found = hashlib.sha256()
    for line in sorted(map(_line, facts)):
        found.update(line.encode())
    return found.hexdigest()


def _line(fact: Fact) -> str:
    keys = [fact.day.isoformat(), str(fact.cube), fact.first, fact.second, fact.currency, *map(plain, fact.amounts)]
    return "".join(f"{len(key)}:{key}" for key in keys) + "\n"


@dataclass(frozen=True, slots=True)
class Stored:
    """How far one cube of a month is stored. `oldest`: when the first of its days was fetched."""

    days: int
    oldest: datetime


def closes_on(month: date) -> date:
    """The first day on which `month` is frozen."""
    return first_of_month(month, months=1) + timedelta(days=PREVIOUS_MONTH_MOVES_UNTIL)


def due(today: date) -> date:
    """The newest month that may be frozen."""
    last = first_of_month(today, months=-1)
    return last if closes_on(last) <= today else first_of_month(last, months=-1)


def why_not(month: date, today: date, stored: Mapping[int, Stored], *, is_being_fetched: bool) -> str:
    """Why the month is not frozen yet; empty where nothing is in the way."""
    opens = closes_on(month)
    if today < opens:
        return f"It closes on {opens.day} {opens:%B %Y}: AWS still changes it until then."
    if is_being_fetched:
        return "It waits for the run that fetches costs now."
    return _missing(month, stored) or _early(opens, stored.values())


def _missing(month: date, stored: Mapping[int, Stored]) -> str:
    whole = month_of(month).days
    for cube in FROZEN:
        days = stored[cube].days if cube in stored else 0
        if days < whole:
            return f"{whole - days} of {whole} days are not stored of “{cube.title}”."
    return ""


def _early(opens: date, stored: Iterable[Stored]) -> str:
    oldest = min(one.oldest for one in stored)
    if oldest >= datetime.combine(opens, time(), UTC):
        return ""
    return f"Some of it was last fetched on {oldest.day} {oldest:%B}: it closes once all of it was fetched after the 10th."
