"""A secret that the other side says back is taken out of what it says: plain or encoded, also where two chunks meet."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 8  # a shorter piece would be found in innocent text
MARK = b"[redacted]"
_UTF_16, _UTF_32 = b"\0", b"\0\0\0"  # between two ASCII characters, whichever byte comes first


def forms(parts: Iterable[str]) -> tuple[bytes, ...]:
    """Every way in which the parts of a secret are commonly written, the longest first."""
    found: set[bytes] = set()
    for part in parts:
        if len(part) >= SHORTEST:
            found |= set(_written(part))
            found |= set(_wide(part))
    return tuple(sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form)))


def _written(part: str) -> Iterable[bytes]:
    plain = part.encode()
    yield plain
    percent = [quote(part, safe=""), quote(part), quote_plus(part), quote(part, safe=":/?#[]@!$&'()*+,;=")]
    for text in percent:
        yield text.encode()
        yield _lower_percent(text).encode()
        yield quote(text, safe="").encode()  # encoded twice
    yield json.dumps(part)[1:-1].encode()
    yield json.dumps(part)[1:-1].replace("/", "\\/").encode()
    yield json.dumps(json.dumps(part)[1:-1])[1:-1].encode()  # JSON inside of JSON
    yield html.escape(part).encode()
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield from _base64(plain)


def _wide(part: str) -> Iterable[bytes]:
    """In UTF-16 and UTF-32, of either byte order: for ASCII one form of each, without the zeros that differ at its ends."""
    for form in set(_written(part)):
        text = form.decode()
        if text.isascii():
            yield from (_spread(form, _UTF_16), _spread(form, _UTF_32))
        else:
            yield from (text.encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))


def _spread(form: bytes, zeros: bytes) -> bytes:
    step = len(zeros) + 1
    found = bytearray(len(form) * step - len(zeros))
    found[::step] = form
    return bytes(found)


def _mark_for(form: bytes) -> bytes:
    """As wide as the form, so that the text after it stays readable."""
    for zeros in (_UTF_32, _UTF_16):
        if form[1:].startswith(zeros):
            return _spread(MARK, zeros)
    return MARK


def _lower_percent(text: str) -> str:
    pieces = text.split("%")
    return "%".join([pieces[0], *(piece[:2].lower() + piece[2:] for piece in pieces[1:])])


def _base64(plain: bytes) -> Iterable[bytes]:
    """As it stands at each of three places within something longer; the characters it shares with neighbours left out."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + plain)
        begin, end = (0, 2, 3)[before], len(encoded.rstrip(b"="))
        if (before + len(plain)) % 3:
            end -= 1
        yield encoded[begin:end]
        yield encoded[begin:end].replace(b"+", b"-").replace(b"/", b"_")


class Scrubber:
    """Takes the forms out of a stream. What could be the beginning of one is held back until more has come."""

    def __init__(self, found: tuple[bytes, ...]) -> None:
        self._forms = found
        self._narrow = tuple(form for form in found if b"\0" not in form)
        self._held = b""
        self.hits = 0

    def feed(self, chunk: bytes) -> bytes:
        if not self._forms:
            return chunk
        text = self._without(self._held + chunk)
        kept = self._beginning(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def end(self) -> bytes:
        """What was held back."""
        rest, self._held = self._held, b""
        return rest

    def taken_out(self, text: bytes) -> bytes:
        """Bytes that are complete."""
        return self._without(text)

    def whole(self, text: str) -> str:
        """A text that is complete."""
        return self._without(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")

    def _without(self, text: bytes) -> bytes:
        for form in self._forms if b"\0" in text else self._narrow:
            if form in text:
                self.hits += text.count(form)
                text = text.replace(form, _mark_for(form))
        return text

    def _beginning(self, text: bytes) -> int:
        """How many bytes at the end may be the beginning of a form."""
        return max(_overlap(form, text) for form in self._forms)


def _overlap(form: bytes, text: bytes) -> int:
    """The longest beginning of the form, short of all of it, that the text ends with.

    Candidates are where the text's last bytes stand in the form: to try every length would take somebody who stores a long
    secret, and has a service answer what nearly is one, seconds for each chunk.
    """
    most, last = min(len(form) - 1, len(text)), text[-SHORTEST:]
    length = form.rfind(last, 0, most) + len(last) if len(last) == SHORTEST else 0
    while length >= SHORTEST:
        if text.endswith(form[:length]):
            return length
        length = form.rfind(last, 0, length - 1) + SHORTEST
    return next((short for short in range(min(most, SHORTEST - 1), 0, -1) if text.endswith(form[:short])), 0)
