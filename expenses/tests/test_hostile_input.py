"""What nobody means is refused in plain words or taken as what it says, and never ends in an error of the server."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from expenses.models import Category, Expense
from expenses.services import workspaces
from expenses.tests import books
from expenses.tests.sending import csv_of, received

Api = Callable[[User | None], APIClient]

NUL, SURROGATE = "a\x00b", "\ud800"
TEXTS = ["search", "payee", "category", "payment_method", "tag", "location", "only_tag", "min", "start", "without", "cursor"]
# A family, texts from right to left, letters whose small form is longer, and what other programs take for commands.
STRANGE = [
    "👩‍👩‍👧‍👦" * 8,
    "مطعم الشرق",
    "\u202eexe.gpj",
    "İstanbul ẞ ﬃ",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "%s {0} ${x}",
]


@pytest.fixture
def page(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [NUL, "9" * 40, "1e400", "0001-01-01", "9999-12-31", "-", "›", "x" * 256])
def test_a_filter_of_nonsense_is_no_error_of_the_server(page: Client, api: Api, viewer: User, name: str, value: str) -> None:
    books.spend(viewer)
    client = api(viewer)
    for path in ("", "/summary", "/export"):
        if name == "cursor" and path:
            continue
        assert client.get(f"/api/expenses{path}", {name: value}).status_code in (200, 400)
    for path in ("/expenses", "/expenses/report", "/expenses/totals", "/expenses/export", "/expenses/total"):
        assert page.get(path, {name: value}).status_code in (200, 400)


@pytest.mark.parametrize("days", ["start=0001-01-01&end=9999-12-31", "start=9999-12-01&until=9999-12-31", "end=0001-01-01"])
def test_a_report_from_the_first_to_the_last_of_days_is_answered(page: Client, api: Api, viewer: User, days: str) -> None:
    books.spend(viewer, date=date(1970, 1, 1))
    books.spend(viewer, date=date(2199, 12, 31))
    for group in ("month", "week", "weekday", "day", "tag"):
        assert api(viewer).get(f"/api/expenses/summary?group_by={group}&{days}").status_code == 200
        assert page.get(f"/expenses/report?group_by={group}&{days}&into=EUR").status_code == 200


@pytest.mark.parametrize("field", ["payee", "category", "payment_method", "notes", "location", "external_id", "project"])
def test_text_that_no_database_keeps_is_refused(api: Api, viewer: User, field: str) -> None:
    body = {"date": "2026-11-01", "cost": "1"}
    zero = api(viewer).post("/api/expenses", {**body, field: NUL}, format="json")
    assert (zero.status_code, zero.json()["errors"][0]["attr"]) == (400, field)
    half = api(viewer).post("/api/expenses", json.dumps({**body, field: SURROGATE}), content_type="application/json")
    assert half.status_code == 400


@pytest.mark.parametrize("text", STRANGE)
def test_strange_text_is_kept_shown_harmlessly_and_found(page: Client, api: Api, viewer: User, text: str) -> None:
    body = {"date": "2026-11-01", "cost": "1", "payee": text, "category": text, "location": text, "tags": [text[:50]]}
    made = api(viewer).post("/api/expenses", body, format="json").json()
    assert (made["payee"], made["location"]) == (text, text)
    for path in ("", f"/{made['id']}", "/report?group_by=payee", "/report?group_by=tag&group_by=category", "/categories"):
        shown = page.get(f"/expenses{path}").content.decode()
        assert "<script>alert" not in shown
    assert len(api(viewer).get(f"/api/expenses?payee={quote(text)}").json()["results"]) == 1


@pytest.mark.parametrize(
    ("currency", "cost", "told"),
    [
        ("JPY", "100", "100"),
        ("KWD", "1.234", "1.234"),
        ("CLF", "1.2345", "1.2345"),
        ("USD", "-0.00", "0"),
        ("KWD", "1.2345", None),
        ("USD", "1" * 40, None),
        ("USD", "1e40", None),
        ("USD", "0." + "0" * 39 + "1", None),
        ("XAU", "1", None),
    ],
)
def test_an_amount_is_what_its_currency_has(api: Api, viewer: User, currency: str, cost: str, told: str | None) -> None:
    answer = api(viewer).post("/api/expenses", {"date": "2026-11-01", "cost": cost, "currency": currency}, format="json")
    assert answer.status_code == (400 if told is None else 201)
    assert answer.json().get("cost") == told


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_beyond_reason_is_refused_everywhere(page: Client, api: Api, viewer: User, day: str) -> None:
    answer = api(viewer).post("/api/expenses", {"date": day, "cost": "1"}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "date")
    row = {"date": day, "cost": "1", "currency": "USD"}
    assert "A day lies between" in page.post("/expenses/new", row).content.decode()
    series = api(viewer).post("/api/expenses/recurring", {"date": day, "cost": "1", "rrule": "FREQ=DAILY"}, format="json")
    assert series.status_code == 400


def test_a_name_with_an_arrow_is_two_levels_by_every_door(page: Client, api: Api, viewer: User) -> None:
    """Pages write “Food › Coffee” as one text: a name that holds the sign itself would be another one when it is saved again."""
    for text in ("Food > Coffee", "Food › Coffee"):
        body = {"date": "2026-11-01", "cost": "1", "category": text}
        made = api(viewer).post("/api/expenses", body, format="json").json()
        assert (made["category"], made["subcategory"]) == ("Food", "Coffee")
    row = {"date": "2026-11-01", "cost": "1", "currency": "USD", "category": "Food > Coffee > Beans", "revision": "1"}
    page.post("/expenses/new", row)
    one = Expense.objects.get(category__name="Coffee › Beans")
    page.post(f"/expenses/{one.pk}", {**row, "category": str(one.category)})
    one.refresh_from_db()
    assert (str(one.category), one.revision) == ("Food › Coffee › Beans", 1)
    assert not Category.objects.filter(parent=None).exclude(name="Food").exists()


def test_a_comma_parts_tags_by_every_door(api: Api, viewer: User) -> None:
    made = api(viewer).post("/api/expenses", {"date": "2026-11-01", "cost": "1", "tags": ["b, a", "c"]}, format="json").json()
    assert made["tags"] == ["a", "b", "c"]


def test_a_picture_of_several_is_a_receipt(api: Api, viewer: User) -> None:
    """Phones put a second picture (depth, a preview) behind the first one of a JPEG."""
    one, out = books.spend(viewer), io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (20, 15))])
    file = SimpleUploadedFile("phone.jpg", out.getvalue())
    answer = api(viewer).post(f"/api/expenses/{one.pk}/receipts", {"file": file}, format="multipart")
    assert (answer.status_code, answer.json()["content_type"]) == (201, "image/jpeg")


@pytest.mark.parametrize(
    "layout",
    [
        {"encoding": "xml"},
        {"format": "xlsx"},
        {"format": "ofx"},
        {"format": "qif"},
        {"format": "camt053"},
        {"format": "json"},
        {"format": "ofx", "encoding": "xml"},
        {"encoding": "utf-16-le"},
        {"sheet": "No such sheet"},
        {"skip": 1000},
        {"delimiter": "|"},
    ],
)
def test_a_file_read_as_something_else_says_so(api: Api, viewer: User, layout: dict[str, Any]) -> None:
    batch = received(csv_of("2026-01-05,Café,3.50,EUR"), viewer)
    answer = api(viewer).patch(f"/api/expenses/imports/{batch.pk}", {"layout": layout, "stage": False}, format="json")
    assert answer.status_code in (200, 400), answer.json()
    assert Client().get(f"/expenses/imports/{batch.pk}").status_code == 302
    for path in ("", "/preview"):
        assert api(viewer).get(f"/api/expenses/imports/{batch.pk}{path}").status_code in (200, 400)


def test_ids_and_numbers_that_are_none_change_nothing(page: Client, viewer: User) -> None:
    one = books.spend(viewer)
    place = workspaces.personal(viewer)
    for address, body in {
        "/expenses/bulk": {"id": [NUL, "x", "9" * 99], "action": "delete"},
        "/expenses/categories": {"name": NUL, "parent": "²"},
        f"/expenses/categories/{one.category_id}": {"action": "merge", "into": "９"},
        "/expenses/payment-methods": {"name": NUL, "last_four": "٤٢٤٢"},
        "/expenses/rules": {"name": NUL, "condition_field": "payee", "condition_operator": "is", "condition_value": NUL},
        "/expenses/recurring": {"rrule": NUL},
        "/expenses/budgets": {"amount": "1e99", "currency": "USD", "every": "monthly"},
        "/expenses/workspaces": {"name": NUL, "currency": "USD"},
        f"/expenses/workspaces/{place.pk}": {"name": NUL, "currency": "\x00"},
        f"/expenses/workspaces/{place.pk}/members": {"username": NUL, "role": "viewer"},
        f"/expenses/{one.pk}/decide": {"step": "reject", "reason": NUL},
        "/exchange-rates?month=9999-12": {},
    }.items():
        assert page.post(address, body).status_code in (200, 302, 400, 403, 404, 405), address
    assert Expense.objects.get().payee == "Yellow Cab"
