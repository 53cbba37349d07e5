"""Lists of RFC 9651 structured fields, as far as rate limits use them: items with parameters, read strictly or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Value = str | int | float | bool

_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_DECIMAL = re.compile(r"-?\d{1,12}\.\d{1,3}")
_INTEGER = re.compile(r"-?\d{1,15}")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_BOOLEAN = re.compile(r"\?([01])")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")


class NotStructured(ValueError):
    """The text is no such list; by the standard the whole field is then ignored."""


@dataclass(frozen=True, slots=True)
class Item:
    """One member of a list. Byte sequences stay in base64."""

    value: Value
    parameters: Mapping[str, Value]


def items(text: str) -> list[Item]:
    """Every member of a list. Raises NotStructured."""
    reader = _Reader(text)
    return list(reader.members())


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text.strip(" ")
        self.place = 0

    def members(self) -> Iterator[Item]:
        while self.place < len(self.text):
            yield self._item()
            self._take(_SPACE)
            if self.place == len(self.text):
                return
            self._expect(",")
            self._take(_SPACE)
            if self.place == len(self.text):
                raise NotStructured("A comma at the end.")

    def _item(self) -> Item:
        return Item(self._bare(), dict(self._parameters()))

    def _parameters(self) -> Iterator[tuple[str, Value]]:
        while self.text.startswith(";", self.place):
            self.place += 1
            self._take(_SPACE)
            key = self._must(_KEY)[0]
            if self.text.startswith("=", self.place):
                self.place += 1
                yield key, self._bare()
            else:
                yield key, True

    def _bare(self) -> Value:
        if found := self._take(_STRING):
            return re.sub(r"\\(.)", r"\1", found[1])
        if found := self._take(_DECIMAL):
            return float(found[0])
        if found := self._take(_INTEGER):
            return int(found[0])
        if found := self._take(_BOOLEAN):
            return found[1] == "1"
        return self._must_either(_BYTES, _TOKEN)

    def _must_either(self, first: re.Pattern[str], second: re.Pattern[str]) -> str:
        if found := self._take(first):
            return found[1]
        return self._must(second)[0]

    def _must(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = self._take(pattern)
        if not found:
            raise NotStructured(f"Not readable from character {self.place + 1} on.")
        return found

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.place)
        if found:
            self.place = found.end()
        return found

    def _expect(self, character: str) -> None:
        if not self.text.startswith(character, self.place):
            raise NotStructured(f"A comma is missing at character {self.place + 1}.")
        self.place += 1
