"""JSON: a list of objects, an object that holds such a list, or one object in each line. Read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

from expenses.rules.importing import texts
from expenses.rules.importing.tables import Cell, Layout, Row, Table, UnreadableFile

_PIECE = 1 << 16
_LONGEST_VALUE = 1 << 20
_LOOKED_AT = 200
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=str)


def read(file: IO[bytes], layout: Layout) -> Table:
    """One row for each object. `columns`: the names in the first two hundred. Raises UnreadableFile, also while rows are read."""
    records = _Reader(texts.pieces(file, layout.encoding)).records()
    first = list(islice(records, _LOOKED_AT))
    columns = tuple(dict.fromkeys(name for one in first for name in _flat(one)))
    return Table(columns, (Row(number, _flat(one)) for number, one in enumerate(chain(first, records), start=1)))


def _flat(record: dict[str, Any]) -> dict[str, Cell]:
    try:
        return {_storable(name)[:100]: _cell(value) for name, value in record.items()}
    except RecursionError as error:
        raise UnreadableFile("An entry of the JSON file holds lists in lists without an end.") from error


def _storable(text: str) -> str:
    """Without halves of characters and zeros, which JSON can write and no database keeps."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _cell(value: object) -> Cell:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, list):
        return ", ".join(str(_cell(one)) for one in value)
    return _storable(_text(value))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case {"name": str(name)}:
            return name
        case _:
            return json.dumps(value, default=str, ensure_ascii=False)


class _Reader:
    """A window over the text that moves on: at most one value is held."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0

    def records(self) -> Iterator[dict[str, Any]]:
        if self._peek() == "[":
            self._at += 1
            yield from self._list()
        elif self._enter():
            yield from self._list()
        else:
            yield from self._objects()

    def _list(self) -> Iterator[dict[str, Any]]:
        while (sign := self._peek()) != "]":
            if sign == ",":
                self._at += 1
                continue
            if not sign:
                raise UnreadableFile("The list of the JSON file does not end: a part of the file is missing.")
            yield self._object()

    def _objects(self) -> Iterator[dict[str, Any]]:
        """One after the other, as lines of JSON are."""
        while self._peek():
            yield self._object()

    def _enter(self) -> bool:
        """Go into the first list of an object, if the first object holds one; else stay where the reader is."""
        if self._peek() != "{":
            raise UnreadableFile("The JSON file holds neither a list nor an object.")
        self._fill(_PIECE)
        at = self._at + 1
        try:
            while True:
                _, at = _DECODER.raw_decode(self._text, _skip(self._text, at, ", \t\r\n"))
                at = _skip(self._text, at, ": \t\r\n")
                if self._text[at : at + 1] == "[" and self._text[_skip(self._text, at + 1, " \t\r\n")][:1] == "{":
                    self._at = at + 1
                    return True
                _, at = _DECODER.raw_decode(self._text, at)
        except (ValueError, IndexError, RecursionError):
            return False

    def _object(self) -> dict[str, Any]:
        value = self._value()
        if not isinstance(value, dict):
            raise UnreadableFile("An entry of the JSON file is not an object with names and values.")
        return value

    def _value(self) -> Any:
        wanted = _PIECE
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if wanted > _LONGEST_VALUE or not self._fill(wanted):
                    raise UnreadableFile(
                        "The file is not well-formed JSON, or one entry is longer than a million characters."
                    ) from error
                wanted *= 2
            else:
                return value

    def _peek(self) -> str:
        """The next sign that is no space; empty at the end."""
        while True:
            self._at = _skip(self._text, self._at, " \t\r\n")
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill(1):
                return ""

    def _fill(self, wanted: int) -> bool:
        """Have `wanted` more signs in view; False when nothing is left to come."""
        parts, length = [self._text[self._at :]], 0
        while length < wanted and (piece := next(self._pieces, "")):
            parts.append(piece)
            length += len(piece)
        self._text, self._at = "".join(parts), 0
        return length > 0


def _skip(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] in signs:
        at += 1
    return at
