"""A line item: what one charge of one day is, in whole numbers of 1e-10 USD."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import NamedTuple

PLACES = 10
UNIT = 10_000_000_000  # one USD


class View(StrEnum):
    """Support is one charge to the payer, or prorated over the accounts; every other line is in both views."""

    CONSOLIDATED = "consolidated"
    PRORATED = "prorated"


class Costs(NamedTuple):
    """The five cost metrics in 1e-10 USD."""

    unblended: int
    blended: int
    amortized: int
    net_unblended: int
    net_amortized: int


NOTHING = Costs(0, 0, 0, 0, 0)


class Line(NamedTuple):
    """One line item of a day. `arrives` is when it is first seen; None means that it grows in like usage."""

    account: str
    service: str
    region: str
    record_type: str
    usage_type: str
    costs: Costs
    quantity: int = 0
    arrives: datetime | None = None
    view: View | None = None  # None: in both
    tags: tuple[tuple[str, str], ...] = ()


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
