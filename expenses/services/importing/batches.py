"""What people do with files of expenses: send one, say how it is read, decide about rows, import it, take it back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from django.db import transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import BatchStatus, ImportBatch, ImportMapping, ImportPiece, ImportRow, Workspace
from expenses.rules import currencies
from expenses.rules.importing import formats, headers, readings
from expenses.rules.importing.encodings import Recognition
from expenses.rules.importing.headers import Field
from expenses.rules.importing.readings import Reading
from expenses.rules.importing.tables import Layout
from expenses.rules.importing.verdicts import TAKEABLE, Decision, Verdict
from expenses.rules.statuses import MemberRole
from expenses.selectors import import_files, imports, workspaces
from expenses.selectors.import_files import Sample
from expenses.services.importing import leases

RUN: Final = "expenses.run_import"
PIECE: Final = 4 << 20
MOST_BYTES: Final = 1 << 30  # some ten million rows
_LIVE: Final = (BatchStatus.MAPPING, BatchStatus.STAGING, BatchStatus.READY, BatchStatus.COMMITTING, BatchStatus.COMMITTED)
_NO_ERROR: Final = {"error_code": "", "error_detail": ""}


class EmptyFile(CloudconsoleError):
    code = "file_empty"
    title = "The file is empty"


class FileTooLarge(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "file_too_large"
    title = "The file is too large"


class NotNow(CloudconsoleError):
    """The import's state forbids it."""

    kind = Kind.CONFLICT
    code = "import_state"
    title = "This cannot be done with the import now"


class MappingIncomplete(CloudconsoleError):
    code = "mapping_incomplete"
    title = "It is not clear yet how the file is read"


# --- sending


@dataclass(frozen=True, slots=True)
class Received:
    """`same`: an earlier import of the very same bytes, to be told of; it stops nobody."""

    batch: ImportBatch
    same: ImportBatch | None


def receive(*, workspace: Workspace, name: str, file: IO[bytes], by: User) -> Received:
    """Keep the file and recognise how it is read. Raises EmptyFile, FileTooLarge, UnreadableFile, NotAllowed."""
    workspaces.require(by, workspace, MemberRole.CONTRIBUTOR)
    batch = ImportBatch.objects.create(workspace=workspace, owner=by, owner_name=by.get_username(), name=_name(name))
    try:
        return _recognised(batch, _store(batch, file), by)
    except CloudconsoleError:
        batch.delete()
        raise


@dataclass(frozen=True, slots=True)
class _Stored:
    size: int
    digest: str
    head: bytes
    encoding: str


def _store(batch: ImportBatch, file: IO[bytes]) -> _Stored:
    digest, recognition, size, head = hashlib.sha256(), Recognition(), 0, b""
    for position, data in enumerate(_pieces(file)):
        ImportPiece.objects.create(batch=batch, position=position, data=data)
        digest.update(data)
        recognition.feed(data)
        head = head or data[: formats.HEAD]
        size += len(data)
        if size > MOST_BYTES:
            raise FileTooLarge(f"A file has at most {MOST_BYTES >> 20:,} MB. Send it in parts.", attr="file")
    return _Stored(size, digest.hexdigest(), head, recognition.finish())


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while data := file.read(PIECE):
        yield data


