"""Currencies of ISO 4217, and the amounts that exist in them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

from iso4217 import Currency

# Below a million million: hundreds of such amounts still add up within eight bytes of ten-thousandths.
MAX_COST = Decimal("999999999999.9999")

# What the standard lists without minor units (gold, drawing rights, test codes) is no money that people spend.
EXPONENTS: dict[str, int] = {one.code: one.exponent for one in Currency if one.exponent is not None}


class NotAnAmount(ValueError):
    """One plain sentence says why."""


def exponent(currency: str) -> int:
    """How many decimal places the currency has: 2 for USD, 0 for JPY, 3 for KWD. Raises NotAnAmount."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise NotAnAmount(f"“{currency[:10]}” is no currency of ISO 4217.") from None


def smallest(currency: str) -> Decimal:
    return Decimal(1).scaleb(-exponent(currency))


def amount_of(given: Decimal | str, currency: str) -> Decimal:
    """The amount, with the places its currency has. Nothing is rounded: half a yen raises NotAnAmount."""
    places = exponent(currency)
    try:
        amount = Decimal(given)
    except InvalidOperation:
        raise NotAnAmount(f"“{given!s:.30}” is not a number.") from None
    if not amount.is_finite() or not -MAX_COST <= amount <= MAX_COST:
        raise NotAnAmount(f"An amount lies between −{MAX_COST:,.0f} and {MAX_COST:,.0f}.")
    if amount != amount.quantize(smallest(currency), rounding=ROUND_DOWN):
        raise NotAnAmount(
            f"{currency} has no more than {places} decimal places." if places else f"{currency} has no decimal places."
        )
    return amount.quantize(smallest(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the places of the currency, half away from zero: for averages and shares, never for what was spent."""
    return amount.quantize(smallest(currency), rounding=ROUND_HALF_UP)


def shares(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """`amount` divided by `weights` (none negative, not all zero), by the largest remainder: the parts add up exactly.

    100.00 USD by 1, 1, 1 → 33.34, 33.33, 33.33. Of equal remainders the earlier part gets the smallest unit first.
    """
    fractions = [Fraction(weight) for weight in weights]
    whole = sum(fractions)
    if whole <= 0 or min(fractions) < 0:
        raise NotAnAmount("Shares are positive.")
    unit = smallest(currency)
    units = int(abs(amount) / unit)
    exact = [units * one / whole for one in fractions]
    parts = [int(one) for one in exact]
    largest = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for at in largest[: units - sum(parts)]:
        parts[at] += 1
    sign = -1 if amount < 0 else 1
    return [sign * part * unit for part in parts]
