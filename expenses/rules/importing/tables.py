"""What every reader makes of a file: columns with names, and rows that come one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cloudconsole.core.errors import CloudconsoleError

# Text as it stands in the file; a number or a day where the format itself says what it is.
Cell = str | Decimal | date


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    OFX = "ofx"
    QIF = "qif"
    CAMT = "camt053"
    JSON = "json"


TITLES = {
    Format.CSV: "CSV or other delimited text",
    Format.XLSX: "Excel workbook",
    Format.OFX: "OFX or QFX",
    Format.QIF: "QIF",
    Format.CAMT: "camt.053",
    Format.JSON: "JSON",
}


class UnreadableFile(CloudconsoleError):
    """The file is not what it is read as; the detail says where and what to do."""

    code = "file_unreadable"
    title = "The file cannot be read"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes are read. Recognised first; a person may say otherwise. The last four matter to text and workbooks alone.

    `skip`: lines (rows of a sheet) before the header. `sheet`: empty for the first.
    """

    format: Format
    encoding: str = "utf-8"
    delimiter: str = ","
    skip: int = 0
    has_header: bool = True
    sheet: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Layout:
        """What `as_json` wrote."""
        return cls(**{**kept, "format": Format(kept["format"])})


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `number`: its line, its row in the sheet, or its place among the file's transactions; it only grows."""

    number: int
    cells: Mapping[str, Cell]

    def text(self, column: str) -> str:
        return str(self.cells.get(column, "")).strip()

    @property
    def is_empty(self) -> bool:
        return not any(str(cell).strip() for cell in self.cells.values())


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: those known before the rows are read. `rows` can be gone through once."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


def names(header: tuple[str, ...]) -> tuple[str, ...]:
    """Names for columns: what the header says, made unique; a number where it says nothing."""
    found: dict[str, None] = {}
    for position, title in enumerate(header, start=1):
        wanted = " ".join(title.split())[:100] or f"Column {position}"
        name, times = wanted, 1
        while name in found:
            times += 1
            name = f"{wanted} ({times})"
        found[name] = None
    return tuple(found)


def column_names(count: int) -> tuple[str, ...]:
    """Names for columns without a header."""
    return tuple(f"Column {position}" for position in range(1, count + 1))


def cells_of(columns: tuple[str, ...], values: tuple[Cell, ...]) -> dict[str, Cell]:
    """Values beyond the last named column keep a name of their own: nothing of a row is lost."""
    more = tuple(f"Column {position}" for position in range(len(columns) + 1, len(values) + 1))
    padded = values + ("",) * (len(columns) - len(values))
    return dict(zip(columns + more, padded, strict=True))
