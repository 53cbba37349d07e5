"""What becomes of a recommendation: when a dismissed one comes back, and what it means that one no longer holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from costs.rules.findings import BY_AWS, KINDS

# A dismissed one comes back when it is worth so much more than when it was dismissed: by share, and in units of money.
GROWN_BY = Decimal("0.20")
GROWN_AT_LEAST = Decimal(1)


class Status(StrEnum):
    OPEN = "open"
    DISMISSED = "dismissed"
    FIXED = "fixed"
    GONE = "gone"  # it no longer holds, without anything having been saved


@dataclass(frozen=True, slots=True)
class Dismissal:
    """What was dismissed, and for how long; `until` None: until it changes materially."""

    kind: str
    amount: Decimal | None
    currency: str
    until: datetime | None


def comes_back(dismissed: Dismissal, kind: str, amount: Decimal | None, currency: str, now: datetime) -> bool:
    """Whether what is found now is more than what somebody decided about."""
    if dismissed.until is not None and now >= dismissed.until:
        return True
    if kind != dismissed.kind or (amount is not None and currency != dismissed.currency and dismissed.amount is not None):
        return True
    if amount is None or dismissed.amount is None:
        return False  # a price that became known, or was lost, is no other state of things
    grown = amount - dismissed.amount
    return grown >= GROWN_AT_LEAST and grown >= dismissed.amount * GROWN_BY


def ended(kind: str, *, still_there: bool) -> Status:
    """What it means that a complete answer no longer shows it: the thing is gone, was changed, or is in use again."""
    known = KINDS.get(kind)
    if kind == BY_AWS:  # AWS does not tell why it no longer recommends something
        return Status.GONE
    if not still_there:
        return Status.FIXED
    return Status.FIXED if known is not None and known.clears else Status.GONE
