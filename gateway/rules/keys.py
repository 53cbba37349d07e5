"""What a key of another service is: how it is sent, what it may be called, and how it stands."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_NAME = 64
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
REMINDERS = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]| (?=[A-Za-z0-9])){0,63}")


class AuthScheme(StrEnum):
    """Where in a request the secret goes.

    BEARER: `Authorization: Bearer …`. HEADER: one header by a template. BASIC: name and password. QUERY: a parameter.
    HEADERS: several headers, each with a secret of its own. PATH: in the place of `{key}` in the base address.
    """

    BEARER = "bearer"
    HEADER = "header"
    BASIC = "basic"
    QUERY = "query"
    HEADERS = "headers"
    PATH = "path"


class Status(StrEnum):
    """UNBOUND: nobody has said which host it belongs to, so nothing is sent with it."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    UNBOUND = "unbound"


class WhenEmpty(StrEnum):
    """What happens to a request when the service has said that nothing is left of a limit."""

    WARN = "warn"
    HOLD = "hold"


def is_name(text: str) -> bool:
    """Whether it can stand in an address: letters, digits, dots, hyphens, underscores, and single spaces between them."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def status(*, enabled: bool, bound: bool, expires_at: datetime | None, now: datetime) -> Status:
    if not enabled:
        return Status.DISABLED
    if expires_at is not None and expires_at <= now:
        return Status.EXPIRED
    return Status.ACTIVE if bound else Status.UNBOUND


def reminder_due(expires_at: datetime, now: datetime) -> timedelta | None:
    """The nearest of REMINDERS that is reached; zero once the key has expired; None while that is far."""
    left = expires_at - now
    if left <= timedelta():
        return timedelta()
    return next((one for one in reversed(REMINDERS) if left <= one), None)
