"""What an instance costs in a month, estimated from the price list."""

from __future__ import annotations

from decimal import Decimal

HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts a month


def monthly(hourly: Decimal) -> Decimal:
    """A month's compute at the on-demand price, running all the time."""
    return (hourly * HOURS_A_MONTH).quantize(Decimal("0.01"))
