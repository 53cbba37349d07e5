"""How files of six formats are recognised and read, without a database."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from expenses.rules.entries import Entry
from expenses.rules.importing import delimited, encodings, formats, headers, readings, workbooks
from expenses.rules.importing.headers import Field
from expenses.rules.importing.readings import NotAnExpense, Reading, Sign
from expenses.rules.importing.tables import Format, Layout, Row, UnreadableFile

DAYS = st.dates(date(1980, 1, 1), date(2060, 12, 31))
COSTS = st.decimals(Decimal("0.01"), Decimal(999_999), places=2)


def rows_of(data: bytes) -> tuple[Layout, tuple[str, ...], list[Row]]:
    layout = formats.recognised(data[: formats.HEAD], encodings.recognised(data))
    layout = formats.with_rows(io.BytesIO(data), layout)
    table = formats.read(io.BytesIO(data), layout)
    return layout, table.columns, list(table.rows)


def parsed(data: bytes, currency: str = "EUR") -> list[Entry]:
    layout, columns, rows = rows_of(data)
    reading = readings.recognised(columns, rows, layout, currency=currency)
    return [readings.parse(row, reading) for row in rows]


# --- encodings and delimiters


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quotes", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_every_encoding_and_delimiter_is_recognised(encoding: str, delimiter: str, quotes: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quotes)  # type: ignore[arg-type]
    writer.writerow(["Date", "Payee", "Amount"])
    writer.writerows([[f"2026-01-{day:02}", "Café, Bar; or\ntwo", f"{day}.50"] for day in range(1, 20)])
    found = parsed(text.getvalue().encode(encoding))
    assert [one.cost for one in found] == [Decimal(f"{day}.50") for day in range(1, 20)]
    assert {one.payee for one in found} == {"Café, Bar; or two"}


def test_letters_far_behind_the_beginning_count_as_well() -> None:
    data = b"Date,Payee,Amount\n" + b"2026-01-01,Shop,1.00\n" * 9_000 + "2026-01-01,Café,1.00\n".encode("cp1252")
    assert parsed(data)[-1].payee == "Café"


def test_lines_before_the_header_do_no_harm() -> None:
    data = (
        'Konto;"DE12 3456"\nZeitraum;"01.01.2026 - 31.01.2026"\n\n'
        "Buchungstag;Empfänger;Verwendungszweck;Betrag (EUR);Währung\n"
        "02.01.2026;Bäcker;Brot;-1.234,50;EUR\n03.01.2026;Kino;Film;-12,00;EUR\n"
    ).encode("cp1252")
    layout, columns, rows = rows_of(data)
    assert (layout.skip, layout.has_header, layout.delimiter, rows[0].number) == (3, True, ";", 5)
    assert [(one.date, one.cost, one.payee) for one in parsed(data)] == [
        (date(2026, 1, 2), Decimal("1234.50"), "Bäcker"),
        (date(2026, 1, 3), Decimal("12.00"), "Kino"),
    ]
    assert headers.meanings(columns)[Field.AMOUNT] == "Betrag (EUR)"


def test_a_table_without_a_header_is_read_by_what_is_in_it() -> None:
    data = b"2026-01-02,Baker,12.50\n2026-01-03,Cinema,8.00\n2026-01-03,Cinema,8.00\n"
    assert [(one.date.day, one.description, one.cost) for one in parsed(data)] == [
        (2, "Baker", Decimal("12.50")),
        (3, "Cinema", Decimal(8)),
        (3, "Cinema", Decimal(8)),
    ]


def test_two_columns_for_money_out_and_in_become_one_amount() -> None:
    data = b"Date,Description,Debit,Credit\n2026-01-02,Baker,12.50,\n2026-01-03,Refund,,8.00\n2026-01-04,Cafe,-3.00,\n"
    assert [one.cost for one in parsed(data)] == [Decimal("12.50"), Decimal(-8), Decimal(3)]


def test_a_column_may_say_debit_or_credit() -> None:
    data = b'Date,Name,Amount,Af Bij\n20260102,Bakker,"12,50",Af\n20260103,Terug,"8,00",Bij\n'
    assert [one.cost for one in parsed(data)] == [Decimal("12.50"), Decimal(-8)]


def test_the_names_of_the_aws_expense_tracker_are_known() -> None:
    data = b"Date,Category,SubCategory,Description,Cost,PaymentMethod,Location\n2026-01-02,Food,Coffee,Latte,4.5,Visa,Berlin\n"
    [one] = parsed(data)
    assert (one.category, one.subcategory, one.payment_method, one.location) == ("Food", "Coffee", "Visa", "Berlin")


def test_a_quote_that_is_never_closed_is_said_and_not_swallowed() -> None:
    data = b'Date,Payee,Amount\n2026-01-01,"Shop,1.00\n' + b"2026-01-02,Shop,1.00\n" * 20_000
    with pytest.raises(UnreadableFile, match="quote"):
        list(delimited.read(io.BytesIO(data), Layout(Format.CSV)).rows)


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"\xd0\xcf\x11\xe0rest", b"\x89PNG\r\n", b"<?xml version='1.0'?><html/>"])
def test_what_is_no_table_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        rows_of(data)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_do_more_than_be_refused(data: bytes) -> None:
    try:
        layout, columns, rows = rows_of(data)
        reading = readings.recognised(columns, rows, layout, currency="EUR")
    except UnreadableFile:
        return
    for row in rows:
        try:
            readings.parse(row, reading)
        except NotAnExpense:
            continue


@given(
    st.lists(
        st.tuples(DAYS, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30), COSTS),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_whatever_is_written_as_csv_is_read_back(records: list[tuple[date, str, Decimal]], delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["Date", "Payee", "Amount"])
    writer.writerows([[day.isoformat(), payee, f"{cost:.2f}"] for day, payee, cost in records])
    layout = Layout(Format.CSV, delimiter=delimiter)
    reading = Reading({Field.DATE: "Date", Field.PAYEE: "Payee", Field.AMOUNT: "Amount"}, currency="EUR")
    found = [readings.parse(row, reading) for row in formats.read(io.BytesIO(text.getvalue().encode()), layout).rows]
    assert [(one.date, one.payee, one.cost) for one in found] == [
        (day, " ".join(payee.split()), cost) for day, payee, cost in records
    ]


# --- the other formats


def workbook(*rows: Sequence[object]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(file)
    return file.getvalue()


def test_a_workbook_s_days_and_numbers_are_taken_as_what_they_are() -> None:
    data = workbook(
        ["Expenses of January"],
        [],
        ["Date", "Payee", "Amount", "Currency"],
        [date(2026, 1, 2), "Baker", 1234.1, "EUR"],
        [datetime(2026, 1, 3, 23, 59), "Cinema", 0.1 + 0.2, "EUR"],  # noqa: DTZ001 - Excel knows no zones
        [46026, "Kiosk", "1.234,50", "EUR"],
    )
    assert [(one.date, one.payee, one.cost) for one in parsed(data)] == [
        (date(2026, 1, 2), "Baker", Decimal("1234.10")),
        (date(2026, 1, 3), "Cinema", Decimal("0.30")),
        (date(2026, 1, 4), "Kiosk", Decimal("1234.50")),
    ]


OFX_SGML = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>1<ACCTID>DE99<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260131235900.000[-8:PST]<TRNAMT>-12.50<FITID>A1<NAME>Caf\xe9 &amp; Bar<MEMO>two coffees
</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260201<TRNAMT>100,00<FITID>A2<NAME>Employer</STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
OFX_XML = b"""<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>EUR</CURDEF><CCACCTFROM><ACCTID>4711</ACCTID></CCACCTFROM>
<BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260131</DTPOSTED><TRNAMT>-12.50</TRNAMT><FITID>A1</FITID>
<PAYEE><NAME>Caf\xc3\xa9</NAME></PAYEE><MEMO>x</MEMO></STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>
"""


def test_ofx_is_read_in_both_versions_and_an_id_belongs_to_its_account() -> None:
    first, second = parsed(OFX_SGML)
    assert (first.date, first.cost, first.payee, first.description) == (
        date(2026, 1, 31),
        Decimal("12.50"),
        "Café & Bar",
        "two coffees",
    )
    assert (first.external_id, second.external_id, second.cost) == ("DE99:A1", "DE99:A2", Decimal(-100))
    [card] = parsed(OFX_XML)
    assert (card.external_id, card.payee, card.cost, card.currency) == ("4711:A1", "Café", Decimal("12.50"), "EUR")


QIF = b"""!Account
NChecking
^
!Type:Bank
D1/31'26
T-1,012.50
PBaker
MBread
LFood:Bakery/Private
^
D2/13'26
T-30.00
PShop
SFood
$-10.00
SHome
EShelf
$-20.00
^
"""


def test_qif_is_read_with_its_splits() -> None:
    assert [(one.date, one.cost, one.payee, one.category, one.subcategory, one.payment_method) for one in parsed(QIF)] == [
        (date(2026, 1, 31), Decimal("1012.50"), "Baker", "Food", "Bakery", "Checking"),
        (date(2026, 2, 13), Decimal("10.00"), "Shop", "Food", "", "Checking"),
        (date(2026, 2, 13), Decimal("20.00"), "Shop", "Home", "", "Checking"),
    ]


CAMT = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<Acct><Id><IBAN>DE99</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-31</Dt></BookgDt>
<AcctSvcrRef>R1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Cdtr><Nm>Baker</Nm></Cdtr></RltdPties>
<RmtInf><Ustrd>Bread</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><DtTm>2026-02-01T23:00:00-05:00</DtTm></BookgDt>
<AcctSvcrRef>R2</AcctSvcrRef><NtryDtls>
<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">10.00</Amt></TxAmt></AmtDtls><RltdPties><Cdtr><Nm>A</Nm></Cdtr></RltdPties></TxDtls>
<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls><RltdPties><Cdtr><Nm>B</Nm></Cdtr></RltdPties></TxDtls>
</NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""


def test_camt_is_read_booked_entries_alone_and_collected_ones_apart() -> None:
    assert [(one.date, one.cost, one.payee, one.description, one.external_id) for one in parsed(CAMT)] == [
        (date(2026, 1, 31), Decimal("12.50"), "Baker", "Bread", "DE99:R1"),
        (date(2026, 2, 1), Decimal("10.00"), "A", "", "DE99:R2/1"),
        (date(2026, 2, 1), Decimal("20.00"), "B", "", "DE99:R2/2"),
    ]


@pytest.mark.parametrize("wrap", [b"[%s]", b'{"count": 2, "expenses": [%s]}'])
def test_json_is_read_as_a_list_in_an_object_or_in_lines(wrap: bytes) -> None:
    entries = b'{"date": "2026-01-31", "cost": 12.5, "currency": "EUR", "category": {"name": "Food"}, "tags": ["a", "b"]},\n'
    entries += b'{"date": "2026-02-01", "cost": "7.00", "currency": "EUR", "payee": "B", "category": null}'
    expected = [(date(2026, 1, 31), Decimal("12.50"), "Food"), (date(2026, 2, 1), Decimal("7.00"), "")]
    assert [(one.date, one.cost, one.category) for one in parsed(wrap % entries)] == expected
    assert [(one.date, one.cost, one.category) for one in parsed(entries.replace(b",\n", b"\n"))] == expected
    assert parsed(wrap % entries)[0].tags == ("a", "b")


def test_numbers_and_letters_that_no_database_keeps_do_no_harm() -> None:
    entries = rb'{"date": "2026-01-31", "amount": 1E9999999}, {"date": "2026-01-31", "amount": 1, "payee": "\ud800a\u0000"}'
    data = b"[" + entries + b"]"
    layout, columns, rows = rows_of(data)
    reading = readings.recognised(columns, rows, layout, currency="EUR")
    with pytest.raises(NotAnExpense, match="too large"):
        readings.parse(rows[0], reading)
    assert readings.parse(rows[1], reading).payee == "?a"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>&b;&c;</IBAN></Id></Acct>
</Stmt></BkToCstmrStmt></Document>"""


