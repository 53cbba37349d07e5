"""When a request may be sent once more, and when an answer leads elsewhere."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING = frozenset({429, 502, 503, 504})
MOST_HOPS = 5
LONGEST_PAUSE_S = 20.0
_FIRST_PAUSE_S = 0.25
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)


def may_repeat(method: str, header_names: frozenset[str]) -> bool:
    """Whether sending it twice does no more than sending it once."""
    return method in IDEMPOTENT or "idempotency-key" in header_names


def pause(retry_after: str, attempt: int, now: datetime, jitter: float) -> float:
    """Seconds until the next attempt: what the other side says, or twice as long each time. `jitter` is from 0 to 1."""
    said = retry_after_s(retry_after, now)
    return _FIRST_PAUSE_S * 2**attempt * (0.5 + jitter / 2) if said is None else said


def retry_after_s(text: str, now: datetime) -> float | None:
    """Retry-After in seconds, of either form; None where it says nothing."""
    given = text.strip()
    if _SECONDS.fullmatch(given):
        return float(given)
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or now.tzinfo) - now).total_seconds())


def is_redirect(status: int, location: str) -> bool:
    return status in _REDIRECTS and bool(location)


def next_method(status: int, method: str) -> str:
    """How a redirect is asked: as browsers do it, a POST becomes a GET but for 307 and 308."""
    if status == 303 and method != "HEAD":
        return "GET"
    return "GET" if status in (301, 302) and method == "POST" else method


def next_url(url: str, location: str) -> str:
    """Where it leads, without its fragment. What comes out is read and judged like any other address."""
    try:
        return urljoin(url, location.strip()).partition("#")[0]
    except ValueError:  # it is no address at all
        return location
