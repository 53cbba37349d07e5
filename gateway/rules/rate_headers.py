"""Windows out of header names: nearly every API writes a prefix, a part (limit, remaining, reset, …) and perhaps a group.

`X-RateLimit-Remaining-Tokens`, `Anthropic-RateLimit-Tokens-Remaining` and `X-RateLimit-Remaining-Minute` are the same sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from gateway.rules import reset_times
from gateway.rules.rate_windows import Dialect, Unit, Window
from gateway.rules.reset_times import Clock, Kind

_Any = TypeVar("_Any")

Headers = Mapping[str, Sequence[str]]  # names in lower case, values in the order they came

_PREFIXES = (
    "x-ratelimit",
    "x-rate-limit",
    "ratelimit",
    "anthropic-ratelimit",
    "x-hubspot-ratelimit",
    "x-contentful-ratelimit",
    "x-aircallapi",
    "x-cloudtalkapi",
    "x-toggl-quota",
)
_NAME = re.compile(rf"(?P<prefix>{'|'.join(_PREFIXES)})-(?P<rest>[a-z0-9_-]+)")
_REST = re.compile(
    r"(?:(?P<group>[a-z0-9_-]+?)-)?"
    r"(?P<part>reset-after|resets-in|resettime|reset|limit|remaining|used|observed|next|interval-seconds|interval-milliseconds)"
    r"(?:-(?P<suffix>[a-z0-9_-]+))?"
)
# HubSpot writes the limit's name where others write "limit".
_ALIASES = {
    "x-hubspot-ratelimit-max": "limit",
    "x-hubspot-ratelimit-daily": "daily-limit",
    "x-hubspot-ratelimit-secondly": "secondly-limit",
}
_PARTS = {"observed": "used", "resets-in": "reset", "resettime": "reset", "next": "reset"}
_ABOUT = ("resource", "bucket", "policy", "name", "scope")
_LENGTHS = {
    "second": 1,
    "secondly": 1,
    "minute": 60,
    "hour": 3600,
    "hourly": 3600,
    "day": 86_400,
    "daily": 86_400,
    "month": 30 * 86_400,
    "monthly": 30 * 86_400,
    "year": 365 * 86_400,
}
_UNITS = (
    ("token", Unit.TOKENS),
    ("byte", Unit.BYTES),
    ("concurren", Unit.CONCURRENT),
    ("credit", Unit.CREDITS),
    ("complexity", Unit.CREDITS),
)
_AMOUNT = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
_QUOTA = re.compile(r"(\d{1,15})\s*;(.*)")
_LENGTH = re.compile(r"(?:^|;)\s*(?:w|window)\s*=\s*\"?(\d{1,9})")


@dataclass
class Bucket:
    """The parts of one limit, each with its values."""

    prefix: str
    group: str
    parts: dict[str, Sequence[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    scope: str = ""
    label: str = ""

    @property
    def source(self) -> str:
        """The header that told what is left, else the one that told most."""
        told = (self.names.get(part) for part in ("remaining", "used", "limit", "reset-after", "reset"))
        return next((name for name in told if name), "")

    @property
    def unit(self) -> Unit:
        return unit_of(self.group)


def unit_of(name: str) -> Unit:
    """What is counted, by the name of the limit."""
    return next((unit for word, unit in _UNITS if word in name), Unit.REQUESTS)


def windows(headers: Headers, clock: Clock, kind: Kind, dialect: Dialect | None) -> Iterator[Window]:
    """Every window that such names tell. `dialect`: whose they are, where the API is known."""
    found = list(buckets(headers))
    lone = {bucket.prefix: bucket for bucket in found if not bucket.group and set(bucket.parts) <= {"reset", "reset-after"}}
    for bucket in found:
        if lone.get(bucket.prefix) is bucket and any(other.prefix == bucket.prefix and other.group for other in found):
            continue
        shared = lone.get(bucket.prefix)
        whole = _with_shared(bucket, shared) if shared else bucket
        yield from _windows_of(whole, clock, kind, dialect or _dialect(bucket, headers))


def _with_shared(bucket: Bucket, shared: Bucket) -> Bucket:
    """A reset that stands beside several limits is that of the empty one."""
    is_own = "reset" in bucket.parts or "reset-after" in bucket.parts
    is_empty = [amount_of(text) for text in bucket.parts.get("remaining", ())] == [0]
    return replace(bucket, parts={**bucket.parts, **shared.parts}) if is_empty and not is_own else bucket


def buckets(headers: Headers) -> list[Bucket]:
    """What belongs together, by prefix and group."""
    found: dict[tuple[str, str], Bucket] = {}
    about: dict[str, dict[str, str]] = {}
    for name, values in headers.items():
        split = _NAME.fullmatch(name)
        if not split:
            continue
        prefix, rest = split["prefix"], _ALIASES.get(name, split["rest"])
        if rest in _ABOUT:
            about.setdefault(prefix, {})[rest] = values[0][:120]
        elif part := _REST.fullmatch(rest):
            group = part["group"] or part["suffix"] or ""
            bucket = found.setdefault((prefix, group), Bucket(prefix, group))
            key = _PARTS.get(part["part"], part["part"])
            if part["part"] == key or key not in bucket.parts:
                bucket.parts[key], bucket.names[key] = values, name
    for bucket in found.values():
        told = about.get(bucket.prefix, {})
        bucket.label = told.get("resource") or told.get("bucket") or told.get("policy") or told.get("name") or ""
        bucket.scope = told.get("scope", "")
    return list(found.values())


def _windows_of(bucket: Bucket, clock: Clock, kind: Kind, dialect: Dialect) -> Iterator[Window]:
    policy = bucket.group or bucket.label
    seconds = _LENGTHS.get(bucket.group) or _interval(bucket)
    base = Window(dialect, bucket.source, bucket.unit, policy, bucket.scope, seconds=seconds)
    quotas = _quotas(bucket.parts.get("limit", ()))
    rows = _rows(bucket, clock, kind)
    for number, row in enumerate(rows):
        name = f"{policy} {number + 1}".strip() if len(rows) > 1 else policy
        length = seconds or _length_among(quotas, row.limit)
        yield replace(
            base, policy=name, limit=row.limit, remaining=row.remaining, used=row.used, reset_at=row.reset_at, seconds=length
        )
    told = {row.limit for row in rows}
    for limit, length in quotas:
        if limit not in told:
            yield replace(base, policy=f"{policy} {length} s".strip(), limit=limit, seconds=length)


@dataclass(frozen=True, slots=True)
class _Row:
    limit: int | None
    remaining: int | None
    used: int | None
    reset_at: datetime | None


def _rows(bucket: Bucket, clock: Clock, kind: Kind) -> list[_Row]:
    """One row, or one for each value where every part came equally often: two servers in a row each told theirs."""
    limits, left, used = (_amounts(bucket.parts.get(part, ()), part) for part in ("limit", "remaining", "used"))
    resets = _resets(bucket, clock, kind)
    lengths = {len(values) for values in (limits, left, used, resets) if values}
    count = lengths.pop() if len(lengths) == 1 else 1
    return [_Row(_nth(limits, n), _nth(left, n), _nth(used, n), _nth(resets, n)) for n in range(count)]


def _nth(values: Sequence[_Any], number: int) -> _Any | None:
    return values[number] if number < len(values) else None


def _amounts(values: Sequence[str], part: str) -> list[int | None]:
    """The numbers of a header, without the quotas listed beside them. What is left is rounded down, what is used up."""
    pieces = [piece.strip() for value in values for piece in value.split(",") if ";" not in piece]
    return [amount_of(piece, math.ceil if part == "used" else math.floor) for piece in pieces]


def amount_of(text: str, rounded: Callable[[float], int] = math.floor) -> int | None:
    """A number that can be an amount; None for a sentinel, nonsense, or more than anybody counts."""
    if not _AMOUNT.fullmatch(text):
        return None
    return rounded(float(text)) if "." in text else int(text)


def _resets(bucket: Bucket, clock: Clock, kind: Kind) -> list[datetime | None]:
    """What is told as a distance depends on no clock, and goes first."""
    if after := bucket.parts.get("reset-after"):
        return [reset_times.read(text, clock, Kind.DELTA_S if kind is Kind.BY_SIZE else kind) for text in _pieces(after)]
    return [reset_times.read(text, clock, kind) for text in _pieces(bucket.parts.get("reset", ()))]


def _pieces(values: Sequence[str]) -> list[str]:
    """Numbers may be a list, a date holds a comma of its own."""
    split = [piece.strip() for value in values for piece in value.split(",")]
    return split if all(piece[:1].isdigit() for piece in split) and len(split) > 1 else list(values)


def _quotas(values: Sequence[str]) -> list[tuple[int, int]]:
    """The limits listed with their lengths: `100, 100;window=60, 10000;window=86400`."""
    found = []
    for piece in (piece.strip() for value in values for piece in value.split(",")):
        quota = _QUOTA.fullmatch(piece)
        length = _LENGTH.search(quota[2]) if quota else None
        if quota and length:
            found.append((int(quota[1]), int(length[1])))
    return found


def _length_among(quotas: Sequence[tuple[int, int]], limit: int | None) -> int | None:
    return next((length for amount, length in quotas if amount == limit), None)


def _interval(bucket: Bucket) -> int | None:
    for part, divisor in (("interval-seconds", 1), ("interval-milliseconds", 1000)):
        amount = amount_of(next(iter(bucket.parts.get(part, ())), ""))
        if amount:
            return max(1, amount // divisor)
    return None


# --- whose they are

_BY_PREFIX = {
    "anthropic-ratelimit": Dialect.ANTHROPIC,
    "x-hubspot-ratelimit": Dialect.HUBSPOT,
    "x-contentful-ratelimit": Dialect.CONTENTFUL,
    "x-aircallapi": Dialect.AIRCALL,
    "x-cloudtalkapi": Dialect.CLOUDTALK,
    "x-toggl-quota": Dialect.TOGGL,
    "x-rate-limit": Dialect.X_RATE_LIMIT,
}


def _dialect(bucket: Bucket, headers: Headers) -> Dialect:
    """By what only one of them writes; GENERIC where several write the same."""
    if bucket.prefix in _BY_PREFIX:
        return _BY_PREFIX[bucket.prefix]
    reset = next(iter(bucket.parts.get("reset", ())), "")
    if bucket.prefix == "ratelimit":
        return Dialect.GITLAB if reset_times.is_epoch(reset) else Dialect.IETF_06
    return _by_group(bucket, reset) or _by_parts(bucket, headers, reset) or _by_reset(reset) or Dialect.GENERIC


def _by_group(bucket: Bucket, reset: str) -> Dialect | None:
    if bucket.group in _LENGTHS:
        return Dialect.KONG
    if bucket.unit is not Unit.TOKENS and "request" not in bucket.group and "complexity" not in bucket.group:
        return None
    if reset_times.is_epoch_ms(reset):
        return Dialect.LINEAR
    return Dialect.AZURE_OPENAI if reset.isdecimal() else Dialect.OPENAI


def _by_parts(bucket: Bucket, headers: Headers, reset: str) -> Dialect | None:
    if "x-github-request-id" in headers or "x-ratelimit-resource" in headers:
        return Dialect.GITHUB
    if "reset-after" in bucket.parts or "x-ratelimit-bucket" in headers:
        return Dialect.DISCORD
    if "x-ratelimit-next" in headers:
        return Dialect.AKAMAI
    if _quotas(bucket.parts.get("limit", ())):
        return Dialect.WHOOP
    is_short = "limit" not in bucket.parts and "used" in bucket.parts
    return Dialect.REDDIT if is_short and not reset_times.is_epoch(reset) else None


def _by_reset(reset: str) -> Dialect | None:
    if "GMT" in reset and "," not in reset:
        return Dialect.LEMLIST
    if reset.endswith("Z") and len(reset) == 17:
        return Dialect.ATLASSIAN
    if reset_times.is_epoch_ms(reset):
        return Dialect.OPENROUTER
    return Dialect.VIMEO if reset_times.date_of(reset) else None
