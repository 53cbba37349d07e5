"""The encryption keys of this installation in use: proving them, and moving every stored secret to today's key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import EncryptionKey
from audit import services as audit
from audit import verbs
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import Context, Sealed, SealingError, Unreadable, keyring
from cloudconsole.sealing.columns import Column, SealedRow, all_columns

_CANARY = "opens"
_CANARY_CONTEXT = Context("installation", "encryption_key.canary")


class KeyInUse(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "key_in_use"
    title = "This installation has that key"


class KeyUnknown(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "key_unknown"
    title = "No stored secret needs that key"


@dataclass(frozen=True)
class KeyState:
    """One key, and how it stands. `rows`: secrets that it has sealed. `trouble` is None for a key that works."""

    key_id: str
    rows: int
    configured: bool
    current: bool
    given_up: bool = False
    trouble: SealingError | None = None

    @property
    def is_missing(self) -> bool:
        return self.rows > 0 and not self.configured and not self.given_up

    @property
    def is_removable(self) -> bool:
        """Whether the settings need not name it any more."""
        return self.configured and not self.current and self.rows == 0


@dataclass
class Progress:
    """What one rotation has done so far, in rows."""

    rotated: Counter[str] = field(default_factory=Counter)  # by the key they came from
    overtaken: int = 0  # written by somebody else between reading and swapping, and looked at again
    unreadable: list[str] = field(default_factory=list)  # column and primary key
    waiting: int = 0  # what a dry run would have moved


def prove_current_key() -> None:
    """Make the canary of the key that seals now, the first time it is used. Raises SealingError."""
    ring = keyring()
    if not EncryptionKey.objects.filter(key_id=ring.current.key_id).exists():
        canary = ring.seal(_CANARY, _CANARY_CONTEXT)
        EncryptionKey.objects.get_or_create(key_id=canary.key_id, defaults={"canary": canary.ciphertext})


def key_states() -> list[KeyState]:
    """Every key that is configured or still needed, today's first. Each configured one opens its canary now."""
    ring, rows = keyring(), rows_per_key()
    known = {key.key_id: key for key in EncryptionKey.objects.all()}
    return [
        KeyState(
            key_id,
            rows[key_id],
            configured=key_id in ring.keys,
            current=key_id == ring.current.key_id,
            given_up=key_id in known and known[key_id].given_up_at is not None,
            trouble=_trouble(known[key_id]) if key_id in known and key_id in ring.keys else None,
        )
        for key_id in [*ring.keys, *sorted(rows.keys() - ring.keys)]
    ]


def rows_per_key() -> Counter[str]:
    """How many stored secrets each key has sealed, over all apps."""
    return sum((column.per_key() for column in all_columns()), Counter[str]())


def rotate(*, batch_size: int, dry_run: bool = False, on_batch: Callable[[Progress], None] = lambda _: None) -> Progress:
    """Move every secret that another key has sealed to today's key, while everything else goes on.

    Each row is swapped only if it still holds what was read, so a secret replaced meanwhile stays the newer one. What
    was moved is moved: ended at any point, the next run goes on with the rest. Rows that do not open are named and left
    alone. Raises SealingError when a key cannot be used at the moment.
    """
    progress = Progress()
    if not dry_run:
        prove_current_key()
    try:
        for column in all_columns():
            for _ in _rotate_column(column, batch_size, dry_run, progress):
                on_batch(progress)
    finally:
        if progress.rotated or progress.unreadable:
            _record(progress)
    return progress


@transaction.atomic
def give_up(*, key_id: str) -> int:
    """Accept that a key is lost: what it sealed stays unreadable, and no longer keeps the installation from starting.

    Says how many secrets are given up. Raises KeyInUse or KeyUnknown.
    """
    if key_id in keyring().keys:
        raise KeyInUse(f"{key_id} is configured; nothing that it encrypted is lost.")
    rows = rows_per_key()[key_id]
    if not rows:
        raise KeyUnknown(f"Nothing stored was encrypted with {key_id or 'an unknown key'}.")
    EncryptionKey.objects.update_or_create(key_id=key_id, defaults={"given_up_at": clock.now()}, create_defaults=_lost(key_id))
    audit.record(verbs.KEY_GIVEN_UP, actor=None, subject=key_id or "unknown", detail={"rows": rows})
    return rows


def _lost(key_id: str) -> dict[str, object]:
    return {"key_id": key_id, "canary": b"", "given_up_at": clock.now()}


def _trouble(key: EncryptionKey) -> SealingError | None:
    if not key.canary:
        return None
    try:
        keyring().open(Sealed(bytes(key.canary), key.key_id), _CANARY_CONTEXT)
    except SealingError as error:
        return error
    return None


def _rotate_column(column: Column, batch_size: int, dry_run: bool, progress: Progress) -> Iterator[None]:
    """Batch after batch; once more from the start as long as somebody else's writing has overtaken a swap."""
    current, overtaken = keyring().current.key_id, -1
    while progress.overtaken != overtaken:
        overtaken, after = progress.overtaken, None
        progress.unreadable = [name for name in progress.unreadable if not name.startswith(f"{column.name} ")]
        while batch := column.to_rotate(current, after=after, limit=batch_size):
            after = batch[-1].pk
            if dry_run:
                progress.waiting += len(batch)
            else:
                for row in batch:
                    _rotate_row(column, row, progress)
            yield


def _rotate_row(column: Column, row: SealedRow, progress: Progress) -> None:
    ring = keyring()
    try:
        text = ring.open(row.sealed, row.context)
    except Unreadable:
        progress.unreadable.append(f"{column.name} {row.pk}")
        return
    if column.swap(row, ring.seal(text, row.context)):
        progress.rotated[row.sealed.key_id] += 1
    else:
        progress.overtaken += 1


@transaction.atomic
def _record(progress: Progress) -> None:
    detail = {"rows": progress.rotated.total(), "unreadable": len(progress.unreadable)}
    outcome = "failure" if progress.unreadable else "success"
    audit.record(verbs.KEYS_ROTATED, actor=None, subject=keyring().current.key_id, outcome=outcome, detail=detail)