@pytest.mark.parametrize(
    "data", [BOMB, OFX_XML.replace(b"<OFX>", b"<!DOCTYPE OFX [<!ENTITY a 'b'>]><OFX>", 1), CAMT[:400], b'[{"a": 1}, ']
)
def test_hostile_and_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        rows_of(data)


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with another content of one part, or with one more."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        new.writestr(name, content)
    return out.getvalue()


SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>Date</t></is></c><c r="B1" t="inlineStr"><is><t>Amount</t></is></c></row>
<row r="%s"><c><v>46026</v></c><c><v>%s</v></c></row></sheetData></worksheet>"""


def test_a_row_behind_the_last_one_of_excel_is_not_waited_for() -> None:
    data = with_part(workbook(["Date"]), "xl/worksheets/sheet1.xml", (SHEET % (10**15, 1)).encode())
    with pytest.raises(UnreadableFile, match="behind the last one"):
        list(formats.read(io.BytesIO(data), Layout(Format.XLSX)).rows)


@pytest.mark.parametrize("figure", ["1" + "0" * 400, "1e999", "-1e200"])
def test_numbers_beyond_all_reason_in_a_workbook_do_no_harm(figure: str) -> None:
    data = with_part(workbook(["Date"]), "xl/worksheets/sheet1.xml", (SHEET % (2, figure)).encode())
    layout, columns, rows = rows_of(data)
    with pytest.raises(NotAnExpense):
        readings.parse(rows[0], readings.recognised(columns, rows, layout, currency="EUR"))


SHARED = (
    b'<Override PartName="/xl/texts.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml'
    b'.sharedStrings+xml"/></Types>'
)


@pytest.mark.parametrize("part", ["xl/texts.xml", "xl/styles.xml", "xl/workbook.xml"])
def test_each_part_of_a_workbook_that_is_held_in_memory_is_measured(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_MAX_SHARED", 1 << 20)
    monkeypatch.setattr(workbooks, "_MAX_PART", 1 << 20)
    bomb = with_part(workbook(["Date", "Amount"], ["2026-01-01", 1]), part, b"<a>" + b" " * (1 << 21) + b"</a>")
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        types = archive.read("[Content_Types].xml").replace(b"</Types>", SHARED if part == "xl/texts.xml" else b"</Types>")
    bomb = with_part(bomb, "[Content_Types].xml", types)
    with pytest.raises(UnreadableFile, match="unpacks to more"):
        rows_of(bomb)


def test_hostile_texts_are_read_in_no_time() -> None:
    """Each of these was tried from every place, and held a worker or the server for hours."""
    began = time.process_time()
    name = b"<" + b"A" * 60_000 + b"\n"
    assert parsed(OFX_SGML.replace(b"<OFX>", name + b"<OFX>"))
    qif = b"!Type:Bank\nD1" + b" " * 500_000 + b"2\nT-1.00\nPShop\n^\n"
    assert len(rows_of(qif)[2]) == 1
    rows_of(b"1" + b" " * 60_000 + b"x,y\n2026-01-31,1.00\n")
    assert time.process_time() - began < 5


def test_lists_in_lists_without_an_end_are_refused() -> None:
    with pytest.raises(UnreadableFile):
        rows_of(b'[{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}]")


# --- readings


def test_what_a_currency_does_not_have_is_not_rounded_away() -> None:
    reading = Reading({Field.DATE: "d", Field.AMOUNT: "a"}, currency="JPY")
    assert readings.parse(Row(1, {"d": "2026-01-01", "a": "¥1,234"}), reading).cost == Decimal(1234)
    for text, why in [("12.5", "JPY has no decimal places"), ("", "missing"), ("0", "zero"), ("x", "not an amount")]:
        with pytest.raises(NotAnExpense, match=why):
            readings.parse(Row(1, {"d": "2026-01-01", "a": text}), reading)


def test_a_statement_s_minus_is_money_spent() -> None:
    data = b"Date,Payee,Amount\n2026-01-02,Baker,-12.50\n2026-01-03,Cinema,-8.00\n2026-01-04,Employer,1000.00\n"
    layout, columns, rows = rows_of(data)
    reading = readings.recognised(columns, rows, layout, currency="EUR")
    assert reading.sign is Sign.SPENT_IS_NEGATIVE
    assert [one.cost for one in parsed(data)] == [Decimal("12.50"), Decimal(8), Decimal(-1000)]


def test_a_reading_is_kept_and_found_as_it_was() -> None:
    layout, columns, rows = rows_of(OFX_SGML)
    reading = readings.recognised(columns, rows, layout, currency="EUR")
    assert Reading.of_json(reading.as_json()) == reading
    assert Layout.of_json(layout.as_json()) == layout
    one = readings.parse(rows[0], reading)
    assert Entry.of_json(one.as_json()) == one
