"""What an answer means for a message, and when the next try is."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

MOST_ATTEMPTS = 8  # over about an hour, or longer where the receiver asks for it
_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)
_LONGEST_ASKED = timedelta(days=1)
_JITTER = 0.2


class Verdict(StrEnum):
    """SENT: it has arrived. AGAIN: it has not, later it may. NEVER: it has not, and will not. UNKNOWN: nobody can tell."""

    SENT = "sent"
    AGAIN = "again"
    NEVER = "never"
    UNKNOWN = "unknown"


def of_status(status: int) -> Verdict:
    """What an HTTP status says of a message."""
    if 200 <= status < 300:
        return Verdict.SENT
    return Verdict.AGAIN if status in (408, 425, 429) or 500 <= status < 600 else Verdict.NEVER


def pause(attempts: int, seed: str, asked: timedelta | None = None) -> timedelta:
    """How long to wait after so many attempts: doubling, spread by up to a fifth, and never less than the receiver asked."""
    share = zlib.crc32(f"{seed}:{attempts}".encode()) / 2**32
    doubled: timedelta = min(_LONGEST, _FIRST * 2 ** min(max(attempts - 1, 0), 10))
    own = doubled * (1 - _JITTER + 2 * _JITTER * share)
    return max(own, asked or timedelta())


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for (RFC 9110, 10.2.3: seconds or an HTTP date), at most a day; None when unreadable."""
    text = (header or "").strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return min(timedelta(seconds=int(text)), _LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), _LONGEST_ASKED)
