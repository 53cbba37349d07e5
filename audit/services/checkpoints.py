"""Signed notes of how far the trail had come, kept outside the database: what shows that its end was cut off."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from django.conf import settings

from audit.models import AuditHead
from audit.rules import chain
from cloudconsole.core import clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """At `at` (RFC 3339) the trail held `seq` events, the last of them with this hash."""

    seq: int
    hash: str
    at: str
    seal: str

    @classmethod
    def sealed(cls, seq: int, last_hash: str, at: str) -> Checkpoint:
        return cls(seq, last_hash, at, chain.checkpoint_seal(settings.AUDIT_KEY, seq, last_hash, at))

    @property
    def is_genuine(self) -> bool:
        return chain.same(self.seal, chain.checkpoint_seal(settings.AUDIT_KEY, self.seq, self.hash, self.at))


@dataclass(frozen=True)
class Unreadable:
    """A line of the file that is no checkpoint of ours."""

    line: int


def write(path: Path | None = None) -> Checkpoint | None:
    """Append a checkpoint to the file, and to the log, which may be shipped elsewhere. None when nothing is new."""
    head = AuditHead.objects.filter(pk=1).first()
    if head is None or head.seq == 0:
        return None
    file = path or Path(settings.AUDIT_CHECKPOINTS)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # two schedulers at once write one after the other
        if _last_line(stream.fileno()).get("hash") == head.hash:
            return None
        checkpoint = Checkpoint.sealed(head.seq, head.hash, clock.now().isoformat(timespec="seconds"))
        stream.write(json.dumps(asdict(checkpoint)).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    log.info("audit_checkpoint", **asdict(checkpoint))
    return checkpoint


def read(path: Path) -> Iterator[Checkpoint | Unreadable]:
    """Every line of the file in order, one at a time."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            yield _parsed(line, number)


def _parsed(line: str, number: int) -> Checkpoint | Unreadable:
    try:
        checkpoint = Checkpoint(**json.loads(line))
    except (ValueError, TypeError):
        return Unreadable(number)
    fits = isinstance(checkpoint.seq, int) and all(
        isinstance(text, str) for text in (checkpoint.hash, checkpoint.at, checkpoint.seal)
    )
    return checkpoint if fits and checkpoint.is_genuine else Unreadable(number)


def _last_line(descriptor: int) -> dict[str, object]:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 1024, max(0, size - 1024))
    lines = tail.splitlines()
    try:
        return dict(json.loads(lines[-1])) if lines else {}
    except (ValueError, TypeError):
        return {}
