"""Excel workbooks (.xlsx), row by row. A zip archive from outside: what it unpacks to is looked at before it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import SHARED_STRINGS

from expenses.rules.importing import headers
from expenses.rules.importing.tables import Cell, Layout, Row, Table, UnreadableFile, cells_of, column_names, names

_MAX_UNPACKED = 4 << 30
_MAX_SHARED = 256 << 20  # the texts that cells share are held in memory
_MAX_PART = 32 << 20  # what is read as a whole becomes a tree in memory
_MAX_ROWS = 1_048_576  # of a sheet; rows that a file leaves out are counted one by one
_BEYOND = 1e30  # no amount and no day
_SAMPLED = 60
_TOO_LARGE = "The workbook unpacks to more than can be read. Save the sheet as CSV and send that."

_Record = tuple[int, tuple[Cell, ...]]  # the number of a row, and its cells
_BROKEN = (
    InvalidFileException, zipfile.BadZipFile, ParseError, DefusedXmlException, KeyError, ValueError, TypeError, IndexError,
    OSError, EOFError, AttributeError, OverflowError,
)  # fmt: skip


def read(file: IO[bytes], layout: Layout) -> Table:
    """The table in one sheet of the workbook. Raises UnreadableFile, also while the rows are read."""
    records = _records(file, layout)
    first = next(records, None)
    if first is None:
        return Table((), iter(()))
    if layout.has_header:
        columns = names(tuple(_text(cell) for cell in first[1]))
        return Table(columns, _rows(records, columns))
    columns = column_names(len(first[1]))
    return Table(columns, _rows(_before(first, records), columns))


def sheets(file: IO[bytes]) -> list[str]:
    """The names of the sheets. Raises UnreadableFile."""
    book = _opened(file)
    try:
        return [str(name) for name in book.sheetnames]
    finally:
        book.close()


def recognised(file: IO[bytes], layout: Layout) -> Layout:
    """`layout` with the rows before the header, and whether there is one."""
    rows = [list(map(_text, values)) for _, values in islice(_values(file, layout), _SAMPLED)]
    widths = [len(row) for row in rows if any(row)]
    position, has_header = headers.place(rows, max(set(widths), key=widths.count) if widths else 0)
    return Layout(layout.format, skip=position, has_header=has_header, sheet=layout.sheet)


def _before(first: _Record, others: Iterator[_Record]) -> Iterator[_Record]:
    yield first
    yield from others


def _rows(records: Iterator[_Record], columns: tuple[str, ...]) -> Iterator[Row]:
    for number, values in records:
        yield Row(number, cells_of(columns, values))


def _records(file: IO[bytes], layout: Layout) -> Iterator[_Record]:
    for number, values in islice(_values(file, layout), layout.skip, None):
        if any(_text(cell) for cell in values):
            yield number, values


def _values(file: IO[bytes], layout: Layout) -> Iterator[_Record]:
    book = _opened(file)
    try:
        if layout.sheet and layout.sheet not in book.sheetnames:
            raise UnreadableFile(f"The workbook has no sheet “{layout.sheet}”.", attr="sheet")
        sheet = book[layout.sheet] if layout.sheet else book.worksheets[0]
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > _MAX_ROWS:
                raise UnreadableFile(f"The sheet has a row behind the last one that there is in Excel, {_MAX_ROWS:,}.")
            yield number, _trimmed(values)
    except _BROKEN as error:
        raise UnreadableFile("The workbook is damaged, or is not one of Excel's .xlsx files.") from error
    finally:
        book.close()


def _opened(file: IO[bytes]) -> Any:
    _measure(file)
    try:
        reader = _Reader(file)
        reader.read()
    except _BROKEN as error:
        raise UnreadableFile("The workbook is damaged, protected by a password, or not one of Excel's .xlsx files.") from error
    return reader.wb


class _Reader(ExcelReader):  # type: ignore[misc]  # openpyxl has no types
    """openpyxl finds parts by what the archive says of them, whatever they are called: so each is measured where it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.archive = _Archive(file)

    def read_strings(self) -> None:
        found = self.package.find(SHARED_STRINGS)
        if found is not None and self.archive.getinfo(found.PartName[1:]).file_size > _MAX_SHARED:
            raise UnreadableFile(_TOO_LARGE)
        super().read_strings()

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """There are no rows in a drawing."""


class _Archive(zipfile.ZipFile):
    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        if (name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)).file_size > _MAX_PART:
            raise UnreadableFile(_TOO_LARGE)
        return super().read(name, pwd)


def _measure(file: IO[bytes]) -> None:
    """Refuse an archive that unpacks to more than any table holds."""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = [one.file_size for one in archive.infolist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableFile("The workbook is damaged, or is not one of Excel's .xlsx files.") from error
    finally:
        file.seek(0)
    if sum(sizes) > _MAX_UNPACKED:
        raise UnreadableFile(_TOO_LARGE)


def _trimmed(values: Sequence[object]) -> tuple[Cell, ...]:
    """Cells without the empty ones at the end: a sheet is as wide as its widest row."""
    end = len(values)
    while end and values[end - 1] in (None, ""):
        end -= 1
    return tuple(_cell(value) for value in values[:end])


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not -_BEYOND < value < _BEYOND:
            return str(value)
        # Excel itself keeps fifteen digits; the rest is what its arithmetic left.
        return Decimal(f"{value:.15g}")
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    return "" if value is None else str(value).replace("\0", "")


def _text(cell: Cell) -> str:
    return str(cell).strip()
