"""What objects hold: small bodies in memory, larger ones in files that are gone with the process."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_IN_MEMORY = 64 * 1024
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in memory or in a file."""

    size: int
    md5: str
    content: bytes | None
    path: Path | None

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`."""
        stop = self.size if end is None else min(end, self.size)
        if self.content is not None:
            yield self.content[start:stop]
            return
        assert self.path is not None  # noqa: S101 - one of the two is there
        with self.path.open("rb") as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class Body:
    """An object's content: the parts that it was uploaded in."""

    blobs: tuple[Blob, ...]
    etag: str

    @property
    def size(self) -> int:
        return sum(blob.size for blob in self.blobs)

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        stop = self.size if end is None else end
        at = 0
        for blob in self.blobs:
            first, last = max(start - at, 0), min(stop - at, blob.size)
            if first < last:
                yield from blob.pieces(first, last)
            at += blob.size

    def crc32(self) -> str:
        crc = 0
        for piece in self.pieces():
            crc = zlib.crc32(piece, crc)
        return encoded(crc)


def encoded(crc: int) -> str:
    """A CRC-32 as S3 writes it."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


class Shelf:
    """Where bodies are kept."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def blob(self, content: bytes) -> Blob:
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if len(content) <= _IN_MEMORY:
            return Blob(len(content), digest, content, None)
        return Blob(len(content), digest, None, self._file(content))

    def _file(self, content: bytes) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="simulated-s3-")
        self._count += 1
        path = Path(self._folder.name) / str(self._count)
        path.write_bytes(content)
        return path

    def discard(self, blobs: Sequence[Blob]) -> None:
        """An answer that is being read keeps its open file."""
        for blob in blobs:
            if blob.path is not None:
                blob.path.unlink(missing_ok=True)

    def clear(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def whole(blob: Blob) -> Body:
    return Body((blob,), blob.md5)


def assembled(blobs: Sequence[Blob]) -> Body:
    """The body of a multipart upload; its ETag is a digest of digests."""
    digest = hashlib.md5(b"".join(bytes.fromhex(blob.md5) for blob in blobs), usedforsecurity=False).hexdigest()
    return Body(tuple(blobs), f"{digest}-{len(blobs)}")
