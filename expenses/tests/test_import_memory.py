"""Files that would fill the memory: what no statement has is let go while it is read, or refused."""

from __future__ import annotations

import io
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest

from accounts.models import User
from expenses.rules.entries import Entry
from expenses.rules.importing import encodings, formats, markup
from expenses.rules.importing.tables import UnreadableFile
from expenses.services.importing import ledger
from expenses.tests import books
from expenses.tests.sending import coffees, received
from expenses.tests.test_import_readers import CAMT, OFX_XML, rows_of

UNKNOWN = b"<Unknown><Of a='1'>what no statement has</Of></Unknown>"


@pytest.mark.parametrize(("data", "before"), [(CAMT, b"<Ntry>"), (CAMT, b"<BkToCstmrStmt>"), (OFX_XML, b"<STMTTRN>")])
def test_what_is_unknown_in_xml_takes_no_memory_however_much_there_is(data: bytes, before: bytes) -> None:
    found = rows_of(data)[2]
    layout = formats.recognised(data, encodings.recognised(data))
    file = io.BytesIO(data.replace(before, UNKNOWN * 40_000 + before, 1))
    tracemalloc.start()
    assert list(formats.read(file, layout).rows) == found
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


@pytest.mark.parametrize(
    "filling",
    [
        b"<a>" * 200,
        b"".join(b"<n%d/>" % n for n in range(11_000)),
        b"<Text>" + b"long " * (1 << 20) + b"</Text>",
    ],
)
@pytest.mark.parametrize(("data", "before"), [(CAMT, b"<Ntry>"), (OFX_XML, b"<STMTTRN>")])
def test_xml_that_would_fill_the_memory_is_refused(data: bytes, before: bytes, filling: bytes) -> None:
    layout = formats.recognised(data, encodings.recognised(data))
    with pytest.raises(UnreadableFile, match=r"No statement has|any statement"):
        list(formats.read(io.BytesIO(data.replace(before, filling + before, 1)), layout).rows)


def test_an_entry_of_more_parts_than_any_payment_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_MOST_IN_ONE", 1_000)
    layout = formats.recognised(CAMT, encodings.recognised(CAMT))
    with pytest.raises(UnreadableFile, match="One entry"):
        list(formats.read(io.BytesIO(CAMT.replace(b"<Sts>BOOK</Sts>", UNKNOWN * 600, 1)), layout).rows)


def test_of_a_file_in_no_order_no_more_is_read_than_may_be_its_rows(viewer: User) -> None:
    near = books.spend(viewer, date=date(2026, 3, 4), cost=Decimal(5))
    for year in range(2020, 2026):
        books.spend(viewer, date=date(year, 3, 4), cost=Decimal(5))
    rows = [Entry(date(2019, 1, 1), Decimal(7), "USD"), Entry(date(2026, 3, 6), Decimal(5), "USD")]
    known = ledger.known(received(coffees(1), viewer), [*rows, Entry(date(2027, 1, 1), Decimal(9), "USD")])
    assert [one.id for one in known] == [near.pk]
