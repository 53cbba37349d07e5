"""Walks the trail from its first event and tells what was done to it, in words, with the event concerned.

Reads in chunks and keeps one event, so that memory does not grow with the trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from django.conf import settings

from audit import verbs
from audit.models import AuditEvent, AuditHead, Outcome, Person
from audit.rules import chain
from audit.services import checkpoints
from audit.services.checkpoints import Checkpoint, Unreadable
from audit.services.events import record

CHUNK = 2000
MAX_FINDINGS = 100  # a trail that is broken in more places is told by the first


class Harm(StrEnum):
    """What was done to the trail."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    CUT = "cut"
    HEAD = "head"
    CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Finding:
    """Events `first` to `last` are concerned, counted from 1; both inclusive."""

    harm: Harm
    first: int
    last: int
    words: str


@dataclass(frozen=True)
class Report:
    """`events` were read; `checkpoints` were compared, None where there is no file of them."""

    events: int
    checkpoints: int | None
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings


@dataclass(frozen=True)
class _Link:
    """The event walked over last."""

    seq: int = 0
    hash: str = chain.GENESIS
    genuine: bool = True


def verify(path: Path | None = None) -> Report:
    """Check every event, the head, and every checkpoint in the file at `path` (default: AUDIT_CHECKPOINTS)."""
    head = AuditHead.objects.filter(pk=1).first()
    walk = _Walk()
    findings = list(islice(_merged(walk.findings()), MAX_FINDINGS))
    file = path or Path(settings.AUDIT_CHECKPOINTS)
    compared = _Comparison(file) if file.exists() else None
    if len(findings) < MAX_FINDINGS:
        findings += _head_findings(head, walk.last)
        findings += islice(compared.findings(), MAX_FINDINGS) if compared else ()
    return Report(walk.events, compared.count if compared else None, tuple(_without_repetition(findings)))


def verify_for(reader: Person) -> Report:
    """The same, asked for by a person: that is recorded too, with what was found."""
    report = verify()
    outcome = Outcome.SUCCESS if report.intact else Outcome.FAILURE
    record(verbs.AUDIT_VERIFIED, actor=reader, outcome=outcome, detail={"seq": report.events, "findings": len(report.findings)})
    return report


class _Walk:
    """One pass over all events in the order of their numbers."""

    def __init__(self) -> None:
        self.events = 0
        self.last = _Link()

    def findings(self) -> Iterator[Finding]:
        for event in AuditEvent.objects.order_by("seq").iterator(chunk_size=CHUNK):
            genuine = chain.same(event.hash, chain.event_hash(settings.AUDIT_KEY, event.prev_hash, event.facts()))
            yield from self._judge(event, genuine=genuine)
            self.events += 1
            self.last = _Link(event.seq, event.hash, genuine)

    def _judge(self, event: AuditEvent, *, genuine: bool) -> Iterator[Finding]:
        gap = event.seq - self.last.seq - 1
        if gap:
            yield _deleted(self.last.seq + 1, event.seq - 1)
        if not genuine:
            yield _edited(event.seq, event.seq)
        elif not gap and self.last.genuine and event.prev_hash != self.last.hash:
            yield _misplaced(event)


def _misplaced(event: AuditEvent) -> Finding:
    """A genuine event that does not follow the one before it: moved if its predecessor is elsewhere, else that one is gone."""
    if event.prev_hash == chain.GENESIS or AuditEvent.objects.filter(hash=event.prev_hash).exists():
        return _reordered(event.seq, event.seq)
    return Finding(
        Harm.DELETED,
        event.seq,
        event.seq,
        f"Before event {event.seq} at least one event is missing, and those after it were numbered anew to hide that.",
    )


def _edited(first: int, last: int) -> Finding:
    which = f"Event {first} was" if first == last else f"Events {first} to {last} were"
    return Finding(Harm.EDITED, first, last, f"{which} changed after it was recorded, or not recorded by this installation.")


def _deleted(first: int, last: int) -> Finding:
    which = f"Event {first} is" if first == last else f"Events {first} to {last} are"
    return Finding(Harm.DELETED, first, last, f"{which} missing: later events are there.")


def _reordered(first: int, last: int) -> Finding:
    which = f"Event {first} does" if first == last else f"Events {first} to {last} do"
    return Finding(Harm.REORDERED, first, last, f"{which} not stand in the order in which they were recorded.")


_WORDED = {Harm.EDITED: _edited, Harm.REORDERED: _reordered}


def _merged(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Neighbours with the same harm as one finding."""
    held: Finding | None = None
    for finding in findings:
        if held and finding.harm == held.harm and finding.harm in _WORDED and finding.first == held.last + 1:
            held = _WORDED[held.harm](held.first, finding.last)
            continue
        if held:
            yield held
        held = finding
    if held:
        yield held


def _head_findings(head: AuditHead | None, last: _Link) -> Iterator[Finding]:
    """`head` was read before the walk, so events recorded meanwhile are past it, and none up to it may be missing."""
    if head is None:
        if last.seq:
            yield Finding(
                Harm.HEAD, last.seq, last.seq, "The head of the trail was removed; nothing can be recorded until it is back."
            )
        return
    if not chain.same(head.seal, chain.head_seal(settings.AUDIT_KEY, head.seq, head.hash)):
        yield Finding(Harm.HEAD, head.seq, head.seq, "The head of the trail was set by something other than this installation.")
    elif head.seq > last.seq:
        yield _cut(last.seq + 1, head.seq, "the head of the trail")


def _cut(first: int, last: int, witness: str) -> Finding:
    which = f"Event {first}, the last, was" if first == last else f"Events {first} to {last}, the last ones, were"
    return Finding(Harm.CUT, first, last, f"{which} cut off: {witness} remembers {'it' if first == last else 'them'}.")


class _Comparison:
    """Every checkpoint beside the event of its number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def findings(self) -> Iterator[Finding]:
        lines = checkpoints.read(self.path)
        while batch := list(islice(lines, 500)):
            self.count += len(batch)
            yield from self._compare([line for line in batch if isinstance(line, Checkpoint)])
            yield from (self._unreadable(line) for line in batch if isinstance(line, Unreadable))

    def _compare(self, batch: list[Checkpoint]) -> Iterator[Finding]:
        hashes = dict(AuditEvent.objects.filter(seq__in=[point.seq for point in batch]).values_list("seq", "hash"))
        end = AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        for point in batch:
            if point.seq > end:
                yield _cut(end + 1, point.seq, f"the checkpoint of {point.at}")
            elif point.seq in hashes and hashes[point.seq] != point.hash:
                words = (
                    f"Event {point.seq} is not the one that the checkpoint of {point.at} saw: "
                    "the end of the trail was cut off up to it or before, and others were recorded in its place."
                )
                yield Finding(Harm.CUT, point.seq, point.seq, words)

    def _unreadable(self, line: Unreadable) -> Finding:
        words = f"Line {line.line} of the checkpoint file was not written with this installation's audit key."
        return Finding(Harm.CHECKPOINTS, line.line, line.line, words)


def _without_repetition(findings: list[Finding]) -> Iterator[Finding]:
    """Of several witnesses of one cut, the one that remembers most."""
    furthest: dict[int, Finding] = {}
    for finding in findings:
        if finding.harm is Harm.CUT and (finding.first not in furthest or furthest[finding.first].last < finding.last):
            furthest[finding.first] = finding
    for finding in findings:
        if finding.harm is not Harm.CUT or furthest[finding.first] is finding:
            yield finding
