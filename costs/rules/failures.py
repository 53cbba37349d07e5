"""What a failed request to Cost Explorer means for the run, and for the account's source of costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cloudconsole.aws.errors import AwsErrorKind


class Reaction(StrEnum):
    """What the run does next."""

    END = "end"  # no other window can succeed before a person acts
    WAIT = "wait"  # AWS is busy or away: the whole run rests
    RETRY = "retry"  # this answer was broken: ask again, and give up only this window
    SKIP = "skip"  # this window cannot be had; the others may


class Health(StrEnum):
    """The state of a source that the failure leads to."""

    DENIED = "denied"
    NOT_ENABLED = "not_enabled"
    STALE = "stale"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Verdict:
    reaction: Reaction
    health: Health


_DENIED = Verdict(Reaction.END, Health.DENIED)
_WAIT = Verdict(Reaction.WAIT, Health.STALE)
_RETRY = Verdict(Reaction.RETRY, Health.PARTIAL)
_SKIP = Verdict(Reaction.SKIP, Health.PARTIAL)

VERDICTS: dict[AwsErrorKind, Verdict] = {
    AwsErrorKind.CREDENTIALS_INVALID: _DENIED,
    AwsErrorKind.CREDENTIALS_EXPIRED: _DENIED,
    AwsErrorKind.ACCESS_DENIED: _DENIED,
    AwsErrorKind.REGION_DISABLED: _DENIED,
    AwsErrorKind.NOT_ENABLED: Verdict(Reaction.END, Health.NOT_ENABLED),
    AwsErrorKind.CLOCK_SKEWED: Verdict(Reaction.END, Health.STALE),
    AwsErrorKind.THROTTLED: _WAIT,
    AwsErrorKind.UNREACHABLE: _WAIT,
    AwsErrorKind.INTERNAL: _WAIT,
    AwsErrorKind.GARBLED: _RETRY,
    AwsErrorKind.TOKEN_REFUSED: _RETRY,
    AwsErrorKind.DATA_UNAVAILABLE: _SKIP,
    AwsErrorKind.NOT_FOUND: _SKIP,
    AwsErrorKind.CONFLICT: _SKIP,
    AwsErrorKind.INVALID_REQUEST: _SKIP,
}

MAX_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(seconds=20)
_LONGEST_PAUSE = timedelta(minutes=10)


def pause(attempt: int) -> timedelta:
    """How long to rest after the `attempt`-th failure in a row (from 1); the AWS layer has retried quickly before."""
    doubled: timedelta = _FIRST_PAUSE * 2 ** (attempt - 1)
    return min(doubled, _LONGEST_PAUSE)
