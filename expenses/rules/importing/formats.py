"""Which format a file is in, and reading it as that."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import islice
from typing import IO

from expenses.rules.importing import camt, delimited, json_rows, ofx, qif, texts, workbooks
from expenses.rules.importing.tables import Format, Layout, Table, UnreadableFile

HEAD = 1 << 16  # bytes that recognition looks at, besides a workbook's

_READERS: dict[Format, Callable[[IO[bytes], Layout], Table]] = {
    Format.CSV: delimited.read,
    Format.XLSX: workbooks.read,
    Format.OFX: ofx.read,
    Format.QIF: qif.read,
    Format.CAMT: camt.read,
    Format.JSON: json_rows.read,
}

_REFUSED = (
    (b"%PDF", "This is a PDF. Ask the bank for CSV, OFX or camt.053 instead."),
    (b"\xd0\xcf\x11\xe0", "This is a workbook of an old Excel (.xls). Open it and save it as .xlsx or CSV."),
    (b"\x1f\x8b", "The file is packed. Unpack it first."),
    (b"\x89PNG", "This is a picture. Attach it to an expense as its receipt instead."),
    (b"\xff\xd8\xff", "This is a picture. Attach it to an expense as its receipt instead."),
)


def read(file: IO[bytes], layout: Layout) -> Table:
    """The table in the file. Workbooks need a file that can be sought in. Raises UnreadableFile, also while rows are read."""
    if layout.encoding == "xml" and layout.format is not Format.OFX:
        raise UnreadableFile("Only OFX may be XML. Choose an encoding.", attr="encoding")
    return _READERS[layout.format](file, layout)


def recognised(head: bytes, encoding: str) -> Layout:
    """How a file that starts so is read; `encoding` as recognised over all of it. A workbook's rows are looked at by
    `with_rows`. Raises UnreadableFile for what is known not to be a table."""
    for mark, why in _REFUSED:
        if head.startswith(mark):
            raise UnreadableFile(why, attr="file")
    if head.startswith(b"PK"):
        return Layout(Format.XLSX)
    start = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    upper = start[:4000].upper()
    if "<OFX>" in upper or upper.startswith("OFXHEADER") or "<?OFX" in upper:
        return Layout(Format.OFX, ofx.encoding(head, encoding))
    if upper.startswith("<"):
        if "CAMT.05" not in upper and "<BKTOCSTMR" not in upper:
            raise UnreadableFile("This XML is neither camt.053 nor OFX.", attr="file")
        return Layout(Format.CAMT)
    if upper.startswith(("!TYPE:", "!ACCOUNT", "!OPTION:", "!CLEAR:")):
        return Layout(Format.QIF, encoding)
    if start.startswith(("{", "[")):
        return Layout(Format.JSON, encoding)
    return delimited.recognised(_lines(head, encoding), Layout(Format.CSV, encoding))


def with_rows(file: IO[bytes], layout: Layout) -> Layout:
    """For a workbook: with the place of its header."""
    return workbooks.recognised(file, layout) if layout.format is Format.XLSX else layout


def _lines(head: bytes, encoding: str) -> list[str]:
    """The whole lines of the beginning of a file."""
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1] or head
    if encoding.startswith("utf-16"):
        whole = head[: len(head) // 2 * 2]
    text = whole.decode(encoding, "replace")
    return list(islice(texts.lines(io.BytesIO(text.encode("utf-8")), "utf-8"), 200))
