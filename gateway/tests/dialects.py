"""Answers as APIs give them, and what is to be read from each: one row for every way of telling a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.rules.rate_windows import Dialect, Unit

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
EPOCH = int(AT.timestamp())


@dataclass(frozen=True)
class Told:
    """A window; `reset` is in seconds after AT."""

    limit: int | None = None
    remaining: int | None = None
    used: int | None = None
    reset: float | None = None
    unit: Unit = Unit.REQUESTS
    policy: str = ""
    seconds: int | None = None
    scope: str = ""


@dataclass(frozen=True)
class Case:
    """`headers` as `Name: value` lines; `preset` or `named` where the API is known beforehand."""

    dialect: Dialect
    headers: str
    windows: tuple[Told, ...]
    status: int = 200
    named: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        pairs = (line.strip().partition(":") for line in self.headers.strip().splitlines())
        return [(name, value.strip()) for name, _, value in pairs]


CASES: Mapping[str, Case] = {
    "ietf draft 10": Case(
        Dialect.IETF_10,
        """
        RateLimit: "default";r=50;t=30
        RateLimit-Policy: "default";q=100;w=60
        """,
        (Told(100, 50, reset=30, policy="default", seconds=60),),
    ),
    "ietf draft 10, over several lines, with policies of which nothing is told": Case(
        Dialect.IETF_10,
        """
        RateLimit: "burst";r=9;t=12
        RateLimit: "daily";r=998;t=3600
        RateLimit-Policy: "burst";q=100;w=60,"daily";q=1000;w=86400;qu="content-bytes";pk=:dXNlcg==:
        RateLimit-Policy: "parallel";q=5;qu="concurrent-requests"
        """,
        (
            Told(100, 9, reset=12, policy="burst", seconds=60),
            Told(1000, 998, reset=3600, policy="daily", seconds=86_400, unit=Unit.BYTES, scope="dXNlcg=="),
            Told(5, policy="parallel", unit=Unit.CONCURRENT),
        ),
    ),
    "ietf draft 7": Case(
        Dialect.IETF_07,
        """
        RateLimit: limit=100, remaining=50, reset=30
        RateLimit-Policy: 100;w=60
        """,
        (Told(100, 50, reset=30, seconds=60),),
    ),
    "ietf draft 6": Case(
        Dialect.IETF_06,
        """
        RateLimit-Limit: 100
        RateLimit-Remaining: 50
        RateLimit-Reset: 30
        """,
        (Told(100, 50, reset=30),),
    ),
    "ietf draft 6, with its policy in the limit": Case(
        Dialect.IETF_06,
        """
        RateLimit-Limit: 100, 100;w=60
        RateLimit-Remaining: 50
        RateLimit-Reset: 30
        """,
        (Told(100, 50, reset=30, seconds=60),),
    ),
    "two servers in a row": Case(
        Dialect.GENERIC,
        """
        X-RateLimit-Limit: 100
        X-RateLimit-Limit: 1000
        X-RateLimit-Remaining: 7
        X-RateLimit-Remaining: 900
        X-RateLimit-Reset: 10
        X-RateLimit-Reset: 3600
        """,
        (Told(100, 7, reset=10, policy="1"), Told(1000, 900, reset=3600, policy="2")),
    ),
    "a refusal with seconds": Case(Dialect.RETRY_AFTER, "Retry-After: 120", (Told(remaining=0, reset=120, policy="pause"),), 429),
    "a refusal with a date": Case(
        Dialect.RETRY_AFTER, "Retry-After: Sat, 28 Nov 2026 12:02:00 GMT", (Told(remaining=0, reset=120, policy="pause"),), 429
    ),
    "a refusal with a date as it was written once": Case(
        Dialect.RETRY_AFTER, "Retry-After: Saturday, 28-Nov-26 12:02:00 GMT", (Told(remaining=0, reset=120, policy="pause"),), 429
    ),
    "a refusal with a date of C": Case(
        Dialect.RETRY_AFTER, "Retry-After: Sat Nov 28 12:02:00 2026", (Told(remaining=0, reset=120, policy="pause"),), 429
    ),
    "a refusal without a word": Case(Dialect.RETRY_AFTER, "Server: x", (Told(remaining=0, reset=30, policy="pause"),), 429),
    "forbidden is no limit": Case(Dialect.GENERIC, "Server: x", (), 403),
    "an outage is no limit": Case(Dialect.GENERIC, "Retry-After: 120", (), 503),
}
