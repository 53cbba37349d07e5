"""The head of an answer, read so that it means one thing. http.client is lenient: it takes half a head for a whole one, passes
over whatever stands behind a line that it cannot read, and hands on an interim response as if it were the answer.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO, cast

MOST_BYTES = 262_144  # of everything before the body, interim responses included; and of what may follow it
_LONGEST_SIZE = 65_536  # of the line before a chunk
_LINE = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r\n\0]*)\r?\n")  # a name, which a blank may stand behind (RFC 9112, 5.1)
_FOLD = re.compile(rb"[ \t][^\r\n\0]*\r?\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\0]*)?\r?\n")  # of a chunk (RFC 9112, 7.1)
_EMPTY = (b"\r\n", b"\n")


class Broken(HTTPException):
    """No head that can be relied on; the text says why, to whoever sent the request."""


class Headed(HTTPResponse):
    """An answer that begins where its final head does."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self._socket = sock

    def is_ready(self, within_s: float) -> bool:
        """Whether reading on waits no longer than this: more has come, or the end has."""
        try:
            return self.fp is None or bool(self._come()) or (self._is_readable(within_s) and self._come() is not None)
        except OSError:
            return True  # which whoever reads is told

    def _come(self) -> bytes | None:
        """What has come and was not read; None where only a part of a TLS record has."""
        waits = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            return self.fp.peek(1)
        except ssl.SSLWantReadError:
            return None
        finally:
            self._socket.settimeout(waits)

    def _is_readable(self, within_s: float) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(max(0.0, within_s) * 1000))

    def begin(self) -> None:
        """Interim responses (RFC 9110, 15.2) are passed over, but for 101: what comes behind that is no HTTP any more."""
        wire = self.fp
        self.fp = cast("BinaryIO", _Lines(wire))  # type: ignore[assignment]  # of which a head is read by lines alone
        try:
            super().begin()
            while self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
                self.headers = None  # type: ignore[assignment]  # so that the next head is read
                super().begin()
        finally:
            if self.fp is not None:  # http.client has closed it
                self.fp = wire
        if not self._ends_in_one_way():
            raise Broken("The answer does not say plainly where it ends.")

    def _read_next_chunk_size(self) -> int:
        """http.client's own takes whatever Python reads as a number: `-1`, behind which every size is read as part of the body,
        `1_0`, and the first half of a line that breaks off.
        """
        found = _SIZE.fullmatch(self.fp.readline(_LONGEST_SIZE))
        if found is None:
            raise Broken("The answer does not say plainly where it ends.")
        return int(found[1], 16)

    def _read_and_discard_trailer(self) -> None:
        """Within the same bound as a head. An end of the connection is taken for the empty line that some do not send."""
        left = MOST_BYTES
        while (line := self.fp.readline(left)) not in (b"", *_EMPTY):
            left -= len(line)
            if left <= 0:
                raise Broken("The answer has more or longer headers than are read.")

    def _ends_in_one_way(self) -> bool:
        """Whether every reader finds the same end of the body (RFC 9112, 6.3). Chunks of a coding that nobody here knows would
        also be handed on with their sizes in between, where no scrubber finds what they cut.
        """
        codings = [one.lower() for one in self.msg.get_all("transfer-encoding", [])]
        lengths = {one.strip() for one in self.msg.get_all("content-length", [])}
        return codings in ([], ["chunked"]) and len(lengths) <= 1 and all(one.isascii() and one.isdecimal() for one in lengths)


class _Lines:
    """The lines of heads, each of which is what its place asks for. Raises Broken."""

    def __init__(self, wire: BinaryIO) -> None:
        self._wire, self._left, self._in_head, self._may_fold = wire, MOST_BYTES, False, False

    def readline(self, limit: int = -1) -> bytes:
        line = self._wire.readline(limit)
        self._left -= len(line)
        if self._left < 0 or (limit > 0 and len(line) >= limit):
            raise Broken("The answer has more or longer headers than are read.")
        if not self._in_head:
            self._in_head, self._may_fold = True, False
            return line  # the status, which http.client judges
        if line in _EMPTY:
            self._in_head = False
            return line
        return self._header(line)

    def close(self) -> None:
        self._wire.close()

    def _header(self, line: bytes) -> bytes:
        found = _LINE.fullmatch(line)
        if found is None and not line.endswith(b"\n"):
            raise Broken("The connection ended, or nothing came, before the answer was whole.")
        if found is None and not (self._may_fold and _FOLD.fullmatch(line)):
            raise Broken("The answer has a line among its headers that is none.")
        self._may_fold = True
        return line if found is None else b"%b: %b\r\n" % (found[1], found[2].strip(b" \t"))
