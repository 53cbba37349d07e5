"""Reading a file row by row and judging each: a chunk in memory at a time, however long the file is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from django.db import transaction
from django.db.models import Count

from expenses.models import BatchStatus, ImportBatch, ImportRow
from expenses.rules.entries import Entry
from expenses.rules.importing import formats, readings, verdicts
from expenses.rules.importing.readings import NotAnExpense, Reading
from expenses.rules.importing.tables import Row
from expenses.rules.importing.verdicts import Candidate, Judgement, Seen, Verdict
from expenses.selectors import import_files
from expenses.services.importing import ledger
from expenses.services.importing.leases import Lease

CHUNK: Final = 1000


def stage(batch: ImportBatch, lease: Lease) -> None:
    """Go on behind the last row that is judged. Raises LeaseLost, UnreadableFile."""
    counts, read = Counter({name: int(n) for name, n in batch.counts.items()}), batch.rows_read
    with import_files.opened(batch, batch.how_read.format) as one:
        rows = (
            row for row in formats.read(one.file, batch.how_read).rows if row.number > batch.done_through and not row.is_empty
        )
        while chunk := list(islice(rows, CHUNK)):
            judged = list(_judged(batch, chunk))
            counts.update(str(row.verdict) for row in judged)
            read += len(chunk)
            progress = min(99, one.position * 100 // max(1, batch.size))
            with transaction.atomic():
                lease.renew(done_through=chunk[-1].number, rows_read=read, counts=dict(counts), done=progress)
                ImportRow.objects.bulk_create(judged)
    with transaction.atomic():
        counts.update(_settle(batch))
        told = {name: n for name, n in counts.items() if n}
        lease.give_back(status=BatchStatus.READY, counts=told, done=100, attempts=0)


def _judged(batch: ImportBatch, chunk: Sequence[Row]) -> Iterator[ImportRow]:
    reading = batch.meaning
    read = {row.number: _read(row, reading) for row in chunk}
    candidates = [Candidate(number, one) for number, one in read.items() if isinstance(one, Entry)]
    found = verdicts.judge(
        candidates,
        ledger.known(batch, [one.parsed for one in candidates]),
        _seen(batch, candidates),
        source=batch.source,
        incoming=reading.incoming,
    )
    judgements = {one.number: (one, judgement) for one, judgement in zip(candidates, found, strict=True)}
    for row in chunk:
        one = read[row.number]
        raw = {name: str(cell) for name, cell in row.cells.items()}
        if isinstance(one, Entry):
            yield _row(batch, raw, *judgements[row.number])
        else:
            yield ImportRow(batch=batch, number=row.number, raw=raw, verdict=Verdict.INVALID, reason=one[:300])


def _read(row: Row, reading: Reading) -> Entry | str:
    """What it says, or why it says nothing."""
    try:
        return readings.parse(row, reading)
    except NotAnExpense as error:
        return str(error)


def _row(batch: ImportBatch, raw: Mapping[str, str], one: Candidate, judgement: Judgement) -> ImportRow:
    return ImportRow(
        batch=batch,
        number=one.number,
        raw=raw,
        parsed=one.parsed.as_json(),
        fingerprint=one.fingerprint if judgement.occurrence is not None else "",
        external_id=one.parsed.external_id,
        occurrence=judgement.occurrence,
        verdict=judgement.verdict,
        reason=judgement.reason[:300],
        match=judgement.match,
        near=[str(pk) for pk in judgement.near],
        diff={name: list(pair) for name, pair in judgement.diff.items()},
    )


def _seen(batch: ImportBatch, candidates: Iterable[Candidate]) -> Seen:
    """What earlier rows of the file said that these may repeat."""
    earlier = ImportRow.objects.filter(batch=batch)
    prints = {one.fingerprint for one in candidates}
    ids = {one.parsed.external_id for one in candidates if one.parsed.external_id}
    alike = earlier.filter(fingerprint__in=prints).order_by().values_list("fingerprint").annotate(n=Count("pk"))
    named = earlier.filter(external_id__in=ids).order_by("-number") if ids else ImportRow.objects.none()
    return Seen(
        occurrences=dict(alike),
        ids={row.external_id: (row.number, verdicts.told(Entry.of_json(row.parsed))) for row in named},
    )


def _settle(batch: ImportBatch) -> Counter[str]:
    """A row that is like an expense which another row of the file is exactly is like nothing any more: see it anew.

    The change of the counts by verdict.
    """
    changes: Counter[str] = Counter()
    after = 0
    while chunk := list(ImportRow.objects.filter(batch=batch, verdict=Verdict.NEAR, number__gt=after).order_by("number")[:CHUNK]):
        after = chunk[-1].number
        near = {pk for row in chunk for pk in row.near}
        taken = ImportRow.objects.filter(batch=batch, verdict=Verdict.DUPLICATE, match__in=near)
        claimed = {str(pk) for pk in taken.values_list("match", flat=True)}
        settled = [row for row in chunk if _settled(row, claimed)]
        changes.update(str(row.verdict) for row in settled)
        changes.subtract({Verdict.NEAR.value: len(settled)})
        ImportRow.objects.bulk_update(settled, ["verdict", "reason", "match", "near"], batch_size=200)
    return changes


def _settled(row: ImportRow, claimed: set[str]) -> bool:
    """Whether it changed."""
    free = [pk for pk in row.near if pk not in claimed]
    if free == row.near:
        return False
    row.near, row.match = free, free[0] if free else None
    if not free:
        row.verdict = Verdict.KEPT if row.occurrence else Verdict.NEW
        row.reason = "The file has it several times; each counts." if row.occurrence else ""
    return True
