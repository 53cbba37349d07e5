"""When two rows are the same purchase: exactly, or perhaps."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal

from rapidfuzz import fuzz

NEAR_DAYS = timedelta(days=3)
_NEAR_ENOUGH = 75.0
_WORD = re.compile(r"[^\W_]+")


def normal(name: str) -> str:
    """What spellings of one payee have in common: letters without accents and digits, in lower case."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return " ".join(_WORD.findall("".join(sign for sign in letters if not unicodedata.combining(sign))))


def fingerprint(*, method: str, day: date, amount: Decimal, currency: str, payee: str) -> str:
    """The same for two purchases that nothing tells apart. `payee`: the payee, or the description where there is none."""
    parts = (normal(method), day.isoformat(), f"{amount:.4f}", currency, normal(payee))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def similar(first: str, second: str) -> bool:
    """Whether two names may be one payee's. A missing name may be anybody's."""
    one, other = normal(first), normal(second)
    return not one or not other or fuzz.token_set_ratio(one, other) >= _NEAR_ENOUGH
