"""OFX and QFX: version 1 is SGML whose values have no end tags, version 2 is XML. Both become the same tokens."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import IO
from xml.etree.ElementTree import Element

from expenses.rules.importing import markup, texts
from expenses.rules.importing.tables import Cell, Layout, Row, Table, UnreadableFile

COLUMNS = ("Date", "Amount", "Currency", "Payee", "Description", "Type", "Transaction id", "Account")

# Without a way back: a name that no ">" follows would else be tried at every length.
_TOKEN = re.compile(r"<(/?)([A-Za-z0-9_.]++)[^<>]*+>([^<]*)")
_LONGEST_TOKEN = 1 << 16
_AMOUNT = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,8})?")


def read(file: IO[bytes], layout: Layout) -> Table:
    """One row for each transaction of each statement. Raises UnreadableFile, also while the rows are read."""
    return Table(
        COLUMNS, _rows(_tokens_of_xml(file) if layout.encoding == "xml" else _tokens(texts.pieces(file, layout.encoding)))
    )


def encoding(head: bytes, otherwise: str) -> str:
    """How to read a file that starts so: "xml" for version 2; the character set that version 1 declares."""
    start = head.decode("latin-1")
    if re.search(r"<\?xml", start) or re.search(r"<\?OFX[^>]*VERSION=\"2", start):
        return "xml"
    if re.search(r"^\s*CHARSET:\s*1252", start, re.MULTILINE) and otherwise != "utf-8":
        return "cp1252"
    return otherwise


@dataclass(frozen=True, slots=True)
class _Token:
    """The start of `name` with what stands behind it, or its end."""

    name: str
    value: str
    is_end: bool


def _tokens(pieces: Iterator[str]) -> Iterator[_Token]:
    rest = ""
    for piece in pieces:
        rest += piece
        end = 0
        # A value may go on in the next piece: the last token waits for the one behind it.
        for found in _TOKEN.finditer(rest):
            if found.end() == len(rest):
                break
            yield _token(found)
            end = found.end()
        rest = rest[end:]
        if len(rest) > _LONGEST_TOKEN:
            raise UnreadableFile("The file has a value of more than 64 thousand characters. This does not look like OFX.")
    yield from (_token(found) for found in _TOKEN.finditer(rest))


def _token(found: re.Match[str]) -> _Token:
    return _Token(found[2].upper(), " ".join(html.unescape(found[3]).split()), found[1] == "/")


def _tokens_of_xml(file: IO[bytes]) -> Iterator[_Token]:
    started: Element | None = None  # last: only what ends right behind its start has a value
    for event, element in markup.elements(file):
        name = markup.tag(element).upper()
        if event == "start":
            started = element
            yield _Token(name, "", is_end=False)
            continue
        if started is element and element.text and element.text.strip():
            yield _Token(name, " ".join(element.text.split()), is_end=False)
        yield _Token(name, "", is_end=True)


@dataclass(slots=True)
class _Statement:
    """Where in the file the reader is: whose account, in which currency."""

    account: str = ""
    currency: str = ""
    values: dict[str, str] | None = None
    inside: list[str] = field(default_factory=list)


_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM")
_STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")
_INNER = ("PAYEE", "CURRENCY", "ORIGCURRENCY", "BANKACCTTO", "CCACCTTO")


def _rows(tokens: Iterator[_Token]) -> Iterator[Row]:
    here, number, seen = _Statement(), 0, False
    for token in tokens:
        seen = seen or token.name == "OFX"
        if token.name == "STMTTRN" and not token.is_end:
            here.values, here.inside = {}, []
        elif token.name == "STMTTRN" and here.values is not None:
            number += 1
            yield _row(number, here, here.values)
            here.values = None
        else:
            _take(here, token)
    if not seen:
        raise UnreadableFile("There is no <OFX> in the file.")


def _take(here: _Statement, token: _Token) -> None:
    if here.values is not None:
        _take_value(here, here.values, token)
    elif token.name in _STATEMENTS and not token.is_end:
        here.account, here.currency = "", ""
    elif token.name == "CURDEF" and token.value:
        here.currency = token.value
    elif token.name in _ACCOUNTS:
        here.inside = [] if token.is_end else [token.name]
    elif token.name == "ACCTID" and token.value and here.inside:
        here.account = token.value


def _take_value(here: _Statement, values: dict[str, str], token: _Token) -> None:
    if token.name in _INNER:
        here.inside = [] if token.is_end else [token.name]
    elif token.value:
        inner = here.inside[0] if here.inside else ""
        # A payee's name counts as the name; the account that was paid to has values that are none of ours.
        if inner in ("", "PAYEE", "CURRENCY"):
            values.setdefault(token.name, token.value)


def _row(number: int, here: _Statement, values: dict[str, str]) -> Row:
    fitid = values.get("FITID", "")
    cells: dict[str, Cell] = {
        "Date": _day(values.get("DTPOSTED") or values.get("DTUSER", "")),
        "Amount": _amount(values.get("TRNAMT", "")),
        "Currency": values.get("CURSYM", "") or here.currency,
        "Payee": values.get("NAME", ""),
        "Description": values.get("MEMO", ""),
        "Type": values.get("TRNTYPE", ""),
        # An id is the bank's own within one account only.
        "Transaction id": f"{here.account}:{fitid}" if fitid and here.account else fitid,
        "Account": here.account,
    }
    return Row(number, cells)


def _day(text: str) -> Cell:
    """The day as the bank writes it: its own, whatever the zone behind it. What is no day stays as it is, to be refused."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return text


def _amount(text: str) -> Cell:
    return Decimal(text.replace(",", ".")) if _AMOUNT.fullmatch(text) else text
