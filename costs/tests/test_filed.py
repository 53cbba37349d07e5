"""Accounts that only billing files tell, beside others that are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import AwsAccount, User
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import CostSource
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, month_of
from costs.selectors import anomalies, forecasts
from costs.selectors.costs import Reader
from costs.selectors.questions import Question
from costs.tests import bills, books

pytestmark = pytest.mark.django_db
STORED = DayRange(date(2026, 8, 1), date(2026, 11, 19))
MONTH = month_of(books.TODAY)


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def fetched(db: None) -> CostSource:
    source = books.source(MANAGEMENT, "management")
    books.fill(source, STORED)
    return source


def bill(month: date, admin: User) -> None:
    """A large one, of an account that is not connected."""
    whole = month_of(month)
    period = {"BillingPeriodStart": f"{whole.start}T00:00:00Z", "BillingPeriodEnd": f"{whole.end}T00:00:00Z"}
    rows = [
        bills.focus_row(**period, ChargePeriodStart=f"{day}T00:00:00Z", BilledCost="50000", EffectiveCost="50000")
        for day in (whole.start, whole.end - timedelta(days=1))
    ]
    stored = bills.store(bills.text(rows), admin)
    assert stored.status == "committed", stored.error_detail


def test_an_old_bill_is_in_its_own_month_and_changes_nothing_of_the_others(fetched: CostSource, admin: User) -> None:
    before = Reader(admin)
    expected = forecasts.expected(before, Question(MONTH))
    parts = forecasts.shares(before, Question(MONTH), Dimension.SERVICE, forecasts.projection(before, Question(MONTH)), count=3)
    august = before.answer(Question(month_of(STORED.start))).total
    bill(date(2026, 8, 1), admin)
    after = Reader(admin)
    assert after.answer(Question(month_of(STORED.start))).total == (august or 0) + Decimal(100_000)
    assert all(one.complete for one in after.answer(Question(DayRange(STORED.start, date(2026, 11, 15)))).periods)
    assert forecasts.expected(after, Question(MONTH)) == expected
    shares = forecasts.shares(after, Question(MONTH), Dimension.SERVICE, forecasts.projection(after, Question(MONTH)), count=3)
    assert shares == parts
    assert after.as_of == before.as_of
    missing = {one.alias: one.missing_days for one in after.completeness(Question(STORED))}
    assert set(missing.values()) == {0}
    assert anomalies.watched(admin).bills == 1


def test_such_an_account_is_not_said_to_wait_for_a_check(fetched: CostSource, admin: User, client: Client) -> None:
    bill(date(2026, 8, 1), admin)
    client.force_login(admin)
    account = AwsAccount.objects.get(account_id=bills.PAYER)
    for path in ("/", "/accounts", f"/accounts/{account.pk}"):
        text = client.get(path).content.decode()
        assert "Billing files only" in text, path
        assert "Not verified yet</span>" not in text, path
    offered = client.get("/costs/files/buckets/add").content.decode()
    assert f'<option value="{fetched.account_id}">management' in offered
    assert f'<option value="{account.pk}">' not in offered  # it has no credentials to read a bucket with


def test_bills_that_ended_long_ago_are_no_ground_for_a_forecast(admin: User) -> None:
    bill(date(2026, 5, 1), admin)
    bill(date(2026, 6, 1), admin)
    found = forecasts.expected(Reader(admin), Question(MONTH))
    assert found.amount is None
    assert found.reason == "The newest complete day is 30 Jun 2026, too long ago to expect anything from it."


def test_a_bill_that_comes_every_month_is_waited_for(fetched: CostSource, admin: User) -> None:
    bill(date(2026, 9, 1), admin)
    bill(date(2026, 10, 1), admin)
    reader = Reader(admin)
    complete = [reader.answer(Question(month_of(date(2026, month, 1)))).periods[0].complete for month in (8, 9, 10)]
    assert complete == [True, True, True]
    assert not reader.answer(Question(DayRange(date(2026, 11, 1), date(2026, 11, 8)))).periods[0].complete
    told = reader.completeness(Question(DayRange(date(2026, 8, 1), date(2026, 11, 8))))
    assert sorted(one.missing_days for one in told) == [0, 7]
