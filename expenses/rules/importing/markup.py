"""XML from outside as a stream of elements: no entities, no document types, and nothing kept that was passed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import IO, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from expenses.rules.importing.tables import UnreadableFile

# What no statement has, and what would fill the memory: an entry of some thirty thousand payments stays below.
_MOST_IN_ONE: Final = 1 << 20
_DEEPEST: Final = 100
_MOST_NAMES: Final = 10_000
_LONGEST_TEXT: Final = 4 << 20


def elements(file: IO[bytes], *, whole: Collection[str] = ()) -> Iterator[tuple[str, Element]]:
    """("start" or "end", element) in the order of the file.

    What ended is let go once it was handed over, unless it lies in one of the elements named in `whole`: those have all that is
    in them when they end. Raises UnreadableFile.
    """
    source = _Source(file)
    place = _Place(whole)
    try:
        for event, element in iterparse(source, events=("start", "end"), forbid_dtd=True):
            source.silent = 0
            if event == "start":
                place.enter(element)
                yield event, element
            else:
                yield event, element
                place.leave(element)
    except ParseError as error:
        raise UnreadableFile(f"Line {error.position[0]}: this is not well-formed XML.") from error
    except DefusedXmlException as error:
        raise UnreadableFile("The XML declares entities or a document type. Statements have none; it is not read.") from error


class _Source:
    """The file, as far as elements start or end in it. `silent`: bytes since the last one did."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.silent = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.silent += len(data)
        if self.silent > _LONGEST_TEXT:
            raise UnreadableFile("The XML has a value of more than four million characters. No statement has.")
        return data


class _Place:
    """Where in the file the reader is, and what of it has to be kept."""

    def __init__(self, whole: Collection[str]) -> None:
        self._whole = whole
        self._parents: list[Element] = []
        self._names: set[str] = set()
        self._outermost: Element | None = None  # of those that are wanted whole
        self._kept = 0

    def enter(self, element: Element) -> None:
        self._parents.append(element)
        self._names.add(element.tag)
        if self._outermost is None and tag(element) in self._whole:
            self._outermost, self._kept = element, 0
        self._kept += 1
        if len(self._parents) > _DEEPEST or len(self._names) > _MOST_NAMES:
            raise UnreadableFile("The XML has more kinds or levels of elements than any statement.")
        if self._outermost is not None and self._kept > _MOST_IN_ONE:
            raise UnreadableFile(f"One entry of the XML has more than {_MOST_IN_ONE:,} elements.")

    def leave(self, element: Element) -> None:
        self._parents.pop()
        if self._outermost is element:
            self._outermost = None
        if self._outermost is None and self._parents:
            self._parents[-1].remove(element)


def tag(element: Element) -> str:
    """The tag's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def find(element: Element, path: str) -> Element | None:
    """The first element at a path of names, in any namespace: "BookgDt/Dt"."""
    here: Element | None = element
    for name in path.split("/"):
        here = next((child for child in here if tag(child) == name), None) if here is not None else None
    return here


def text(element: Element, *paths: str) -> str:
    """The text at the first of the paths that has one; empty for none."""
    for path in paths:
        found = find(element, path)
        if found is not None and found.text and found.text.strip():
            return " ".join(found.text.split())
    return ""