def _name(name: str) -> str:
    """A file's name without what could lead anywhere or break a line."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in bare if sign.isprintable())[:200] or "file"


def _recognised(batch: ImportBatch, stored: _Stored, by: User) -> Received:
    if not stored.size:
        raise EmptyFile("There is nothing in the file.", attr="file")
    batch.size, batch.digest = stored.size, stored.digest
    layout = import_files.recognised(batch, stored.head, stored.encoding)
    found = import_files.sample(batch, layout)
    if not found.rows:
        raise EmptyFile("There is no row in the file.", attr="file")
    _describe(batch, layout, found)
    same = ImportBatch.objects.filter(workspace=batch.workspace, digest=stored.digest, status__in=_LIVE).exclude(pk=batch.pk)
    with transaction.atomic():
        batch.status = BatchStatus.MAPPING
        batch.save()
        _record(verbs.IMPORT_RECEIVED, batch, by)
    return Received(batch, same.order_by("-pk").first())


def _describe(batch: ImportBatch, layout: Layout, found: Sample) -> None:
    """Set how the file is read: as files with such columns were read before, or as is recognised."""
    batch.layout, batch.columns = layout.as_json(), list(found.columns)
    batch.signature = _signature(layout, found)
    known = ImportMapping.objects.filter(workspace=batch.workspace, signature=batch.signature).first()
    batch.is_known = known is not None
    guessed = readings.recognised(found.columns, found.rows, layout, currency=batch.workspace.currency)
    reading = Reading.of_json(known.reading) if known else guessed
    batch.reading = reading.as_json()
    batch.source = known.source if known else _source(batch.name, layout)


def _signature(layout: Layout, found: Sample) -> str:
    """Formats with columns of their own are told apart by the account."""
    account = found.rows[0].text("Account") if found.rows and "Account" in found.columns else ""
    titles = headers.signature(found.columns) if layout.has_header else f"{len(found.columns)} columns"
    return f"{layout.format}:{account}:{titles}"[:1200]


def _source(name: str, layout: Layout) -> str:
    """What a file is probably of: its name without dates and endings."""
    words = re.findall(r"[^\W\d_]{2,}", name.rpartition(".")[0] or name)
    return " ".join(words)[:40].strip() or layout.format.value


# --- saying how it is read


def describe(*, batch: ImportBatch, layout: Layout, by: User) -> ImportBatch:
    """Read the bytes in another way. Columns are recognised anew. Raises NotNow, UnreadableFile."""
    if layout.sheet != batch.how_read.sheet:
        layout = import_files.located(batch, layout)
    found = import_files.sample(batch, layout)
    with transaction.atomic():
        row = _locked(batch, BatchStatus.MAPPING, BatchStatus.READY)
        _describe(row, layout, found)
        ImportBatch.objects.filter(pk=row.pk).update(
            layout=row.layout,
            columns=row.columns,
            signature=row.signature,
            is_known=row.is_known,
            reading=row.reading,
            source=row.source,
        )
    return row


def note(*, batch: ImportBatch, reading: Reading, source: str, by: User) -> ImportBatch:
    """Keep what was said of the columns, to look at the first rows as they would be read; nothing is judged. Raises NotNow,
    MappingIncomplete for columns that the file does not have.
    """
    _check_columns(reading, batch)
    with transaction.atomic():
        row = _locked(batch, BatchStatus.MAPPING)
        row.reading, row.source = reading.as_json(), _source_of(source, batch)
        row.save(update_fields=["reading", "source"])
    return row


def _source_of(said: str, batch: ImportBatch) -> str:
    return " ".join(said.split())[:40] or batch.source


def stage(*, batch: ImportBatch, reading: Reading, source: str, by: User) -> ImportBatch:
    """Have every row read so and judged, in the background; files with such columns are read so from then on.

    Again while nothing is imported yet. Raises NotNow, MappingIncomplete.
    """
    source = _source_of(source, batch)
    _check(reading, batch)
    with transaction.atomic():
        row = _locked_before_import(batch)
        ImportRow.objects.filter(batch=row).delete()
        kept = {"source": source, "reading": reading.as_json(), "used_at": clock.now()}
        ImportMapping.objects.update_or_create(workspace=row.workspace, signature=row.signature, defaults=kept)
        _start(row, BatchStatus.STAGING, to_do=100, source=source, reading=reading.as_json(), rows_read=0, counts={})
    row.refresh_from_db()
    return row


def _check(reading: Reading, batch: ImportBatch) -> None:
    if reading.lacks:
        raise MappingIncomplete(f"Say {' and '.join(reading.lacks)}.", attr="columns")
    _check_columns(reading, batch)


def _check_columns(reading: Reading, batch: ImportBatch) -> None:
    if unknown := set(reading.columns.values()) - set(batch.columns):
        raise MappingIncomplete(f"The file has no column “{min(unknown)}”.", attr="columns")
    if len(set(reading.columns.values())) < len(reading.columns):
        raise MappingIncomplete("A column can mean one thing only.", attr="columns")
    if reading.currency and reading.currency not in currencies.EXPONENTS:
        raise MappingIncomplete(f"“{reading.currency[:10]}” is no currency of ISO 4217.", attr="currency")
    if Field.AMOUNT in reading.columns and {Field.DEBIT, Field.CREDIT} & reading.columns.keys():
        raise MappingIncomplete("Choose one column of the amount, or those of money out and in.", attr="columns")


def remap(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Go back to the columns; the verdicts are forgotten. Raises NotNow."""
    with transaction.atomic():
        row = _locked_before_import(batch)
        ImportRow.objects.filter(batch=row).delete()
        changes: dict[str, Any] = {"status": BatchStatus.MAPPING, "rows_read": 0, "counts": {}}
        changes |= {"lease_token": None, "lease_until": None}
        ImportBatch.objects.filter(pk=row.pk).update(**changes, **_NO_ERROR)
        leases.told(row.pk, row.owner_id)
    row.refresh_from_db()
    return row


# --- deciding


