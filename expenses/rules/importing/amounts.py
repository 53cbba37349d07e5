"""Amounts as people and banks write them, read exactly. Never a float on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class DecimalSign(StrEnum):
    """What stands before the cents. The other sign, spaces and apostrophes then group thousands."""

    POINT = "."
    COMMA = ","


TITLES = {DecimalSign.POINT: "1,234.56", DecimalSign.COMMA: "1.234,56 or 1 234,56"}


class NotAnAmount(ValueError):
    """The text is no amount in this format; the message says so in plain words."""


@dataclass(frozen=True, slots=True)
class Amount:
    """`currency`: the code or sign that stands beside the figure; empty where there is none."""

    value: Decimal
    currency: str = ""


# Signs that mean one currency only; "$" and "kr" are used by many, and "¥" by two.
SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "₩": "KRW",
    "₪": "ILS",
    "₫": "VND",
    "฿": "THB",
    "₱": "PHP",
}
_SHARED = "$¥￥"
_MINUS = re.compile("[\N{MINUS SIGN}\N{EN DASH}\N{FULLWIDTH HYPHEN-MINUS}\N{HYPHEN}\N{NON-BREAKING HYPHEN}]")
_SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u205f\t]")
_BESIDE = re.compile(rf"(?P<code>[A-Za-z]{{3}})(?=[\s\d.,+-])|(?P<sign>[{''.join(SIGNS)}{_SHARED}])")
_LAST_CODE = re.compile(rf"(?:(?P<code>[A-Za-z]{{3}})|(?P<sign>[{''.join(SIGNS)}{_SHARED}]))$")
_LONGEST = 15  # digits before the cents


def _body(decimal: str, group: str) -> re.Pattern[str]:
    """Digits, grouped by one and the same sign or not at all. Groups of two are India's."""
    grouped = rf"\d{{1,3}}(?P<by>[{re.escape(group)} '’])(?:\d{{2,3}}(?P=by))*\d{{3}}"
    return re.compile(rf"(?P<whole>\d+|{grouped})?(?:{re.escape(decimal)}(?P<part>\d*))?")


_BODIES = {DecimalSign.POINT: _body(".", ","), DecimalSign.COMMA: _body(",", ".")}


def parse(text: str, decimal: DecimalSign) -> Amount:
    """The exact amount; negative for a minus before or behind it, and for parentheses. Raises NotAnAmount."""
    bare, currency, is_negative = _undressed(text)
    found = _BODIES[decimal].fullmatch(bare)
    if not found or not (found["whole"] or found["part"]):
        raise NotAnAmount(
            f"“{text.strip()[:40]}” is not an amount like {TITLES[decimal]}." if text.strip() else "The amount is missing."
        )
    whole = re.sub(r"\D", "", found["whole"] or "0")
    if len(whole.lstrip("0")) > _LONGEST:
        raise NotAnAmount("The amount is too large.")
    value = Decimal(f"{whole}.{found['part'] or '0'}")
    return Amount(-value if is_negative and value else value, currency)


def _undressed(text: str) -> tuple[str, str, bool]:
    """What is left without currency, sign and parentheses; the currency; whether it is negative."""
    rest = _MINUS.sub("-", _SPACES.sub(" ", text)).strip()
    is_negative = rest.startswith("(") and rest.endswith(")")
    rest = rest[1:-1].strip() if is_negative else rest
    rest, is_negative = _without_minus(rest, is_negative)
    rest, currency = _without_currency(rest)
    rest, is_negative = _without_minus(rest, is_negative)
    return rest, currency, is_negative


def _without_minus(text: str, is_negative: bool) -> tuple[str, bool]:
    if is_negative:
        return text, True
    if text.startswith("-") or text.endswith("-"):
        return text.removeprefix("-").removesuffix("-").strip() if text.count("-") == 1 else text, True
    return text.removeprefix("+").strip(), False


def _without_currency(text: str) -> tuple[str, str]:
    if found := _BESIDE.match(text):
        return text[found.end() :].strip(), _code(found)
    if found := _LAST_CODE.search(text):
        return text[: found.start()].strip(), _code(found)
    return text, ""


def _code(found: re.Match[str]) -> str:
    return found["code"].upper() if found["code"] else SIGNS.get(found["sign"], "")


def recognised(samples: Sequence[str], *, otherwise: DecimalSign = DecimalSign.POINT) -> DecimalSign:
    """What stands before the cents in most samples; `otherwise` where they do not tell."""
    votes = [_vote(_undressed(sample)[0]) for sample in samples]
    point, comma = votes.count(DecimalSign.POINT), votes.count(DecimalSign.COMMA)
    return otherwise if point == comma else DecimalSign.POINT if point > comma else DecimalSign.COMMA


def _vote(text: str) -> DecimalSign | None:
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return DecimalSign.POINT if text.rindex(".") > text.rindex(",") else DecimalSign.COMMA
    if points > 1 or commas > 1:  # what comes twice groups thousands
        return DecimalSign.COMMA if points else DecimalSign.POINT
    if not points and not commas:
        return None
    sign = "." if points else ","
    if len(text) - text.index(sign) - 1 == 3 and not text.startswith(f"0{sign}"):
        return None  # 1.234 may be either
    return DecimalSign(sign)
