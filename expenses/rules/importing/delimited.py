"""Text with a delimiter: CSV, TSV, and what banks make of them. Quoted fields may hold line ends."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO

from expenses.rules.importing import headers, texts
from expenses.rules.importing.tables import Layout, Row, Table, UnreadableFile, cells_of, column_names, names

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
_SAMPLED = 60


def read(file: IO[bytes], layout: Layout) -> Table:
    """The table in `file`. Raises UnreadableFile, also while the rows are read."""
    records = _records(islice(texts.lines(file, layout.encoding), layout.skip, None), layout)
    first = next(records, None)
    if first is None:
        return Table((), iter(()))
    if layout.has_header:
        columns = names(tuple(first[1]))
        return Table(columns, _rows(records, columns))
    columns = column_names(len(first[1]))
    return Table(columns, _rows(_before(first, records), columns))


def _before(first: tuple[int, list[str]], others: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from others


def _records(lines: Iterable[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Records that are not empty, each with the line it starts in."""
    reader = csv.reader(lines, delimiter=layout.delimiter)
    start = layout.skip + 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(f"Line {start}: a quote is opened and not closed, or a field is too long.") from error
        if any(field.strip() for field in fields):
            yield start, fields
        start = layout.skip + reader.line_num + 1


def _rows(records: Iterator[tuple[int, list[str]]], columns: tuple[str, ...]) -> Iterator[Row]:
    for number, fields in records:
        yield Row(number, cells_of(columns, tuple(fields)))


# --- recognition


def recognised(sample: Sequence[str], layout: Layout) -> Layout:
    """`layout` with delimiter, lines before the header and whether there is one, of the file that starts with `sample`."""
    lines = list(sample[:_SAMPLED])
    delimiter = max(DELIMITERS, key=lambda sign: _fit(lines, sign))
    rows = list(csv.reader(lines, delimiter=delimiter))
    width = _width(rows)
    position, has_header = headers.place(rows, width)
    return Layout(layout.format, layout.encoding, delimiter, _line_of(lines, delimiter, position), has_header)


def _fit(lines: Sequence[str], delimiter: str) -> tuple[bool, float, int]:
    """How well the delimiter cuts the lines into the same number of fields."""
    counts = Counter(len(row) for row in _loosely(lines, delimiter) if row)
    if not counts:
        return False, 0.0, 0
    width, times = max(counts.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
    return width > 1, round(times / sum(counts.values()), 1), width


def _width(rows: Sequence[Sequence[str]]) -> int:
    counts = Counter(len(row) for row in rows if row)
    return max(counts.items(), key=lambda item: (item[0] > 1, item[1], item[0]))[0] if counts else 0


def _loosely(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _line_of(lines: Sequence[str], delimiter: str, position: int) -> int:
    """How many lines come before the record at `position`."""
    reader = csv.reader(lines, delimiter=delimiter)
    for _ in islice(reader, position):
        pass
    return reader.line_num
