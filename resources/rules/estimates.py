"""What an instance costs in a month, estimated from the price list."""

from __future__ import annotations

from decimal import Decimal

HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts a month


def monthly(hourly: Decimal, *, share: Decimal = Decimal(1)) -> Decimal:
    """A month's compute at the on-demand price, running `share` (0 to 1) of the time."""
    return (hourly * HOURS_A_MONTH * share).quantize(Decimal("0.01"))
