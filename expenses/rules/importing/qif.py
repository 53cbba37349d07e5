"""QIF: one letter and a value in each line, a record ends with "^"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from expenses.rules.importing import texts
from expenses.rules.importing.tables import Cell, Layout, Row, Table, UnreadableFile

COLUMNS = ("Date", "Amount", "Payee", "Description", "Category", "Subcategory", "Number", "Location", "Account")
_LONGEST_DAY = 100  # characters: the blanks around an apostrophe are looked for from each place
_REGISTERS = ("bank", "cash", "ccard", "oth a", "oth l")


@dataclass(slots=True)
class _Part:
    """A share of a split transaction."""

    category: str = ""
    memo: str = ""
    amount: str = ""


@dataclass(slots=True)
class _Record:
    line: int
    values: dict[str, str] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)


def read(file: IO[bytes], layout: Layout) -> Table:
    """One row for each transaction, or for each part of a split one. Raises UnreadableFile, also while the rows are read."""
    return Table(COLUMNS, _rows(texts.lines(file, layout.encoding)))


def _rows(lines: Iterator[str]) -> Iterator[Row]:
    section, account, seen = "", "", False
    record = _Record(1)
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.lower().startswith("!"):
            section, record = _section(text, section), _Record(number + 1)
            seen = seen or section in _REGISTERS
        elif text == "^":
            if section == "account":
                account = record.values.get("N", account)
            elif section in _REGISTERS:
                yield from _transactions(record, account)
            record = _Record(number + 1)
        elif text:
            _take(record, text[0].upper(), text[1:].strip())
    if section in _REGISTERS and record.values:
        yield from _transactions(record, account)
    if not seen:
        raise UnreadableFile("The file has no section of a bank account, a card or cash, such as !Type:Bank.")


def _section(text: str, now: str) -> str:
    lower = text.lower()
    if lower.startswith("!type:"):
        return lower.removeprefix("!type:").strip()
    return "account" if lower.startswith("!account") else now


def _take(record: _Record, letter: str, value: str) -> None:
    match letter:
        case "S":
            record.parts.append(_Part(category=value))
        case "E" if record.parts:
            record.parts[-1].memo = value
        case "$" if record.parts:
            record.parts[-1].amount = value
        case "A":
            record.values["A"] = ", ".join(filter(None, (record.values.get("A", ""), value)))
        case _:
            record.values.setdefault(letter, value)


def _transactions(record: _Record, account: str) -> Iterator[Row]:
    """Each part of a split by itself, in lines of its own; the parts must all have an amount, or the whole stays one."""
    values = record.values
    if not values:
        return
    if len(record.parts) < 2 or not all(part.amount for part in record.parts):
        category = values.get("L", "") or (record.parts[0].category if record.parts else "")
        whole = _Part(category, values.get("M", ""), values.get("T", "") or values.get("U", ""))
        yield _row(record.line, values, account, whole)
        return
    for position, part in enumerate(record.parts):
        yield _row(record.line + position, values, account, part)


def _row(line: int, values: dict[str, str], account: str, part: _Part) -> Row:
    # "Food:Coffee/Private" is a category, what is below it, and a class; "[Savings]" is another account.
    name = re.sub(r"/.*", "", part.category).strip().strip("[]")
    top, _, below = name.partition(":")
    cells: dict[str, Cell] = {
        "Date": re.sub(r"\s*'\s*", "/", values.get("D", "")[:_LONGEST_DAY]).replace(" ", ""),
        "Amount": part.amount,
        "Payee": values.get("P", ""),
        "Description": part.memo or values.get("M", ""),
        "Category": top.strip(),
        "Subcategory": below.replace(":", " › ").strip(),
        "Number": values.get("N", ""),
        "Location": values.get("A", ""),
        "Account": account,
    }
    return Row(line, cells)
