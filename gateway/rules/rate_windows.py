"""How much of a limit is left: one window as an API told it, how long that is true, and which window runs out first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A window without a reset and without a length is believed for so long.
BELIEVED_FOR = timedelta(hours=1)
_FIRST_PAUSE_S = 30
_LONGEST_PAUSE_S = 900


class Unit(StrEnum):
    """What a window counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    BYTES = "bytes"
    CONCURRENT = "concurrent"
    CREDITS = "credits"


class Dialect(StrEnum):
    """Whose way of telling a limit was read."""

    IETF_10 = "ietf_draft_10"
    IETF_07 = "ietf_draft_07"
    IETF_06 = "ietf_draft_06"
    RETRY_AFTER = "retry_after"
    GITHUB = "github"
    OPENAI = "openai"
    AZURE_OPENAI = "azure_openai"
    ANTHROPIC = "anthropic"
    STRIPE = "stripe"
    X_RATE_LIMIT = "x_rate_limit"
    GITLAB = "gitlab"
    REDDIT = "reddit"
    DISCORD = "discord"
    LINEAR = "linear"
    OPENROUTER = "openrouter"
    ATLASSIAN = "atlassian"
    AKAMAI = "akamai"
    VIMEO = "vimeo"
    LEMLIST = "lemlist"
    PRISJAKT = "prisjakt"
    WHOOP = "whoop"
    KONG = "kong"
    SHOPIFY = "shopify"
    HUBSPOT = "hubspot"
    AIRCALL = "aircall"
    CLOUDTALK = "cloudtalk"
    TOGGL = "toggl"
    CONTENTFUL = "contentful"
    GENERIC = "generic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Window:
    """What one answer told of one limit. Numbers are whole units, rounded to the careful side; unknown is None.

    `policy` names the limit among those of the same API ("" for the only one), `scope` whom it is counted for,
    `source` is the header that told it, `seconds` the window's length, `reset_at` by our own clock.
    """

    dialect: Dialect
    source: str
    unit: Unit = Unit.REQUESTS
    policy: str = ""
    scope: str = ""
    limit: int | None = None
    remaining: int | None = None
    used: int | None = None
    reset_at: datetime | None = None
    seconds: int | None = None

    @property
    def is_told(self) -> bool:
        """Whether it says anything of an amount."""
        return self.limit is not None or self.remaining is not None or self.used is not None

    @property
    def is_empty(self) -> bool:
        return self.remaining == 0


@dataclass(frozen=True, slots=True)
class Empty:
    """A window that has nothing left until `reset_at`."""

    policy: str
    unit: Unit
    reset_at: datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """What was left at a moment."""

    at: datetime
    remaining: int


def believed_until(window: Window, observed_at: datetime) -> datetime:
    """From when on nothing is known of it: its reset, else the end of its length, else an hour after it was told."""
    if window.reset_at is not None:
        return window.reset_at
    return observed_at + (timedelta(seconds=window.seconds) if window.seconds else BELIEVED_FOR)


def remaining_of(limit: int | None, remaining: int | None, used: int | None) -> int | None:
    """What is left, also where only the limit and what is used were told."""
    if remaining is not None or limit is None or used is None:
        return remaining
    return max(0, limit - used)


def share_left(limit: int | None, remaining: int | None) -> float | None:
    """Between 0 and 1; None where it cannot be told."""
    if remaining == 0:
        return 0.0
    if not limit or remaining is None:
        return None
    return min(1.0, remaining / limit)


def runs_out_at(samples: Sequence[Sample], reset_at: datetime | None) -> datetime | None:
    """When nothing is left at the pace of `samples` (one window's, oldest first). None: not before its reset, or unknown."""
    falling = _since_last_rise(samples)
    if len(falling) < 2:
        return None
    first, last = falling[0], falling[-1]
    spent, passed = first.remaining - last.remaining, (last.at - first.at).total_seconds()
    if spent <= 0 or passed <= 0:
        return None
    seconds = last.remaining * passed / spent
    if seconds > timedelta(days=366).total_seconds():
        return None
    end = last.at + timedelta(seconds=seconds)
    return end if reset_at is None or end < reset_at else None


def after(moment: datetime, seconds: int) -> datetime:
    return moment + timedelta(seconds=seconds)


def next_reset(reset_at: datetime, seconds: int, now: datetime) -> datetime:
    """The first moment after `now` at which a window of this length, filled up at `reset_at`, is filled up again."""
    if reset_at > now:
        return reset_at
    return reset_at + timedelta(seconds=seconds * (int((now - reset_at).total_seconds() // seconds) + 1))


def _since_last_rise(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Those since the window was filled up last."""
    start = 0
    for index in range(1, len(samples)):
        if samples[index].remaining > samples[index - 1].remaining:
            start = index
    return samples[start:]


def pause_s(refusals: int) -> int:
    """Seconds to wait after so many refusals in a row (1 or more) that did not say how long."""
    return int(min(_FIRST_PAUSE_S * 2 ** min(refusals - 1, 10), _LONGEST_PAUSE_S))


def last_reset(windows: Iterable[Empty], now: datetime) -> Empty | None:
    """The empty window that stays empty longest after `now`; None where nothing has to be waited for."""
    waiting = [window for window in windows if window.reset_at > now]
    return max(waiting, key=lambda window: window.reset_at, default=None)
