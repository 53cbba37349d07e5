"""The overview where costs are in several currencies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from costs.models import CostSource
from costs.rules.cubes import Cube
from costs.tests import books
from expenses.tests import books as expense_books

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 10)


@pytest.fixture(autouse=True)
def two_currencies(db: None) -> Iterator[tuple[CostSource, CostSource]]:
    with time_machine.travel(books.NOW, tick=True):
        yield _billed("411111111111", "dollars", "USD", 5), _billed("466666666666", "euros", "EUR", 7)


def _billed(number: str, alias: str, currency: str, amount: int) -> CostSource:
    source = books.source(number, alias)
    keys: dict[Cube, tuple[str, ...]] = {
        Cube.TOTAL: (),
        Cube.SERVICE_RECORD_TYPE: ("AWS Lambda", "Usage"),
        Cube.ACCOUNT_RECORD_TYPE: (number, "Usage"),
    }
    for cube, key in keys.items():
        books.store(source, cube, books.answer({DAY: {(): books.amounts(amount), key: books.amounts(amount)}}, currency=currency))
    return source


def overview(user: User, query: str = "") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_currency_has_a_total_and_a_way_to_its_figures(admin: User) -> None:
    text = overview(admin)
    assert "Costs in 2 currencies" in text
    assert "€7.00" in text
    assert "$5.00" in text
    assert 'href="?currency=EUR"' in text
    assert "12.00" not in text


def test_a_chosen_currency_shows_its_figures_alone_and_the_way_back(admin: User) -> None:
    text = overview(admin, "?currency=EUR")
    assert "Costs in EUR only." in text
    assert "Daily cost by service" in text
    assert "$5.00" not in text[: text.index("All accounts</a>")]  # accounts say what they cost in their own


def test_a_scope_of_one_currency_needs_no_choice(admin: User) -> None:
    text = overview(admin, "?account=euros")
    assert "currencies" not in text
    assert "€7.00" in text
    assert "Costs in USD" not in overview(admin, "?account=euros&currency=USD")


def test_programs_get_a_total_for_each_currency_and_choose_one(admin: User) -> None:
    client = APIClient()
    client.force_login(admin)
    found = client.get("/api/dashboard").json()
    assert [(one["currency"], one["month_to_date"], one["accounts"]) for one in found["currencies"]] == [
        ("EUR", "7", ["euros"]),
        ("USD", "5", ["dollars"]),
    ]
    assert found["summary"] is None
    chosen = client.get("/api/dashboard?currency=USD").json()
    assert chosen["summary"]["month_to_date"]["amount"] == "5"
    assert (chosen["total"], chosen["quotas"], chosen["anomalies"], chosen["budgets"], chosen["recommendations"]) == (
        None,
        [],
        [],
        [],
        [],
    )
    expense_books.spend(admin, date=books.TODAY, cost=Decimal(3))
    assert client.get("/api/dashboard?currency=USD").json()["total"]["months"][-1]["total"] == "8"
    assert client.get("/api/dashboard?currency=dollar").status_code == 400


def test_each_account_shows_its_own_currency(admin: User) -> None:
    client = APIClient()
    client.force_login(admin)
    rows = client.get("/api/dashboard").json()["accounts"]
    assert [(row["alias"], row["currency"], row["month_to_date"]) for row in rows] == [
        ("dollars", "USD", "5"),
        ("euros", "EUR", "7"),
    ]
