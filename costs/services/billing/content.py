"""What is in a file that somebody sent, whatever it is called: told by its first bytes, unpacked within bounds."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cloudconsole.core.errors import CloudconsoleError, Kind

# Small enough for the processor's cache: unpacking a megabyte at a time takes half as long again.
_PIECE = 1 << 16
_MOST_MEMBERS = 1_000
_LONGEST_HEADER = 1 << 20
# What is left for everything else on this machine's disk.
LEFT_FREE = 1 << 30
_DELIMITERS = ",;\t|"
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


class UnreadableFile(CloudconsoleError):
    """The file is none that can be imported."""

    code = "file_unreadable"
    title = "The file cannot be read"


class FileTooLarge(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "file_too_large"
    title = "The file is too large"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Shape(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Content:
    """Files of one shape that are one export. `names`: the columns of a CSV file; a Parquet file tells its own."""

    shape: Shape
    paths: tuple[Path, ...]
    names: tuple[str, ...] = ()
    delimiter: str = ","


@dataclass(slots=True)
class _Room:
    """How many bytes may still be unpacked: a small file may hold an endless one."""

    folder: Path
    left: int

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0 or shutil.disk_usage(self.folder).free < LEFT_FREE:
            raise FileTooLarge(
                "Unpacked, the file is larger than may be kept here (COST_IMPORT_MAX_GB, and the disk's free space)."
            )


def unpacked(paths: Sequence[Path], folder: Path, *, most: int) -> Content:
    """The files ready to be read, unpacked into `folder`: at most `most` bytes. Raises UnreadableFile, FileTooLarge."""
    room = _Room(folder, most)
    found = [plain for path in paths for plain in _plain(path, room)]
    if not found:
        raise UnreadableFile("There is nothing in it.")
    shapes = {_shape(path) for path in found}
    if len(shapes) > 1:
        raise UnreadableFile("There are CSV and Parquet files in it; an export is one or the other.")
    if shapes == {Shape.PARQUET}:
        return Content(Shape.PARQUET, tuple(found))
    return _csv(found)


def _plain(path: Path, room: _Room, *, within: bool = False) -> Iterator[Path]:
    first = _first_bytes(path)
    if first.startswith(_GZIP):
        with gzip.open(path) as packed:
            yield _written(packed, room, f"{path.name}.plain")
    elif first.startswith(_ZIP) and not within:
        yield from _zipped(path, room)
    elif first.startswith(_ZIP):
        raise UnreadableFile("There is a ZIP file in the ZIP file.")
    else:
        yield path


def _zipped(path: Path, room: _Room) -> Iterator[Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
            if len(files) > _MOST_MEMBERS:
                raise UnreadableFile(f"The ZIP file holds more than {_MOST_MEMBERS:,} files.")
            for number, member in enumerate(files):
                with archive.open(member) as packed:  # written under a name of ours: theirs may lead anywhere
                    yield from _plain(_written(packed, room, f"{path.name}.{number}"), room, within=True)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise UnreadableFile("The ZIP file is damaged or locked by a password.") from error


def _written(packed: _Readable, room: _Room, name: str) -> Path:
    target = room.folder / name
    try:
        with target.open("wb") as plain:
            while piece := packed.read(_PIECE):
                room.take(len(piece))
                plain.write(piece)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise UnreadableFile("The packed file is damaged or cut off.") from error
    return target


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _shape(path: Path) -> Shape:
    first = _first_bytes(path)
    if first.startswith(_WIDE):
        raise UnreadableFile("The text is UTF-16. Save it as UTF-8.")
    return Shape.PARQUET if first == _PARQUET else Shape.CSV


def _csv(paths: list[Path]) -> Content:
    names, delimiter = _header(paths[0])
    for path in paths[1:]:
        if _header(path) != (names, delimiter):
            raise UnreadableFile("The files in it have different columns, so they are not one export.")
    return Content(Shape.CSV, tuple(paths), names, delimiter)


def _header(path: Path) -> tuple[tuple[str, ...], str]:
    with path.open("rb") as file:
        line = file.readline(_LONGEST_HEADER)
    if len(line) == _LONGEST_HEADER:
        raise UnreadableFile("The first line has no end. A billing file begins with the names of its columns.")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile("This is neither text in UTF-8 nor Parquet, gzip or ZIP.") from error
    if "\x00" in text or not text.strip():
        raise UnreadableFile(
            "This is neither a CSV file with the names of its columns in the first line nor Parquet, gzip or ZIP."
        )
    delimiter = max(_DELIMITERS, key=text.count)
    try:
        names = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile("The first line is no line of a CSV file.") from error
    return tuple(name.strip() for name in names), delimiter
