"""Files as answers: what people sent, which no browser runs, and what they take away. Pages and API give the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from cloudconsole.api import streams
from cloudconsole.core import clock
from expenses.models import ExpenseQuerySet, ImportBatch, Receipt
from expenses.selectors import exports, imports
from expenses.services import workbooks

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: Final = ("csv", "xlsx", "json")


def receipt_file(receipt: Receipt) -> HttpResponse:
    """To be saved under its own name; whatever it holds, it gets no script, no frame and no origin."""
    answer = HttpResponse(bytes(receipt.file.content), content_type=receipt.file.content_type)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=receipt.name) or "attachment"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def rejected_csv(request: HttpRequest, batch: ImportBatch) -> HttpResponseBase:
    """The rows of a file that were not imported, each with why."""
    lines = streams.csv_lines(["row", "verdict", "reason", *batch.columns], imports.not_imported_cells(batch))
    return streams.streamed(request, lines, content_type="text/csv; charset=utf-8", filename=f"not-imported-{batch.pk}.csv")


def exported(request: HttpRequest, found: ExpenseQuerySet, chosen: str) -> HttpResponseBase:
    """Every expense of `found` as one of FORMATS, streamed. Text that a spreadsheet would run gets an apostrophe."""
    name, rows = f"expenses-{clock.today()}.{chosen}", exports.rows(found)
    if chosen == "json":
        return streams.streamed(request, _json(rows), content_type="application/json", filename=name)
    if chosen == "xlsx":
        table = workbooks.pieces("Expenses", exports.COLUMNS, ([_cell(one) for one in row.values()] for row in rows))
        return streams.streamed(request, table, content_type=XLSX, filename=name)
    lines = streams.csv_lines(exports.COLUMNS, ([_text(one) for one in row.values()] for row in rows))
    return streams.streamed(request, lines, content_type="text/csv; charset=utf-8", filename=name)


def _text(value: object) -> object:
    """A negative amount is a number, not a formula."""
    return value if isinstance(value, Decimal) else _plain(value)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")  # Excel knows no time zones
    return streams.harmless(", ".join(value)) if isinstance(value, list) else streams.harmless(value)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _json(rows: Iterable[dict[str, object]]) -> Iterator[str]:
    """A list with one object in each line."""
    before = "[\n"
    for row in rows:
        yield f"{before}{json.dumps({name: _value(one) for name, one in row.items()}, ensure_ascii=False)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _value(value: object) -> object:
    return value if isinstance(value, list) else f"{value:f}" if isinstance(value, Decimal) else _plain(value)
