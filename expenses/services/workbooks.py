"""Tables as Excel workbooks, written row by row into a file of the system and sent from there piece by piece."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

_PIECE: Final = 1 << 16
# What one sheet of Excel holds, its header included.
SHEET_ROWS: Final = 1_048_576


def pieces(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The workbook's bytes. What does not fit into one sheet goes on in the next."""
    book = Workbook(write_only=True)
    sheet, written = book.create_sheet(title), 1
    sheet.append(list(header))
    for row in rows:
        if written == SHEET_ROWS:
            sheet, written = book.create_sheet(f"{title} {len(book.worksheets) + 1}"), 1
            sheet.append(list(header))
        sheet.append([_writable(cell) for cell in row])
        written += 1
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _writable(cell: object) -> object:
    """One sign that XML has no way to write would break off the whole file. It is not just left out: a formula may follow it."""
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", cell) if isinstance(cell, str) else cell
