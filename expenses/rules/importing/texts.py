"""Text out of bytes, line by line, without a byte order mark and without zeros that no database keeps."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

from expenses.rules.importing.tables import UnreadableFile

# Longer than any line of a statement; a file without line ends is refused instead of filling the memory.
_LONGEST_LINE = 1 << 20
_PIECE = 1 << 16


def lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Lines with their ends. Raises UnreadableFile where a line has no end or the encoding is another."""
    text = io.TextIOWrapper(file, encoding=encoding, errors=_errors(encoding), newline="")
    number = 0
    try:
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise UnreadableFile(f"Line {number} is longer than a million characters. This does not look like a table.")
            yield _clean(line, first=number == 1)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"After line {number} there are bytes that are not {encoding.upper()}. Choose another encoding.", attr="encoding"
        ) from error
    finally:
        if not file.closed:  # by whoever stopped reading in the middle
            text.detach()


def pieces(file: IO[bytes], encoding: str) -> Iterator[str]:
    """The text in pieces of one size, for formats in which lines mean nothing. Raises UnreadableFile."""
    text = io.TextIOWrapper(file, encoding=encoding, errors=_errors(encoding), newline="")
    first = True
    try:
        while piece := text.read(_PIECE):
            yield _clean(piece, first=first)
            first = False
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"There are bytes that are not {encoding.upper()}. Choose another encoding.", attr="encoding"
        ) from error
    finally:
        if not file.closed:  # by whoever stopped reading in the middle
            text.detach()


def _errors(encoding: str) -> str:
    # Five bytes mean nothing in Windows-1252; some programs write them all the same.
    return "replace" if encoding == "cp1252" else "strict"


def _clean(line: str, *, first: bool) -> str:
    return (line.removeprefix("\ufeff") if first else line).replace("\0", "")
