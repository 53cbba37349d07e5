"""When a limit is filled up again, out of what APIs write there: seconds, epochs, durations and dates of many kinds.

Everything ends up by our own clock: a moment that the server tells is moved by how far its `Date` is from ours, and an
answer out of a cache counts from when it was made. What is negative, no number, or further than a year away is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import StrEnum

_YEAR = timedelta(days=366)
_DAY = timedelta(days=1)
# A Date has whole seconds and travels: less than that is no difference of clocks.
_NO_SKEW = timedelta(seconds=3)
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,19})?")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|µs|μs|ns|h|m|s|d))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|μs|ns|h|m|s|d)")
_SECONDS_OF = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What JavaScript's Date writes: "Tue Feb 16 2021 09:02:42 GMT+0100 (Central European Standard Time)".
_JS_DATE = re.compile(
    r"[A-Za-z]{3} ([A-Za-z]{3}) (\d{1,2}) (\d{4}) (\d{2}):(\d{2}):(\d{2})(?: (?:GMT|UTC)([+-]\d{2}):?(\d{2}))?(?: \([^)]*\))?"
)
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,9}))?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?", re.IGNORECASE
)


class Kind(StrEnum):
    """What a number means."""

    BY_SIZE = "by_size"
    DELTA_S = "delta_s"
    DELTA_MS = "delta_ms"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"


@dataclass(frozen=True, slots=True)
class Clock:
    """`at`: when the answer came, by our clock; `made_at`: when it was made, by ours; `skew`: what the server's is ahead."""

    at: datetime
    made_at: datetime
    skew: timedelta

    @classmethod
    def of(cls, at: datetime, headers: Mapping[str, Sequence[str]]) -> Clock:
        """Reads `date` and `age`; names are in lower case."""
        age = _number(next(iter(headers.get("age", ())), ""))
        made_at = at - timedelta(seconds=age) if age is not None and age < _DAY.total_seconds() else at
        told = _http_date(next(iter(headers.get("date", ())), ""))
        skew = told - made_at if told else timedelta()
        return cls(at, made_at, skew if _NO_SKEW < abs(skew) <= _DAY else timedelta())

    def after(self, seconds: float) -> datetime | None:
        return self._sane(self.made_at + timedelta(seconds=seconds)) if seconds <= _YEAR.total_seconds() else None

    def moment(self, told: datetime) -> datetime | None:
        """A moment of the server's clock."""
        try:
            return self._sane(told - self.skew)
        except OverflowError:  # at an end of time there is no day further on
            return None

    def _sane(self, moment: datetime) -> datetime | None:
        return moment if -_DAY <= moment - self.at <= _YEAR else None


def read(text: str, clock: Clock, kind: Kind = Kind.BY_SIZE) -> datetime | None:
    """The moment that `text` names, whatever of the known ways it is written in; None where it is none of them."""
    text = text.strip()
    if (number := _number(text)) is not None:
        return _of_number(number, clock, kind)
    if (seconds := duration_s(text)) is not None:
        return clock.after(seconds)
    told = date_of(text)
    return clock.moment(told) if told else None


def duration_s(text: str) -> float | None:
    """Seconds of a duration as Go writes it: `6m0s`, `1h2m3s`, `12ms`, `7.66s`."""
    if len(text) > 64 or not _DURATION.fullmatch(text):
        return None
    return sum(float(amount) * _SECONDS_OF[unit] for amount, unit in _DURATION_PART.findall(text))


def date_of(text: str) -> datetime | None:
    """A date of HTTP (all three forms), ISO 8601 or JavaScript. One without a zone is in UTC."""
    if len(text) > 128:
        return None
    return _iso(text) or _js_date(text) or _http_date(text)


def is_epoch(text: str) -> bool:
    """Whether a number is so large that it can only be a moment."""
    number = _number(text.strip())
    return number is not None and number >= 1e9


def is_epoch_ms(text: str) -> bool:
    number = _number(text.strip())
    return number is not None and number >= 1e11


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _of_number(number: float, clock: Clock, kind: Kind) -> datetime | None:
    if kind is Kind.BY_SIZE:
        return clock.after(number) if number < 1e9 else _epoch(number / _divisor(number), clock)
    if kind in (Kind.DELTA_S, Kind.DELTA_MS):
        return clock.after(number / (1000 if kind is Kind.DELTA_MS else 1))
    return _epoch(number / (1000 if kind is Kind.EPOCH_MS else 1), clock)


def _divisor(number: float) -> int:
    """Into seconds: of an epoch in microseconds, milliseconds or seconds, of which the size tells which."""
    if number >= 1e14:
        return 1_000_000
    return 1000 if number >= 1e11 else 1


def _epoch(seconds: float, clock: Clock) -> datetime | None:
    if seconds > 32_503_680_000:  # the year 3000
        return None
    return clock.moment(datetime.fromtimestamp(seconds, UTC))


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day, minute, second, fraction, zone = found.groups()
    digits = (fraction or "0")[:6].ljust(6, "0")
    try:
        told = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}.{digits}")
        return told.replace(tzinfo=_zone(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if not text or text.upper() in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _js_date(text: str) -> datetime | None:
    """The library's reader of mail dates would lose the zone, and be hours wrong."""
    found = _JS_DATE.fullmatch(text)
    if not found or found[1].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found[1].lower()) + 1
    day, year, hour, minute, second = (int(found[index]) for index in range(2, 7))
    try:
        zone = _zone(f"{found[7]}{found[8]}" if found[7] else None)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _http_date(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
