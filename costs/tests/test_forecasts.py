"""Where a period will end, asked of stored facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from cloudconsole.simulator.catalogue import EC2
from cloudconsole.simulator.organization import MANAGEMENT
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, month_of
from costs.selectors import forecasts
from costs.selectors.costs import Reader
from costs.selectors.questions import Question
from costs.tests import books

pytestmark = pytest.mark.django_db
STORED = DayRange(date(2026, 10, 1), date(2026, 11, 19))
MONTH = month_of(books.TODAY)


@pytest.fixture
def reader(admin: User) -> Reader:
    books.fill(books.source(MANAGEMENT, "management"), STORED)
    return Reader(admin)


@time_machine.travel(books.NOW, tick=False)
def test_a_month_is_expected_to_end_above_what_it_cost_so_far_also_for_one_service(reader: Reader) -> None:
    for question in (Question(MONTH), Question(MONTH, services=frozenset({EC2}))):
        so_far = reader.answer(question).total
        found = forecasts.expected(reader, question)
        expected = [so_far, found.low, found.amount, found.high]
        known = [amount for amount in expected if amount is not None]
        assert known == sorted(set(known))
        assert len(known) == len(expected)


@time_machine.travel(books.NOW, tick=False)
def test_a_day_that_is_over_is_expected_to_cost_what_it_did(reader: Reader) -> None:
    day = Question(DayRange(date(2026, 11, 3), date(2026, 11, 4)))
    so_far = reader.answer(day).total
    found = forecasts.expected(reader, day)
    assert found.amount == found.low == found.high == so_far
    assert found.method == "actual"


@time_machine.travel(books.NOW, tick=False)
def test_nothing_is_expected_of_days_of_which_nothing_is_known(admin: User) -> None:
    found = forecasts.expected(Reader(admin), Question(MONTH))
    assert found.amount is None
    assert found.reason


@time_machine.travel(books.NOW, tick=False)
def test_the_api_tells_each_day_and_their_sum(reader: Reader, admin: User, client: Client) -> None:
    client.force_login(admin)
    told = client.get("/api/costs/forecast").json()
    assert (told["start"], told["until"], told["level"], told["reason"]) == ("2026-11-01", "2026-12-01", 80, "")
    assert len(told["points"]) == 30
    assert sum(Decimal(point["amount"]) for point in told["points"]) == Decimal(told["total"])
    assert Decimal(told["actual"]) < Decimal(told["low"]) < Decimal(told["total"]) < Decimal(told["high"])
    known = [point for point in told["points"] if point["end"] <= told["complete_until"]]
    assert all(point["actual"] == point["amount"] == point["low"] == point["high"] for point in known)


@time_machine.travel(books.NOW, tick=False)
def test_months_and_days_add_up_to_the_same_forecast(reader: Reader, admin: User, client: Client) -> None:
    client.force_login(admin)
    asked = {"until": "2027-03-01", "service": EC2}
    by_day, by_month = (client.get("/api/costs/forecast", asked | {"granularity": cut}).json() for cut in ("daily", "monthly"))
    assert [point["start"] for point in by_month["points"]] == ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01"]
    assert by_day["total"] == by_month["total"]


@pytest.mark.parametrize("asked", [{"until": "2026-10-01"}, {"until": "2029-01-01"}, {"until": "soon"}, {"end": "2026-12-01"}])
@time_machine.travel(books.NOW, tick=False)
def test_a_period_that_cannot_be_forecast_is_refused(admin: User, client: Client, asked: dict[str, str]) -> None:
    client.force_login(admin)
    assert client.get("/api/costs/forecast", asked).status_code == 400


@time_machine.travel(books.NOW, tick=False)
def test_the_page_shows_services_that_add_up_to_the_whole(reader: Reader, admin: User, client: Client) -> None:
    question = Question(MONTH)
    whole = forecasts.projection(reader, question)
    shares = forecasts.shares(reader, question, Dimension.SERVICE, whole, count=5)
    assert sum(share.amount for share in shares) == whole.outlook.amount
    assert sum(share.actual for share in shares) == whole.actual
    client.force_login(admin)
    for until in ("", "3m", "year"):
        page = client.get("/costs/forecast", {"until": until}).content.decode()
        assert "What it is made of" in page or until == "year"
        assert shares[0].key in page or until == "year"


@time_machine.travel(books.NOW, tick=False)
def test_a_year_of_which_most_was_never_fetched_has_no_forecast_and_says_why(reader: Reader, admin: User, client: Client) -> None:
    client.force_login(admin)
    page = client.get("/costs/forecast", {"until": "year"}).content.decode()
    assert "273 of its days were never fetched" in page


@time_machine.travel(books.NOW, tick=False)
def test_the_page_says_what_is_missing_where_there_is_nothing(admin: User, client: Client) -> None:
    client.force_login(admin)
    assert "Nothing to forecast yet" in client.get("/costs/forecast").content.decode()
    books.source(MANAGEMENT, "management")
    assert "No forecast yet" in client.get("/costs/forecast").content.decode()
    assert client.get("/costs/forecast", {"metric": "wrong"}).status_code == 400
