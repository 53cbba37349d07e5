"""A pasted shell command as words: quotes of all kinds, escapes and continued lines, up to where another command begins."""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_ANSI_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{1,4}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ENDS = "|;&<>\n"
_CONTINUED = re.compile(r"[\\^`][ \t]*\r?\n[ \t]*")


class NotClosed(ValueError):
    """A quote has no end."""


def words(text: str) -> list[str]:
    """The words of the first command in `text`. Raises NotClosed."""
    return _Reader(text.strip()).words()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.word: str | None = None
        self.found: list[str] = []

    def words(self) -> list[str]:
        while self.place < len(self.text) and self.text[self.place] not in _ENDS:
            self._step()
        self._end_word()
        return self.found

    def _step(self) -> None:
        character = self.text[self.place]
        if continued := _CONTINUED.match(self.text, self.place):
            self.place = continued.end()
            self._end_word()
        elif character in " \t\r":
            self.place += 1
            self._end_word()
        elif character == "'":
            self._add(self._until("'", self.place + 1))
        elif self.text.startswith("$'", self.place):
            self._add(self._ansi())
        elif character == '"':
            self._add(self._double())
        elif character == "\\" and self.place + 1 < len(self.text):
            self._take(self.text[self.place + 1], 2)
        else:
            self._take(character, 1)

    def _take(self, text: str, length: int) -> None:
        self.place += length
        self._add(text)

    def _add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def _end_word(self) -> None:
        if self.word is not None:
            self.found.append(self.word)
        self.word = None

    def _until(self, quote: str, start: int) -> str:
        end = self.text.find(quote, start)
        if end < 0:
            raise NotClosed
        self.place = end + 1
        return self.text[start:end]

    def _closing(self, quote: str, start: int) -> str:
        """Up to the next quote that has no backslash in front of it."""
        end = start
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise NotClosed
        self.place = end + 1
        return self.text[start:end]

    def _double(self) -> str:
        inside = self._closing('"', self.place + 1)
        return re.sub(r'\\(\r?\n|["\\$`])', lambda found: "" if found[1].endswith("\n") else found[1], inside)

    def _ansi(self) -> str:
        return _ANSI_ESCAPE.sub(_unescaped, self._closing("'", self.place + 2))


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "ux" and len(code) > 1:
        number = int(code[1:], 16)
        return "\ufffd" if 0xD800 <= number <= 0xDFFF else chr(number)  # half of a surrogate pair is no character
    return chr(int(code, 8)) if code.isdecimal() and code[0] in "01234567" else _ESCAPES.get(code, code)
