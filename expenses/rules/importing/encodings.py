"""Which characters the bytes of a text file are: UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "cp1252": "Windows-1252 (Western European)",
}

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PROBE = 4096


class Recognition:
    """Looks at all bytes of a file while they pass by: a sample of plain letters would say nothing of an "é" far behind it."""

    def __init__(self) -> None:
        self._head = b""
        self._is_utf8 = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data: bytes) -> None:
        if len(self._head) < _PROBE:
            self._head += data[: _PROBE - len(self._head)]
        if self._is_utf8:
            self._try(data, final=False)

    def finish(self) -> str:
        """The encoding's name, one of ENCODINGS."""
        if named := _by_mark(self._head) or _by_zeros(self._head):
            return named
        if self._is_utf8:
            self._try(b"", final=True)
        return "utf-8" if self._is_utf8 else "cp1252"

    def _try(self, data: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._is_utf8 = False


def recognised(data: bytes) -> str:
    """The encoding of bytes that are there as a whole."""
    recognition = Recognition()
    recognition.feed(data)
    return recognition.finish()


def _by_mark(head: bytes) -> str:
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def _by_zeros(head: bytes) -> str:
    """UTF-16 without a mark: of Western letters every other byte is zero."""
    pairs = len(head) // 2
    if pairs < 2:
        return ""
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.6 and even < pairs * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.6 and odd < pairs * 0.1 else ""
