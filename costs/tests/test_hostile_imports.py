"""Billing files that came broken or were made to break something: refused, or told line by line; none stops a worker."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import time_machine
from django.db import connection

from accounts.models import User
from costs.models import CostImport, ImportRejection, ImportStatus
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.services.billing import imports, runs
from costs.tests import bills, books
from costs.tests.test_imports import OCTOBER


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


def reasons(row: CostImport) -> set[tuple[int, str, str]]:
    told = ImportRejection.objects.filter(cost_import=row)
    return {(one.line, one.column, one.reason) for one in told}


def total(admin: User) -> Decimal | None:
    return costs.answer(admin, Question(OCTOBER, Granularity.WHOLE)).total


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


PACKED = bills.packed(bills.text([bills.focus_row(ServiceName=f"Service {number}") for number in range(500)]))


@pytest.mark.parametrize(
    "content",
    [PACKED[: len(PACKED) // 2], PACKED[:-8], PACKED[:-1], _flipped(PACKED, -6), _flipped(PACKED, len(PACKED) // 2)],
)
def test_a_packed_file_that_is_cut_off_or_changed_is_not_read_in_part(admin: User, content: bytes) -> None:
    row = bills.send(content, admin)
    assert (row.status, row.error_code) == (ImportStatus.FAILED, "file_unreadable")
    assert "damaged" in row.error_detail


@pytest.mark.parametrize(
    ("start", "charged"),
    [
        ("infinity", "2026-10-05T00:00:00Z"),
        ("2026-10-01", "infinity"),
        ("9999-12-01", "9999-12-31"),
        ("0001-01-01", "0001-01-01"),
        ("99999-1-1", "99999-1-1"),
        ("2026-10-01", "epoch"),
    ],
)
def test_a_day_beyond_all_bills_is_told(admin: User, start: str, charged: str) -> None:
    wrong = bills.focus_row(BillingPeriodStart=start, ChargePeriodStart=charged)
    row = bills.send(bills.text([bills.focus_row(), wrong]), admin)
    assert (row.status, row.lines, row.faulty) == (ImportStatus.READY, 2, 1), row.error_detail
    assert {reason for _, _, reason in reasons(row)} == {"is no date"}
    assert [period.month for period in row.periods.all()] == [date(2026, 10, 1)]


def test_what_no_database_keeps_is_told_or_left_out(admin: User) -> None:
    rows = [
        bills.focus_row(BillingCurrency="U\x00D"),
        bills.focus_row(BillingCurrency="$$$"),
        bills.focus_row(ChargeCategory="x" * 3_000),
        bills.focus_row(ServiceName="", ChargeCategory="Usage", RegionId="r" * 3_000),
        bills.focus_row(SubAccountName="n" * 5_000),
        bills.focus_row(Tags='{"a\\u0000b": "x", "user:team": "web"}', SubAccountName="sh\x00op"),
        bills.focus_row(Tags=f'{{"{"k" * 5_000}": "x"}}'),
    ]
    row = bills.store(bills.text(rows), admin)
    assert (row.status, row.faulty) == (ImportStatus.COMMITTED, 4), row.error_detail
    assert "team" in row.tag_keys
    assert total(admin) == Decimal("4.5")


def test_a_file_of_a_thousand_times_as_many_tags_as_there_can_be_fills_nothing(admin: User) -> None:
    tags = "{" + ", ".join(f'"key {number}": "x"' for number in range(20_000)) + "}"
    row = bills.store(bills.text([bills.focus_row(Tags=tags)]), admin)
    assert row.status == ImportStatus.COMMITTED, row.error_detail
    assert len(row.tag_keys) <= 1_000


def test_numbers_of_any_size_are_exact_or_told(admin: User) -> None:
    sizes = ["9" * 16 + "." + "9" * 12, "-" + "9" * 16, "1" * 17, "9" * 5_000, "1e400", "-1e17", "1e-400", "0x10", "1,5", "١"]
    row = bills.store(bills.text([bills.focus_row(BilledCost=size, EffectiveCost="0") for size in sizes]), admin)
    assert row.status == ImportStatus.COMMITTED, row.error_detail
    assert total(admin) == Decimal("0." + "9" * 12)
    assert row.faulty == len(sizes) - 3


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_marks_and_line_ends_of_other_systems_are_read(admin: User, end: bytes) -> None:
    content = b"\xef\xbb\xbf" + bills.text([bills.focus_row(), bills.focus_row()]).replace(b"\n", end).removesuffix(end)
    row = bills.store(content, admin)
    assert (row.status, row.lines, row.faulty) == (ImportStatus.COMMITTED, 2, 0), row.error_detail
    assert total(admin) == 3


def test_letters_that_are_none_are_told_by_line(admin: User) -> None:
    content = bills.text([bills.focus_row(), bills.focus_row(ServiceName="Caf\N{LATIN SMALL LETTER E WITH ACUTE}")])
    row = bills.send(content.decode().encode("latin-1"), admin)
    assert (row.status, row.lines, row.faulty) == (ImportStatus.READY, 2, 1), row.error_detail
    assert {(line, reason) for line, _, reason in reasons(row)} == {(2, "is not text in UTF-8")}


@pytest.mark.parametrize("again", ["BilledCost", "billedcost", "Billed Cost"])
def test_a_column_that_comes_twice_is_refused_however_it_is_written(admin: User, again: str) -> None:
    lines = bills.text([bills.focus_row()]).decode().splitlines()
    row = bills.send(f"{lines[0]},{again}\n{lines[1]},99\n".encode(), admin)
    assert row.status == ImportStatus.FAILED
    assert "comes twice" in row.error_detail


def test_a_report_without_the_account_is_refused_by_the_columns_name(admin: User) -> None:
    columns = [name for name in bills.CUR if name != "lineItem/UsageAccountId"]
    kept = {name: value for name, value in bills.cur_row().items() if name in columns}
    row = bills.send(bills.text([kept], columns), admin)
    assert (row.status, row.error_code) == (ImportStatus.FAILED, "file_unreadable")
    assert "line_item_usage_account_id" in row.error_detail


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("BilledCost", "TRUE", "is no number"),
        ("BilledCost", "[1.5]", "is no number"),
        ("BilledCost", "{'a': 1.5}", "is no number"),
        ("BilledCost", "'\\xFF'::BLOB", "is no number"),
        ("BilledCost", "'nan'::DOUBLE", "is empty"),
        ("BilledCost", "'infinity'::DOUBLE", "is no number"),
        ("ChargePeriodStart", "17", "is no date"),
        ("ChargePeriodStart", "'infinity'::TIMESTAMP", "is no date"),
        ("BillingAccountId", "NULL::INTEGER", "is empty"),
        ("Tags", "{'team': 'web'}", None),
        ("Tags", "MAP {1: 2}", None),
        ("Tags", "['team']", None),
        ("Tags", "7", None),
        ("ChargePeriodStart", "TIMESTAMPTZ '2026-10-05 00:00:00+00'", None),
        ("BilledCost", "1.5::DECIMAL(9, 2)", None),
    ],
)
def test_parquet_of_other_types_is_read_or_told(admin: User, tmp_path: Path, column: str, value: str, reason: str | None) -> None:
    path = tmp_path / "bill.parquet"
    cells = {name: f"'{cell}'" for name, cell in bills.focus_row().items()} | {column: value}
    values = ", ".join(f'{sql} AS "{name}"' for name, sql in cells.items())
    duckdb.sql(f"COPY (SELECT {values}) TO '{path}' (FORMAT parquet)")
    row = bills.send(path.read_bytes(), admin)
    assert row.status == ImportStatus.READY, row.error_detail
    assert {told for _, _, told in reasons(row)} == ({reason} if reason else set())


def test_parquet_without_rows_has_no_lines(admin: User, tmp_path: Path) -> None:
    path = tmp_path / "bill.parquet"
    values = ", ".join(f"'{cell}' AS \"{name}\"" for name, cell in bills.focus_row().items())
    duckdb.sql(f"COPY (SELECT {values} LIMIT 0) TO '{path}' (FORMAT parquet)")
    row = bills.send(path.read_bytes(), admin)
    assert (row.status, "no lines" in row.error_detail) == (ImportStatus.FAILED, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite tests run in memory, where threads share one lock")
def test_the_same_file_sent_and_read_twice_at_once_is_one_import(admin: User) -> None:
    content, both = bills.text([bills.focus_row()]), threading.Barrier(2)

    def send() -> None:
        both.wait()
        received = imports.receive(name="bill.csv", file=io.BytesIO(content), by=admin)
        both.wait()
        runs.run(import_id=received.cost_import.pk)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = CostImport.objects.get()
    assert (row.status, row.lines, row.periods.count()) == (ImportStatus.READY, 1, 1)
