"""The cost pages where costs are in several currencies: nothing is added, and each page offers a way on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from cloudconsole.aws.cost_explorer import Amounts
from costs.rules.cubes import CUBES, Cube, Dimension
from costs.rules.windows import DayRange
from costs.tests import books

DAYS = DayRange(books.TODAY - timedelta(days=60), books.TODAY)
VALUES = {Dimension.SERVICE: "AWS Lambda", Dimension.REGION: "eu-west-1", Dimension.RECORD_TYPE: "Usage"}


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def page(db: None, admin: User) -> Client:
    bill("411111111111", "dollars", "USD", 5)
    bill("466666666666", "euros", "EUR", 7)
    client = Client()
    client.force_login(admin)
    return client


def bill(number: str, alias: str, currency: str, amount: int) -> None:
    """So much a day, of one service."""
    source = books.source(number, alias)
    for cube in CUBES:
        key = tuple({**VALUES, Dimension.ACCOUNT: number}.get(one, "Lambda-GB-Second") for one in cube.shape)
        groups: dict[tuple[str, ...], Amounts] = {() if cube is Cube.TOTAL else key: books.amounts(amount)}
        books.store(source, cube, books.answer(dict.fromkeys(books.days_of(DAYS), groups), currency=currency))


@pytest.mark.parametrize("path", ["/costs", "/costs/changes", "/costs/forecast"])
def test_a_page_offers_its_currencies_and_keeps_its_choices(page: Client, path: str) -> None:
    text = page.get(path).content.decode()
    assert "Amounts of different currencies are never added." in text
    assert all(re.search("<option", one) for one in re.findall(r"<select.*?</select>", text, re.DOTALL))
    link = re.search(r'href="([^"]*currency=EUR[^"]*)"', text)
    assert link is not None
    chosen = page.get(f"{path}?{link[1].partition('?')[2]}".replace("&amp;", "&")).content.decode()
    assert "never added" not in chosen
    assert re.search(r'<input type="hidden" name="currency" value="EUR">', chosen)


def test_filters_can_be_chosen_in_every_currency(page: Client) -> None:
    text = page.get("/costs/filters").content.decode()
    assert 'name="service" value="AWS Lambda"' in text
    lambda_row = re.search(r'value="AWS Lambda".*?</label>', text, re.DOTALL)
    assert lambda_row is not None
    assert "$" in lambda_row[0]
    assert "€" in lambda_row[0]
    assert "€" not in page.get("/costs/filters?currency=USD").content.decode()


def test_a_budgets_form_says_plainly_that_a_currency_is_to_be_chosen(page: Client) -> None:
    text = page.get("/budgets/new").content.decode()
    assert 'name="service" value="AWS Lambda"' in text
    assert "The costs are in EUR, USD, which are never added: choose one of them as the currency." in text
