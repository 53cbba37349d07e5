"""How figures read: money, shares, deltas, durations. Pure text, no markup; English conventions on every page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

UNKNOWN = "—"
MINUS = "−"

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "AUD": "A$", "CAD": "CA$", "BRL": "R$"}
_WHOLE_UNITS = frozenset({"JPY", "KRW", "CLP", "VND", "ISK"})  # ISO 4217: no minor unit
_STEPS = (("day", 86400), ("hr.", 3600), ("min.", 60))


def money(amount: Decimal, currency: str, *, places: int | None = None) -> str:
    """`12904.18`, "USD" → "$12,904.18". An amount too small to show is "<$0.01", never a plain zero."""
    digits = _places(currency) if places is None else places
    smallest = _smallest(digits)
    rounded = abs(amount).quantize(smallest, rounding=ROUND_HALF_EVEN)
    tiny = amount != 0 and rounded == 0
    sign = MINUS if amount < 0 else ""
    return f"{'<' if tiny else ''}{sign}{_prefix(currency)}{(smallest if tiny else rounded):,f}"


def exact(amount: Decimal, currency: str) -> str:
    """Every digit that is known, for the reader who hovers: "12904.182733 USD"."""
    text = f"{amount:,f}"
    if "." in text:
        whole, _, part = text.rstrip("0").partition(".")
        text = f"{whole}.{part.ljust(_places(currency), '0')}".rstrip(".")
    return f"{text.replace('-', MINUS)} {currency}".strip()


def count(amount: Decimal) -> str:
    """What is counted rather than paid, thousands apart and no needless digits: "1,234,567", "0.25"."""
    text = f"{amount.quantize(Decimal(1) if abs(amount) >= 1000 else Decimal('0.001')):,f}".replace("-", MINUS)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: Decimal, *, places: int = 1) -> str:
    """`Decimal("0.062")` → "6.2 %"."""
    return f"{abs(share) * 100:,.{places}f} %"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the words that `frame.js` goes on counting with."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 45:
        return "just now" if seconds >= 0 else "in a moment"
    for unit, size in _STEPS:
        if abs(seconds) >= size or unit == "min.":
            count = max(1, round(abs(seconds) / size))
            words = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    raise AssertionError("the last step matches")


def duration(length: timedelta) -> str:
    """`timedelta(seconds=75)` → "1 min 15 s"."""
    seconds = length.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest if not hours else 0, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def span(length: timedelta) -> str:
    """A long time by its two largest units: `timedelta(days=29, hours=4, minutes=3)` → "29 d 4 h"."""
    minutes = int(length.total_seconds()) // 60
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def day(value: date) -> str:
    """`date(2026, 11, 9)` → "9 Nov 2026"."""
    return f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """Both included, and no year or day twice: "29 Dec 2025 – 4 Jan 2026", "9 Nov – 12 Nov 2026", "9 Nov 2026"."""
    if first == last:
        return day(first)
    begin = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{begin} – {day(last)}"


def account_number(number: str) -> str:
    """Twelve digits in groups of four, as people read them aloud: "4111 1111 1111"."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


@cache
def _smallest(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def _places(currency: str) -> int:
    return 0 if currency in _WHOLE_UNITS else 2


def _prefix(currency: str) -> str:
    return _SYMBOLS.get(currency, f"{currency} " if currency else "")
