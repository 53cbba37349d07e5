"""What may be done to an EC2 instance in which state, and what its state says about an operation that was sent.

States and what AWS allows in them: EC2 user guide, "Instance lifecycle". Describing lags behind acting by seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# What AWS answers with IncorrectInstanceState. Doing what is so already is no mistake to it.
FORBIDDEN: Mapping[str, frozenset[str]] = {
    "ec2.start": frozenset({"stopping", "shutting-down", "terminated"}),
    "ec2.stop": frozenset({"pending", "shutting-down", "terminated"}),
    "ec2.reboot": frozenset({"stopping", "stopped", "shutting-down", "terminated"}),
    "ec2.terminate": frozenset(),
}
WANTED: Mapping[str, str] = {
    "ec2.start": "running",
    "ec2.stop": "stopped",
    "ec2.reboot": "running",
    "ec2.terminate": "terminated",
}
GONE = frozenset({"shutting-down", "terminated"})

# States that show that a call arrived, when nobody knows whether it did.
_ON_THE_WAY: Mapping[str, frozenset[str]] = {
    "ec2.start": frozenset({"pending", "running"}),
    "ec2.stop": frozenset({"stopping", "stopped"}),
    "ec2.reboot": frozenset(),
    "ec2.terminate": GONE,
}

# So long after the call, what describing still shows is no longer old news.
SETTLED = timedelta(seconds=30)


def may_offer(action: str, state: str) -> bool:
    """Whether a button for `action` makes sense in `state`: AWS would do it, and it would change something."""
    return state not in FORBIDDEN[action] | _ON_THE_WAY[action] | GONE


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at one look. `state` is empty where AWS does not show the instance any more."""

    state: str
    reason_code: str
    reason: str
    before_state: str
    last_state: str  # at the look before; empty at the first
    accepted: bool
    age: timedelta


class Judgement(StrEnum):
    REACHED = "reached"
    WAIT = "wait"
    FELL_BACK = "fell_back"  # it started, and went down again by itself
    GONE = "gone"  # somebody terminated it meanwhile
    NO_TRACE = "no_trace"  # nobody knows whether the call arrived, and nothing shows that it did


def judge(action: str, look: Look) -> Judgement:
    """What one look says about an operation that was sent, or may have been."""
    if action == "ec2.terminate":
        return _judge_end(look)
    if look.state in GONE or (not look.state and look.age > SETTLED):
        return Judgement.GONE
    if action == "ec2.reboot":
        return _judge_reboot(look)
    # As wanted already before a call that may be lost: it is so, whoever did it, once that is no longer old news.
    if look.state == WANTED[action] and (look.accepted or look.before_state != look.state or look.age > SETTLED):
        return Judgement.REACHED
    if action == "ec2.start" and look.state == "stopped" and _fell_back(look):
        return Judgement.FELL_BACK
    return _judge_on_the_way(action, look)


def _judge_end(look: Look) -> Judgement:
    if look.state == "terminated" or (not look.state and (look.accepted or look.age > SETTLED)):
        return Judgement.REACHED
    return _judge_on_the_way("ec2.terminate", look)


def _judge_reboot(look: Look) -> Judgement:
    """A reboot shows in no state: only AWS's answer says that it happens."""
    if not look.accepted:
        return Judgement.NO_TRACE
    return Judgement.REACHED if look.state == "running" else Judgement.WAIT


def _judge_on_the_way(action: str, look: Look) -> Judgement:
    if look.accepted or look.age <= SETTLED or look.state in _ON_THE_WAY[action] - {look.before_state}:
        return Judgement.WAIT
    return Judgement.NO_TRACE


def _fell_back(look: Look) -> bool:
    """Stopped after a start: old news at first, and the truth once it was seen up, or AWS names another cause, or time passed."""
    if look.last_state in ("pending", "running"):
        return True
    return look.accepted and look.age > SETTLED
