"""Amounts as text for programs: every digit that matters, no exponent, no trailing zeros."""

from __future__ import annotations

from decimal import Decimal

from cloudconsole.core.money import EXACT


def plain(amount: Decimal) -> str:
    """`Decimal("12.500000000000")` → "12.5"; the same text on every database."""
    text = f"{EXACT.normalize(amount):f}"
    return "0" if text == "-0" else text
