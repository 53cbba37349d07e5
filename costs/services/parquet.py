"""A FOCUS file as Parquet, with types: written by DuckDB beside the stream, so that memory stays the same however long it is."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from costs.rules import focus
from costs.rules.billing_cells import MONEY
from costs.rules.sql_dialects import literal

_PIECE = 1 << 20
_MEMORY, _THREADS = "256MB", 2


def pieces(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The file's bytes. Rows are in the order of `focus.header()`; empty cells are null."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = _written(rows, Path(folder))
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _written(rows: Iterable[Sequence[object]], folder: Path) -> Path:
    text, path = folder / "rows.csv", folder / "rows.parquet"
    with text.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    (folder / "spill").mkdir()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": _THREADS,
        "memory_limit": _MEMORY,
        "temp_directory": str(folder / "spill"),
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute(_copy(text, path))
    return path


def _copy(text: Path, path: Path) -> str:
    names = focus.header()
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    how = "header = false, auto_detect = false, quote = '\"', escape = '\"'"
    selected = ", ".join(f'CAST(NULLIF("{name}", \'\') AS {_type(name)}) AS "{name}"' for name in names)
    source = f"read_csv({literal(str(text))}, columns = {{{columns}}}, {how})"
    return f"COPY (SELECT {selected} FROM {source}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"


def _type(name: str) -> str:
    if name in focus.MONEY_COLUMNS:
        return MONEY
    if name in focus.TIME_COLUMNS:
        return "TIMESTAMP WITH TIME ZONE"
    return "BOOLEAN" if name in {"x_Estimated", "x_Complete"} else "VARCHAR"
