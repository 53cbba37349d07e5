"""What two looks at an instance say about how its state changed between them. The moments are bounded, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

UP = frozenset({"pending", "running"})

# "User initiated (2026-11-22 00:09:40 GMT)". What AWS does by itself often carries no moment.
_TOLD = re.compile(r"\((\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?:GMT|UTC)\)")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at an instance: AWS was asked at `asked_at` and had answered by `answered_at`."""

    state: str
    asked_at: datetime
    answered_at: datetime
    launched_at: datetime | None
    reason: str = ""
    attached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From one state to another between `not_before` (None: nothing tells how early) and `not_after`."""

    from_state: str
    to_state: str
    not_before: datetime | None
    not_after: datetime


def told_moment(reason: str) -> datetime | None:
    """The moment inside a StateTransitionReason, where AWS put one."""
    found = _TOLD.search(reason)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def first(sighting: Sighting) -> list[Change]:
    """How an instance came to the state in which it was first seen, its last start included where AWS tells of both."""
    told = _told(sighting)
    if told is not None and told <= sighting.answered_at:
        launched = sighting.launched_at
        if sighting.state in UP or launched is None or launched > told:
            return [Change("", sighting.state, told, told)]
        return [Change("", "running", launched, launched), Change("running", sighting.state, told, told)]
    earliest = sighting.attached_at
    if earliest is not None and earliest > sighting.answered_at:
        earliest = None
    return [Change("", sighting.state, earliest, sighting.answered_at)]


def between(before: Sighting, after: Sighting) -> list[Change]:
    """What happened from `before` to `after`, a restart that neither of them saw included."""
    changes: list[Change] = []
    state, since = before.state, min(before.asked_at, after.answered_at)
    launched = after.launched_at
    if launched is not None and since < launched <= after.answered_at and launched != before.launched_at:
        # AWS renews the launch time with each start, so the instance was down just before it.
        if state in UP:
            changes.append(Change(state, "stopped", since, launched))
        changes.append(Change(changes[-1].to_state if changes else state, _started(after), launched, launched))
        state, since = changes[-1].to_state, launched
    if after.state != state:
        told = _told(after)
        exact = told if told is not None and since <= told <= after.answered_at else None
        changes.append(Change(state, after.state, exact or since, exact or after.answered_at))
    return changes


def _started(after: Sighting) -> str:
    return after.state if after.state in UP else "running"


def _told(sighting: Sighting) -> datetime | None:
    """The launch time speaks of being up, the transition's reason of going down."""
    return sighting.launched_at if sighting.state in UP else told_moment(sighting.reason)
