"""Compressed answers are opened within a bound, so that what is in them can be looked through, and no small one becomes huge."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 262_144
_PACKED = (b"\x1f\x8b", b"x\x01", b"x\x9c", b"x\xda")  # gzip, and zlib where no text begins so
SUPPORTED = ("identity", "gzip", "x-gzip", "deflate")


class UnknownEncoding(ValueError):
    """The answer is compressed in a way that was not asked for."""


class Undecodable(ValueError):
    """The answer says that it is compressed, and is not."""


class PackedAgain(ValueError):
    """What was opened is compressed once more than the answer says, so it cannot be looked through."""


def encodings(header: str) -> list[str]:
    """What Content-Encoding names, in the order in which it was applied. Raises UnknownEncoding."""
    found = [part.strip().lower() for part in header.split(",") if part.strip()]
    if len(found) > 2 or any(one not in SUPPORTED for one in found):
        raise UnknownEncoding(header[:80])
    return [one for one in found if one != "identity"]


def decoded(chunks: Iterator[bytes], names: list[str]) -> Iterator[bytes]:
    """The content, in pieces of bounded size however much one chunk holds. Raises Undecodable, PackedAgain."""
    for name in reversed(names):
        chunks = _inflated(chunks, name)
    return _plain(chunks) if names else chunks


def _plain(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 2:
            break
    if head.startswith(_PACKED):
        raise PackedAgain
    if head:
        yield head
    yield from chunks


def _inflated(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    machine = None
    for chunk in chunks:
        data = chunk
        while data:
            if machine is None or machine.eof:  # gzip may have several members, one after the other
                machine = zlib.decompressobj(_window(name, data))
            try:
                piece = machine.decompress(data, _STEP)
            except zlib.error:
                raise Undecodable from None
            data = machine.unconsumed_tail or machine.unused_data
            if piece:
                yield piece
    if machine is not None:
        if rest := machine.flush():
            yield rest
        if not machine.eof:
            raise Undecodable


def _window(name: str, data: bytes) -> int:
    """Deflate is zlib's format by the standard, and bare in some servers; the first byte tells."""
    if name != "deflate":
        return _GZIP
    return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS
