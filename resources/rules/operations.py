"""The life of an operation: what may follow what, and what an answer of AWS means for it.

An operation is wished for, perhaps approved, queued, claimed, sent and verified. A call that changes something is sent
from one place only, and an operation leaves that place before the call is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cloudconsole.aws.errors import AwsErrorKind
from resources.rules.actions import Action


class Status(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # AWS may have done it or not; a person has to look
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """How far an operation has come; one that is over keeps the phase it ended in."""

    NEW = "new"  # nothing was sent
    SENT = "sent"  # the call is under way, or its worker died with it
    VERIFYING = "verifying"  # the call is over; AWS is asked whether what was wanted is so


OPEN = frozenset({Status.AWAITING_APPROVAL, Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation stands."""

    status: Status
    phase: Phase


class Event(StrEnum):
    """What happens to an operation."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"  # by a person, before anything was sent
    STOP = "stop"  # by a person, in the middle of what can be stopped there
    EXPIRE = "expire"  # its time is over, or its account is gone
    CLAIM = "claim"
    TAKE_OVER = "take_over"  # from a worker that is gone; the place stays
    POSTPONE = "postpone"  # nothing was sent yet, and AWS is busy
    SEND = "send"
    SEND_AGAIN = "send_again"  # only what does no harm twice
    TURNED_AWAY = "turned_away"  # AWS was too busy to look at the call
    ANSWERED = "answered"  # AWS does it
    DOUBTED = "doubted"  # nobody knows whether AWS does it
    REST = "rest"  # not so yet
    SUCCEED = "succeed"
    FAIL = "fail"
    GIVE_UP = "give_up"


_WAITING = Place(Status.AWAITING_APPROVAL, Phase.NEW)
_QUEUED = Place(Status.QUEUED, Phase.NEW)
_CLAIMED = Place(Status.RUNNING, Phase.NEW)
_SENT = Place(Status.RUNNING, Phase.SENT)
_VERIFYING = Place(Status.RUNNING, Phase.VERIFYING)


# For each event: from where it leads to where. What is not here cannot happen.
MOVES: Mapping[Event, Mapping[Place, Place]] = {
    Event.APPROVE: {_WAITING: _QUEUED},
    Event.REJECT: {_WAITING: Place(Status.REJECTED, Phase.NEW)},
    Event.CANCEL: {place: Place(Status.CANCELLED, Phase.NEW) for place in (_WAITING, _QUEUED, _CLAIMED)},
    Event.STOP: {_SENT: Place(Status.CANCELLED, Phase.SENT)},
    Event.EXPIRE: {place: Place(Status.CANCELLED, Phase.NEW) for place in (_WAITING, _QUEUED)},
    Event.CLAIM: {_QUEUED: _CLAIMED},
    Event.TAKE_OVER: {place: place for place in (_CLAIMED, _SENT, _VERIFYING)},
    Event.POSTPONE: {_CLAIMED: _QUEUED},
    Event.SEND: {_CLAIMED: _SENT},
    Event.SEND_AGAIN: {_SENT: _SENT},
    Event.TURNED_AWAY: {_SENT: _QUEUED},
    Event.ANSWERED: {_SENT: _VERIFYING},
    Event.DOUBTED: {_SENT: _VERIFYING},
    Event.REST: {_VERIFYING: _VERIFYING},
    Event.SUCCEED: {place: Place(Status.SUCCEEDED, place.phase) for place in (_CLAIMED, _SENT, _VERIFYING)},
    Event.FAIL: {place: Place(Status.FAILED, place.phase) for place in (_CLAIMED, _SENT, _VERIFYING)},
    Event.GIVE_UP: {place: Place(Status.UNKNOWN, place.phase) for place in (_SENT, _VERIFYING)},
}


class NotPossible(ValueError):
    """The event cannot happen there."""


def after(place: Place, event: Event) -> Place:
    """Where `event` leads from `place`. Raises NotPossible."""
    reached = MOVES[event].get(place)
    if reached is None:
        raise NotPossible(f"{event} cannot happen to what is {place.status} ({place.phase})")
    return reached


class Step(StrEnum):
    """What a worker does next with an operation that it holds."""

    SEND = "send"
    SEND_AGAIN = "send_again"
    DOUBT = "doubt"  # its first worker died with the call: look, and never send
    LOOK = "look"


def next_step(phase: Phase, *, idempotent: bool) -> Step:
    match phase:
        case Phase.NEW:
            return Step.SEND
        case Phase.SENT:
            return Step.SEND_AGAIN if idempotent else Step.DOUBT
        case Phase.VERIFYING:
            return Step.LOOK


class Answer(StrEnum):
    """What a call that did not succeed says about what AWS did."""

    REFUSED = "refused"  # AWS says no: nothing was changed by this call
    TURNED_AWAY = "turned_away"  # AWS did not look at it: the same call may be made later
    IN_DOUBT = "in_doubt"  # AWS may have done it


_IN_DOUBT = frozenset({AwsErrorKind.UNREACHABLE, AwsErrorKind.GARBLED, AwsErrorKind.INTERNAL})


def answer_of(cause: AwsErrorKind, *, may_have_arrived: bool) -> Answer:
    """How to read the failure of a call that changes something.

    `may_have_arrived` is False where no connection was made, so that AWS cannot have heard of it.
    """
    if cause in _IN_DOUBT:
        return Answer.IN_DOUBT if may_have_arrived else Answer.TURNED_AWAY
    return Answer.TURNED_AWAY if cause is AwsErrorKind.THROTTLED else Answer.REFUSED


# Sending and worker deaths are counted together: what needs more than this needs a person.
MAX_ATTEMPTS = 5
_FIRST_REST = timedelta(seconds=5)
_LONGEST_REST = timedelta(minutes=2)

_LOOKS = tuple(timedelta(seconds=seconds) for seconds in (1, 1, 2, 2, 3, 3, 5))
_LATER_LOOKS = timedelta(seconds=10)


def rest(attempt: int) -> timedelta:
    """How long to leave AWS alone after the `attempt`-th time (from 1) that it was too busy."""
    doubled: timedelta = _FIRST_REST * 2 ** min(attempt - 1, MAX_ATTEMPTS)
    return min(doubled, _LONGEST_REST)


def pause(looks: int) -> timedelta:
    """How long to wait after the `looks`-th look (from 1) at what is not as wanted yet."""
    return _LOOKS[looks - 1] if looks <= len(_LOOKS) else _LATER_LOOKS


def needs_approval(action: Action, *, environment: str, policy: str) -> bool:
    """Whether a second person has to agree. `policy` is the account's: by_environment, always or never."""
    if not action.destructive or policy == "never":
        return False
    return policy == "always" or environment == "production"