def decide(
    *, batch: ImportBatch, decision: Decision, by: User, numbers: list[int] | None = None, verdict: Verdict | None = None
) -> int:
    """Say of some rows, or of all with a verdict, whether they are imported; how many it changed. Raises NotNow."""
    with transaction.atomic():
        row = _locked(batch, BatchStatus.READY)
        wanted = ImportRow.objects.filter(batch=row, verdict__in=[one.value for one in TAKEABLE])
        if numbers is not None:
            wanted = wanted.filter(number__in=numbers)
        if verdict is not None:
            wanted = wanted.filter(verdict=verdict)
        # What is there under its id cannot be there a second time.
        if decision is Decision.TAKE:
            wanted = wanted.exclude(verdict=Verdict.DUPLICATE, occurrence=None)
        changed = wanted.exclude(decision=decision).update(decision=decision)
        leases.told(row.pk, row.owner_id)
    return changed


def commit(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Have the rows imported, in the background. Raises NotNow."""
    with transaction.atomic():
        row = _locked(batch, BatchStatus.READY)
        tally = imports.tally(row)
        _start(row, BatchStatus.COMMITTING, to_do=tally.to_create + tally.to_update)
        _record(verbs.IMPORT_ACCEPTED, row, by)
    row.refresh_from_db()
    return row


def roll_back(*, batch: ImportBatch, by: User, takes_edited: bool = False) -> ImportBatch:
    """Take away what the import made, and give what it changed its former values, in the background.

    `takes_edited`: also what somebody edited since; otherwise that stays as it is. Raises NotNow.
    """
    with transaction.atomic():
        row = _locked(batch, BatchStatus.COMMITTED, BatchStatus.ROLLED_BACK)
        left = imports.made(row).count()
        if not left:
            raise NotNow("Nothing of it is left to be taken back.")
        _start(row, BatchStatus.ROLLING_BACK, to_do=left, takes_edited=takes_edited, kept=0)
        _record(verbs.IMPORT_ROLLBACK, row, by)
    row.refresh_from_db()
    return row


def discard(*, batch: ImportBatch, by: User | None) -> None:
    """Give up a file of which nothing was imported. `by` nobody: it lay for too long. Raises NotNow."""
    with transaction.atomic():
        row = _locked_before_import(batch)
        gone = {"status": BatchStatus.DISCARDED, "lease_token": None, "lease_until": None, "finished_at": clock.now()}
        ImportBatch.objects.filter(pk=row.pk).update(**gone)
        row.pieces.all().delete()
        ImportRow.objects.filter(batch=row).delete()
        leases.told(row.pk, row.owner_id)
        _record(verbs.IMPORT_DISCARDED, row, by)


def retry(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Go on where a step failed. Raises NotNow."""
    with transaction.atomic():
        row = _locked(batch, BatchStatus.FAILED)
        ImportBatch.objects.filter(pk=row.pk).update(status=row.failed_step, attempts=0, **_NO_ERROR)
        jobs.enqueue(RUN, batch_id=row.pk)
    row.refresh_from_db()
    return row


def forget(*, mapping: ImportMapping, by: User) -> None:
    """Recognise the columns of such files anew from now on."""
    with transaction.atomic():
        mapping.delete()
        audit.services.record(verbs.MAPPING_DELETED, actor=by, subject=mapping.source)


def _start(row: ImportBatch, status: BatchStatus, **changes: object) -> None:
    """Let a worker do the next step, from the first row on."""
    fresh = {
        "done_through": 0,
        "done": 0,
        "attempts": 0,
        "lease_token": None,
        "lease_until": None,
        "finished_at": None,
        **_NO_ERROR,
    }
    ImportBatch.objects.filter(pk=row.pk).update(status=status, **{**fresh, **changes})
    leases.told(row.pk, row.owner_id)
    jobs.enqueue(RUN, batch_id=row.pk)


def _locked(batch: ImportBatch, *allowed: BatchStatus) -> ImportBatch:
    row = ImportBatch.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=batch.pk)
    if row.status not in allowed:
        raise NotNow(f"It is {row.get_status_display().lower()}.")
    return row


def _locked_before_import(batch: ImportBatch) -> ImportBatch:
    row = _locked(batch, BatchStatus.MAPPING, BatchStatus.READY, BatchStatus.STAGING, BatchStatus.FAILED)
    if row.created or row.updated:
        raise NotNow("A part of it is imported already. Try the step again, then take it back.")
    return row


def _record(verb: Verb, batch: ImportBatch, by: User | None) -> None:
    detail: dict[str, str | int] = {"workspace": batch.workspace.name, "import": batch.pk}
    audit.services.record(verb, actor=by, subject=batch.name, detail=detail)
