"""How long an instance ran, from what is known of its state changes, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from resources.rules.transitions import Change

RUNNING = "running"
TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds in which it ran: `seconds` is the best guess, and the truth lies from `at_least` to `at_most`."""

    seconds: int
    at_least: int
    at_most: int

    @property
    def uncertainty(self) -> int:
        """Seconds by which the best guess may be wrong."""
        return max(self.seconds - self.at_least, self.at_most - self.seconds)


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime


def uptime(
    changes: Sequence[Change],
    start: datetime,
    end: datetime,
    *,
    known_until: datetime,
    existed_from: datetime | None = None,
) -> Uptime:
    """How long it ran in [start, end), given its changes in order.

    The state before a first change without `from_state` is unknown. The last state is known until `known_until`, when
    AWS was last asked; the best guess is that it went on. It did not run before `existed_from`. What was
    started and stopped again twice between two looks leaves no trace in AWS, and so none here.
    """
    start = max(start, existed_from) if existed_from is not None else start
    sure, best, possible = [], [], []
    for index, change in enumerate(changes):
        following = changes[index + 1] if index + 1 < len(changes) else None
        if change.to_state == RUNNING:
            sure.append(_Span(change.not_after, _begin(following, start) if following else known_until))
            best.append(_Span(_middle(change), _middle(following) if following else end))
            possible.append(_Span(_begin(change, start), following.not_after if following else end))
    if changes and changes[0].from_state in ("", RUNNING):
        before = changes[0]
        possible.append(_Span(start, before.not_after))
        if before.from_state == RUNNING:
            sure.append(_Span(start, _begin(before, start)))
            best.append(_Span(start, _middle(before)))
    if changes and changes[-1].to_state != TERMINATED:
        possible.append(_Span(known_until, end))
    at_least, guess, at_most = (_seconds(spans, start, end) for spans in (sure, best, possible))
    guess = min(max(guess, at_least), at_most)
    return Uptime(guess, at_least, at_most)


def _begin(change: Change, start: datetime) -> datetime:
    return change.not_before if change.not_before is not None else min(start, change.not_after)


def _middle(change: Change) -> datetime:
    if change.not_before is None:
        return change.not_after
    return change.not_before + (change.not_after - change.not_before) / 2


def _seconds(spans: Iterable[_Span], start: datetime, end: datetime) -> int:
    """The whole seconds that the union of the spans covers in [start, end)."""
    covered, reached = timedelta(0), start
    for span in sorted(spans, key=lambda span: span.start):
        begin, finish = max(span.start, reached), min(span.end, end)
        if finish > begin:
            covered += finish - begin
            reached = finish
    return int(covered.total_seconds())
