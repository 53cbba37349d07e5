"""Whom an alert concerns, and when it may be said: routes by kind and severity, quiet hours and digests in a time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from accounts.alerts import Severity

EVERY_KIND = ""
NEVER = "never"

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Digest(StrEnum):
    """How often a channel may speak."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True)
class Timing:
    """`quiet` are two different wall-clock times in `zone`: from the first until before the second, over midnight or not.

    Quiet hours and digests hold everything back but what is critical, unless that is to wait as well.
    """

    zone: ZoneInfo
    quiet: tuple[time, time] | None = None
    digest: Digest = Digest.NONE
    digest_at: time = time(9)
    critical_at_once: bool = True


def is_wanted(routes: Mapping[str, str], kind: str, severity: Severity) -> bool:
    """Whether a channel with these routes (kind to least severity, or "never") is told. A kind's own route comes first."""
    least = routes.get(kind, routes.get(EVERY_KIND, NEVER))
    return least != NEVER and severity.rank >= Severity(least).rank


def due(timing: Timing, severity: Severity, now: datetime) -> datetime:
    """When an alert of this severity may be sent."""
    if severity is Severity.CRITICAL and timing.critical_at_once:
        return now
    return end_of_quiet(timing, _digest_moment(timing, now))


def is_quiet(timing: Timing, moment: datetime) -> bool:
    """As the clock on the wall shows it, so that quiet hours keep their times when clocks change."""
    if timing.quiet is None:
        return False
    begins, ends = timing.quiet
    shown = moment.astimezone(timing.zone).time()
    return begins <= shown < ends if begins < ends else shown >= begins or shown < ends


def end_of_quiet(timing: Timing, moment: datetime) -> datetime:
    """The first moment from then on that is not quiet, to the minute. Clocks may jump over the end or come by it twice."""
    if not is_quiet(timing, moment):
        return moment
    found = moment.replace(second=0, microsecond=0) + _MINUTE
    while is_quiet(timing, found):
        found += _MINUTE
    return found


def _digest_moment(timing: Timing, now: datetime) -> datetime:
    match timing.digest:
        case Digest.NONE:
            return now
        case Digest.HOURLY:
            return now.replace(minute=0, second=0, microsecond=0) + _HOUR
        case Digest.DAILY:
            return _next_daily(timing, now)


def _next_daily(timing: Timing, now: datetime) -> datetime:
    """The next time that the day's hour comes. Where clocks jump over it, it comes as much later as they jump."""
    today = now.astimezone(timing.zone).date()
    moments = (datetime.combine(today + timedelta(days=days), timing.digest_at, timing.zone).astimezone(UTC) for days in range(3))
    return next(moment for moment in moments if moment > now)
