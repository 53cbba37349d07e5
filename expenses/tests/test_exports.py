"""Expenses on their way out: exactly what the filter shows, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.test import Client
from openpyxl import load_workbook
from rest_framework.test import APIClient

from accounts.models import User
from expenses.tests.books import spend
from expenses.tests.sending import committed, staged

Api = Callable[[User | None], APIClient]
EXPORT = "/api/expenses/export"


def fetched(client: Any, path: str = EXPORT, **query: str) -> bytes:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_the_three_formats_hold_exactly_what_the_filter_shows(api: Api, viewer: User, stranger: User) -> None:
    spend(viewer, date=date(2026, 11, 3), tags=("a", "b"))
    spend(viewer, date=date(2026, 10, 3))
    spend(stranger, date=date(2026, 11, 3))
    query = {"start": "2026-11-01"}
    [row] = csv.DictReader(io.StringIO(fetched(api(viewer), **query).decode()))
    assert (row["date"], row["cost"], row["category"], row["subcategory"], row["tags"]) == (
        "2026-11-03", "12.50", "Travel", "Taxi", "a, b",
    )  # fmt: skip
    [told] = json.loads(fetched(api(viewer), format="json", **query))
    assert (told["cost"], told["tags"], told["user"]) == ("12.50", ["a", "b"], "viewer")
    sheet = load_workbook(io.BytesIO(fetched(api(viewer), format="xlsx", **query)))["Expenses"]
    header, cells = ([cell.value for cell in line] for line in sheet.iter_rows())
    found = dict(zip(header, cells, strict=True))
    assert (found["date"].date(), found["cost"], found["payee"]) == (date(2026, 11, 3), 12.5, "Yellow Cab")
    assert json.loads(fetched(api(viewer), format="json", start="2030-01-01")) == []
    assert api(viewer).get(EXPORT, {"format": "pdf"}).status_code == 400
    assert api(viewer).get(EXPORT, {"start": "x"}).status_code == 400


def test_text_that_a_spreadsheet_would_run_is_made_harmless(api: Api, viewer: User) -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\x01=1+1"):
        spend(viewer, payee=text, cost=Decimal(-1))
    rows = list(csv.DictReader(io.StringIO(fetched(api(viewer)).decode())))
    assert {row["payee"] for row in rows} == {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "\x01=1+1"}
    assert {row["cost"] for row in rows} == {"-1.00"}  # a number, not a formula
    sheet = load_workbook(io.BytesIO(fetched(api(viewer), format="xlsx")))["Expenses"]
    assert not [cell for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


def test_what_was_exported_is_known_when_it_is_imported_again(api: Api, viewer: User) -> None:
    spend(viewer, tags=("a", "b"))
    spend(viewer, date=date(2026, 10, 3), cost=Decimal("1234.5"))
    for format_ in ("csv", "xlsx", "json"):
        batch = staged(fetched(api(viewer), format=format_), viewer, name=f"export.{format_}")
        assert batch.counts == {"duplicate_exact": 2}, format_
        assert committed(fetched(api(viewer), format=format_), viewer, name=f"export.{format_}").created == 0


def test_the_page_offers_and_gives_the_same(viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    assert "/expenses/export" not in client.get("/expenses").content.decode()  # nothing to export yet
    spend(viewer, date=date(2026, 11, 3))
    assert "/expenses/export?" in client.get("/expenses").content.decode()
    assert b"Yellow Cab" in fetched(client, "/expenses/export", format="csv", search="yellow")
    assert client.get("/expenses/export?start=x").status_code == 400
