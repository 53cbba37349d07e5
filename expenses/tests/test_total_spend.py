"""Cloud costs and expenses together: exact, in one currency, and only what each person may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Grant, User
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import MANAGEMENT
from costs.rules.windows import DayRange
from costs.tests import books as costs
from expenses.models import MonthlyRate
from expenses.rules.grouping import GroupBy
from expenses.selectors import reports, total_spend
from expenses.selectors.expenses import ExpenseFilter
from expenses.tests.books import spend

Api = Callable[[User | None], APIClient]
TOTAL = "/api/expenses/total"
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
AUTUMN = {"start": "2026-10-01", "end": "2026-11-18"}


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(costs.NOW, tick=False):
        yield


def rate(currency: str, month: date, per_euro: str) -> None:
    MonthlyRate.objects.create(currency=currency, month=month, source="manual", per_euro=Decimal(per_euro), set_at=costs.NOW)


def billed() -> Decimal:
    """Costs of October, and their sum."""
    days = DayRange(OCTOBER, NOVEMBER)
    costs.fill(costs.source(MANAGEMENT, "management"), days)
    totals = [costs.LEDGER.totals(day, costs.NOW, account=MANAGEMENT)[()] for day in costs.days_of(days)]
    return sum((one.unblended for one in totals), Decimal(0))


def test_both_stand_side_by_side_and_add_up(api: Api, viewer: User) -> None:
    cloud = billed()
    spend(viewer, date=date(2026, 10, 5), cost=Decimal("100.25"))
    spend(viewer, date=date(2026, 10, 31), cost=Decimal(-10))
    answer = api(viewer).get(TOTAL, AUTUMN).json()
    october, november = answer["months"]
    assert (answer["currency"], october["month"], october["settled"]) == ("USD", "2026-10-01", True)
    assert (Decimal(october["cloud"]), october["expenses"]) == (cloud, "90.25")
    assert Decimal(october["total"]) == cloud + Decimal("90.25")
    # Of November nothing is stored: unknown, not zero.
    assert (november["cloud"], november["expenses"], november["total"]) == (None, "0", None)
    assert (answer["expenses"], answer["total"]) == ("90.25", None)


def test_a_missing_rate_is_told_and_nothing_is_assumed(api: Api, viewer: User) -> None:
    billed()
    spend(viewer, date=date(2026, 10, 5), cost=Decimal(100), currency="EUR")
    answer = api(viewer).get(TOTAL, {**AUTUMN, "currency": "EUR"}).json()
    assert answer["missing_rates"] == [{"currency": "USD", "month": "2026-10-01"}]
    assert (answer["months"][0]["cloud"], answer["months"][0]["expenses"]) == (None, "100")
    rate("USD", OCTOBER, "1.25")
    october = api(viewer).get(TOTAL, {**AUTUMN, "currency": "EUR"}).json()["months"][0]
    in_dollars = api(viewer).get(TOTAL, {**AUTUMN, "currency": "USD"}).json()["months"][0]
    assert (in_dollars["expenses"], october["missing_rates"]) == ("125", [])
    assert Decimal(october["cloud"]) == (Decimal(in_dollars["cloud"]) / Decimal("1.25")).quantize(
        Decimal("0.01"), "ROUND_HALF_UP"
    )


def test_nobody_sees_costs_or_expenses_of_others_in_the_total(api: Api, viewer: User, stranger: User, admin: User) -> None:
    cloud = billed()
    spend(viewer, date=date(2026, 10, 5), cost=Decimal(100))
    spend(stranger, date=date(2026, 10, 5), cost=Decimal(7))
    mine = api(stranger).get(TOTAL, AUTUMN).json()["months"][0]
    assert (mine["cloud"], mine["expenses"], mine["total"]) == ("0", "7", "7")
    everything = api(admin).get(TOTAL, AUTUMN).json()["months"][0]
    assert (Decimal(everything["cloud"]), everything["expenses"]) == (cloud, "107")


def test_a_range_that_means_nothing_is_refused(api: Api, viewer: User) -> None:
    for wrong in ({"start": "2026-12-01", "end": "2026-10-01"}, {"start": "1990-01-01"}, {"currency": "XXZ"}, {"start": "x"}):
        assert api(viewer).get(TOTAL, wrong).status_code == 400


def test_a_report_in_one_currency_adds_up_to_its_groups(api: Api, viewer: User) -> None:
    rate("USD", OCTOBER, "1.25")
    rate("USD", NOVEMBER, "2")
    for month, cost, currency in [(10, "100", "EUR"), (10, "125", "USD"), (11, "100", "USD")]:
        spend(viewer, date=date(2026, month, 5), cost=Decimal(cost), currency=currency, category=currency)
    found = total_spend.converted(viewer, ExpenseFilter(), [GroupBy.CATEGORY], "EUR")
    assert {one.labels[0]: one.amount for one in found.groups} == {"EUR": Decimal(100), "USD": Decimal(150)}
    assert (found.whole, found.count, found.missing) == (Decimal(250), 3, ())
    told = api(viewer).get("/api/expenses/summary?into=eur").json()["converted"]
    assert (told["currency"], Decimal(told["sum"]), told["missing"]) == ("EUR", found.whole, [])
    assert [Decimal(one["sum"]) for one in told["groups"]] == [one.amount for one in found.groups]
    assert api(viewer).get("/api/expenses/summary?into=XXX").status_code == 400
    missing = total_spend.converted(viewer, ExpenseFilter(), [GroupBy.CATEGORY, GroupBy.MONTH], "GBP")
    assert (missing.whole, set(missing.missing)) == (None, {("GBP", OCTOBER), ("GBP", NOVEMBER)})
    assert reports.report(viewer, ExpenseFilter(), [GroupBy.CATEGORY]).groups
    spend(viewer, date=date(2026, 10, 5), cost=Decimal(1), currency="GBP")
    unknown = api(viewer).get("/api/expenses/summary?into=EUR").json()["converted"]
    assert (unknown["sum"], unknown["missing"]) == (None, [{"currency": "GBP", "month": "2026-10-01"}])


def test_the_page_the_overview_and_the_rates_show_it(viewer: User, admin: User) -> None:
    billed()
    spend(viewer, date=date(2026, 10, 5), cost=Decimal("100.25"), currency="EUR")
    client = Client()
    client.force_login(viewer)
    page = client.get("/expenses/total?currency=EUR").content.decode()
    assert "1 rate missing" in page
    assert "/exchange-rates?currency=USD&amp;month=2026-10" in page
    assert "Set a month" not in client.get("/exchange-rates?currency=USD&month=2026-10").content.decode()
    assert client.post("/exchange-rates/set", {"currency": "USD", "month": "2026-10", "per_euro": "1.25"}).status_code == 403
    client.force_login(admin)
    assert client.post("/exchange-rates/set", {"currency": "USD", "month": "2026-10", "per_euro": "0"}).status_code == 400
    assert client.post("/exchange-rates/set", {"currency": "USD", "month": "2026-10", "per_euro": "1.25"}).status_code == 302
    assert "1.25" in client.get("/exchange-rates?month=2026-10").content.decode()
    client.force_login(viewer)
    page = client.get("/expenses/total?currency=EUR").content.decode()
    assert "missing" not in page
    overview = client.get("/").content.decode()
    assert "Cloud and expenses by month" in overview


def test_the_report_page_tells_all_in_one_currency_or_which_rate_is_missing(viewer: User) -> None:
    spend(viewer, date=date(2026, 10, 5), cost=Decimal(125))
    client = Client()
    client.force_login(viewer)
    rate("GBP", OCTOBER, "0.8")
    assert "1 rate missing" in client.get("/expenses/report?into=GBP").content.decode()
    rate("USD", OCTOBER, "1.25")
    page = client.get("/expenses/report?into=GBP").content.decode()
    assert "All in GBP" in page
    assert "£80.00" in page


def test_somebody_without_any_account_sees_expenses_alone(stranger: User) -> None:
    Grant.objects.filter(user=stranger).delete()
    client = Client()
    client.force_login(stranger)
    assert "Nothing was spent yet" in client.get("/expenses/total").content.decode()
    spend(stranger, date=date(2026, 10, 5))
    page = client.get("/expenses/total").content.decode()
    assert "No AWS account is yours to see" in page
    assert Role(stranger.role) is Role.OPERATOR


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_months_beyond_all_reason_are_refused_or_not_shown(api: Api, viewer: User, day: str) -> None:
    assert api(viewer).get("/api/expenses/total", {"start": day, "end": day}).status_code == 400
    client = Client()
    client.force_login(viewer)
    assert client.get("/exchange-rates", {"month": day[:7]}).status_code == 200
