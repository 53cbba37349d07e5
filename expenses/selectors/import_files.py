"""Files that were sent: their bytes, their first rows, and what those would become."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO

from expenses.models import ImportBatch, ImportPiece
from expenses.rules.entries import Entry
from expenses.rules.importing import formats, readings, workbooks
from expenses.rules.importing.readings import NotAnExpense, Reading
from expenses.rules.importing.tables import Format, Layout, Row

SAMPLED = 200
PREVIEWED = 10
_IN_MEMORY = 8 << 20


class Pieces(io.RawIOBase):
    """The bytes of a file, one piece in memory at a time. `position`: how many were read."""

    def __init__(self, batch_id: int) -> None:
        super().__init__()
        self._batch_id = batch_id
        self._next = 0
        self._rest = memoryview(b"")
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(self._piece())
        length = min(len(into), len(self._rest))
        into[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        self.position += length
        return length

    def _piece(self) -> bytes:
        found = ImportPiece.objects.filter(batch_id=self._batch_id, position=self._next)
        data = found.values_list("data", flat=True).first()
        self._next += 1
        return bytes(data) if data is not None else b""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file to read from; `position` tells how far the reading is, in bytes."""

    file: IO[bytes]
    pieces: Pieces

    @property
    def position(self) -> int:
        return self.pieces.position


@contextmanager
def opened(batch: ImportBatch, format_: Format) -> Iterator[Opened]:
    """The file as sent. A workbook is an archive in which one has to go to and fro, so it is copied to a file here."""
    pieces = Pieces(batch.pk)
    if format_ is not Format.XLSX:
        yield Opened(io.BufferedReader(pieces, 1 << 16), pieces)  # type: ignore[type-var]
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        while data := pieces.read(1 << 20):
            copy.write(data)
        copy.seek(0)
        yield Opened(copy, pieces)


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file, its columns, and the sheets of a workbook."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sheets: tuple[str, ...] = ()


def recognised(batch: ImportBatch, head: bytes, encoding: str) -> Layout:
    """How the file is read. Raises UnreadableFile."""
    layout = formats.recognised(head, encoding)
    if layout.format is not Format.XLSX:
        return layout
    with opened(batch, layout.format) as one:
        return formats.with_rows(one.file, layout)


def located(batch: ImportBatch, layout: Layout) -> Layout:
    """Where the header of another sheet is. Raises UnreadableFile."""
    with opened(batch, layout.format) as one:
        return formats.with_rows(one.file, replace(layout, skip=0, has_header=True))


def sample(batch: ImportBatch, layout: Layout) -> Sample:
    """The first two hundred rows; none once the file is imported, and gone. Raises UnreadableFile."""
    if not ImportPiece.objects.filter(batch=batch).exists():
        return Sample((), ())
    with opened(batch, layout.format) as one:
        sheets = tuple(workbooks.sheets(one.file)) if layout.format is Format.XLSX else ()
        if sheets:
            one.file.seek(0)
        table = formats.read(one.file, layout)
        rows = tuple(islice(table.rows, SAMPLED))
    more = dict.fromkeys(name for row in rows for name in row.cells)
    return Sample(tuple(dict.fromkeys((*table.columns, *more))), rows, sheets)


@dataclass(frozen=True, slots=True)
class Previewed:
    """A row of the file and what it would become, or why it cannot."""

    row: Row
    parsed: Entry | None
    reason: str = ""


def preview(rows: Sequence[Row], reading: Reading) -> list[Previewed]:
    """The first rows as they would be read; none while it is not known which column is what."""
    return [] if reading.lacks else [_previewed(row, reading) for row in rows[:PREVIEWED]]


def _previewed(row: Row, reading: Reading) -> Previewed:
    try:
        return Previewed(row, readings.parse(row, reading))
    except NotAnExpense as error:
        return Previewed(row, None, str(error))
