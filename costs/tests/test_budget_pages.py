"""Budgets on their pages and in the API."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.http import urlencode
from rest_framework.test import APIClient

from accounts.models import Grant, User
from cloudconsole.core import figures
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.catalogue import EC2
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import Budget, BudgetAlert, CostSource
from costs.rules.windows import DayRange
from costs.tests import books

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    found = books.source(MANAGEMENT, "management")
    books.fill(found, DayRange(date(2026, 11, 1), date(2026, 11, 19)))
    return found


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


FORM: dict[str, Any] = {
    "name": "Compute",
    "amount": "100",
    "every": "monthly",
    "metric": "unblended",
    "service": [EC2],
    "threshold_kind": ["actual", "forecast", "actual"],
    "threshold_value": ["80", "20000", ""],
    "threshold_unit": ["percent", "money", "percent"],
    "threshold_severity": ["warning", "critical", "warning"],
    "planned_period": ["2026-11-01", "2026-12-01"],
    "planned_amount": ["", "150.5"],
}


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_a_budget_is_made_from_the_form_and_shown(source: CostSource, client: Client) -> None:
    answer = client.post("/budgets/new", FORM)
    budget = Budget.objects.get()
    assert answer["Location"] == f"/budgets/{budget.pk}"
    assert budget.filters == [["service", EC2]]
    assert [one.limit.key for one in budget.thresholds.all()] == ["actual:percent:80", "forecast:money:20000"]
    assert [(one.period_start, one.amount) for one in budget.planned.all()] == [(date(2026, 12, 1), Decimal("150.5"))]
    shown = page(client, f"/budgets/{budget.pk}")
    assert "Over" in shown
    assert "adding up" in shown
    assert "Actual at 80 %" in shown
    client.post("/budgets/new", {**FORM, "name": "Later", "start": "2027-01-01"})
    assert "Not started" in page(client, f"/budgets/{budget.pk + 1}")
    listed = page(client, "/budgets")
    assert "Compute" in listed
    assert "2 budgets" in listed
    assert "Compute" in page(client, "/")


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(source: CostSource, client: Client) -> None:
    for wrong, words in (
        ({"amount": "much"}, "Enter a number"),
        ({"amount": "0"}, "more than zero"),
        ({"name": ""}, "required"),
        ({"threshold_value": ["often", "", ""]}, "is no number"),
        ({"region": ["eu-central-1"], "account": ["management"]}, "not stored together"),
        ({"currency": "dollars"}, "three capital letters"),
    ):
        answer = client.post("/budgets/new", {**FORM, **wrong})
        assert answer.status_code == 400
        assert words in answer.content.decode()
        assert answer.content.decode().count('name="threshold_value"') <= 4  # what was typed, and two rows more
    assert not Budget.objects.exists()


def test_the_preview_says_what_the_last_periods_cost_and_what_they_would_have_reached(source: CostSource, client: Client) -> None:
    shown = client.post("/budgets/preview", FORM).content.decode()
    assert "November 2026" in shown
    assert "80 %" in shown
    assert "not all known" in shown  # October was never fetched
    assert "<html" not in shown
    again = client.post("/budgets/new", {**FORM, "look": "1"})
    assert "The last periods" in again.content.decode()
    assert not Budget.objects.exists()


def test_the_explorer_offers_a_budget_for_what_it_shows(source: CostSource, client: Client) -> None:
    shown = page(client, f"/costs?service={EC2.replace(' ', '+')}&charge_type=usage&range=7d")
    assert "Budget for this" in shown
    form = page(client, f"/budgets/new?service={EC2.replace(' ', '+')}&charge_type=usage")
    assert "1 chosen" in form
    assert "only usage" in form


def test_a_budget_leads_to_its_costs_in_the_explorer_whatever_it_is_narrowed_to(source: CostSource, client: Client) -> None:
    for narrowed, grouping in (({"service": [EC2]}, "by service"), ({"account": ["management"], "charge_type": ["usage"]}, "")):
        path = client.post("/budgets/new", {**FORM, "service": [], **narrowed})["Location"]
        link = re.search(r'href="(/costs\?[^"]+)">[^/]*</span>In the explorer', page(client, path))
        assert link
        shown = page(client, html.unescape(link[1]))
        assert f"Daily cost {grouping}".strip() + "</h2>" in shown
        assert figures.days(date(2026, 11, 1), books.TODAY) in shown


def test_each_period_of_a_budget_leads_to_its_own_days(source: CostSource, client: Client) -> None:
    path = client.post("/budgets/new", {**FORM, "every": "yearly", "planned_period": [], "planned_amount": []})["Location"]
    links = re.findall(r'class="nowrap"><a class="link-quiet" href="(/costs\?[^"]+)">2026</a>', page(client, path))
    assert [html.unescape(link) for link in links] == [
        "/costs?range=custom&start=2026-01-01&end=2026-11-19&granularity=monthly&"
        + urlencode({"service": EC2, "currency": "USD"})
    ]


def test_it_is_edited_duplicated_muted_archived_and_restored(source: CostSource, client: Client) -> None:
    client.post("/budgets/new", FORM)
    budget = Budget.objects.get()
    assert 'value="Compute"' in page(client, f"/budgets/{budget.pk}/edit")
    assert "Compute (copy)" in page(client, f"/budgets/new?like={budget.pk}")
    client.post(f"/budgets/{budget.pk}/edit", {**FORM, "amount": "200", "revision": "1"})
    late = client.post(f"/budgets/{budget.pk}/edit", {**FORM, "amount": "300", "revision": "1"})
    assert (late.status_code, Budget.objects.get().amount) == (409, 200)
    client.post(f"/budgets/{budget.pk}/mute", {"days": "7"})
    assert "Muted until" in page(client, f"/budgets/{budget.pk}")
    client.post(f"/budgets/{budget.pk}/mute")
    assert "Muted until" not in page(client, f"/budgets/{budget.pk}")
    assert "can be restored" in page(client, f"/budgets/{budget.pk}/archive")
    gone = client.post(f"/budgets/{budget.pk}/archive", follow=True).content.decode()
    assert "Restore" in gone
    assert "No budget yet" in page(client, "/budgets")
    assert "Compute" in page(client, "/budgets?show=archived")
    client.post(f"/budgets/{budget.pk}/restore")
    assert Budget.objects.get().archived_at is None


def test_what_one_may_not_see_is_not_there_under_any_address(
    source: CostSource, admin: User, stranger: User, client: Client
) -> None:
    client.post("/budgets/new", {**FORM, "name": "secret plan"})
    budget = Budget.objects.get()
    other = Client()
    other.force_login(stranger)
    for path in ("", "/edit", "/archive"):
        assert other.get(f"/budgets/{budget.pk}{path}").status_code == 404
    assert "secret plan" not in page(other, "/budgets")
    assert "secret plan" not in page(other, "/")
    assert other.get(f"/budgets/new?like={budget.pk}").status_code == 404


def test_a_viewer_sees_it_and_changes_nothing(source: CostSource, client: Client, make_user: Callable[..., User]) -> None:
    client.post("/budgets/new", FORM)
    budget = Budget.objects.get()
    viewer = make_user("vera", Role.VIEWER)
    Grant.objects.create(user=viewer, account=source.account, role=Role.VIEWER)
    other = Client()
    other.force_login(viewer)
    shown = page(other, f"/budgets/{budget.pk}")
    assert "Compute" in shown
    assert "Archive" not in shown
    assert other.post(f"/budgets/{budget.pk}/archive").status_code == 403
    assert other.get("/budgets/new").status_code == 403


def test_an_empty_list_offers_the_next_step(admin: User, client: Client) -> None:
    assert "Make the first one" in page(client, "/budgets")
    assert "Nothing matches" in page(client, "/budgets?standing=over")
    assert client.get("/budgets/new").status_code == 200


# --- API


def test_the_api_makes_tells_changes_and_lets_go(source: CostSource, admin: User, api: Api) -> None:
    asked = {
        "name": "Compute",
        "amount": "100",
        "query": f"service={EC2}&charge_type=usage",
        "thresholds": [{"kind": "actual", "value": "50"}, {"kind": "forecast", "unit": "money", "value": "12.5"}],
        "planned": [{"period": "2026-12-01", "amount": "7"}],
    }
    made = api(admin).post("/api/costs/budgets", asked, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["standing"], told["currency"], told["revision"], told["period"]) == ("over", "USD", 1, "monthly")
    assert told["current"]["period_start"] == "2026-11-01"
    assert isinstance(told["current"]["actual"], str)
    address = f"/api/costs/budgets/{told['id']}"
    assert api(admin).get(address).json() == told
    assert api(admin).get("/api/costs/budgets").json()["results"] == [told]
    alerts = api(admin).get(f"{address}/alerts").json()["results"]
    assert {(one["kind"], one["value"]) for one in alerts} >= {("actual", "50")}
    assert api(admin).get(f"{address}/evaluations").json()["count"] >= 1
    changed = api(admin).patch(address, {"amount": "1000000", "muted_until": "2026-12-01T00:00:00Z"}, format="json").json()
    assert (changed["revision"], changed["standing"], changed["thresholds"]) == (2, "on_track", told["thresholds"])
    assert changed["query"] == told["query"]
    assert api(admin).patch(address, {"name": "x", "revision": 1}, format="json").status_code == 409
    assert api(admin).put(address, {**asked, "name": "all anew", "thresholds": []}, format="json").json()["thresholds"] == []
    assert api(admin).delete(address).status_code == 204
    assert api(admin).get("/api/costs/budgets").json()["count"] == 0
    assert api(admin).get("/api/costs/budgets?archived=true").json()["count"] == 1
    assert api(admin).delete(address).status_code == 409
    assert api(admin).post(f"{address}/restore").status_code == 200


def test_the_api_says_what_is_wrong(source: CostSource, admin: User, api: Api) -> None:
    for wrong, code in (
        ({"amount": "-1"}, "invalid_budget"),
        ({"query": f"service={EC2}&region=eu-central-1&account=management"}, "not_stored"),
        ({"query": "account=nowhere"}, "unknown_account"),
    ):
        answer = api(admin).post("/api/costs/budgets", {"name": "x", "amount": "1", **wrong}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert api(admin).post("/api/costs/budgets", {"name": "x", "amount": "1", "query": "tea=1"}, format="json").status_code == 400
    assert api(admin).get("/api/costs/budgets?standing=odd").status_code == 400


def test_alerts_of_a_budget_are_for_those_who_see_it(source: CostSource, admin: User, stranger: User, api: Api) -> None:
    made = api(admin).post(
        "/api/costs/budgets", {"name": "x", "amount": "1", "thresholds": [{"kind": "actual", "value": "50"}]}, format="json"
    )
    assert BudgetAlert.objects.count() == 1
    for tail in ("", "/alerts", "/evaluations"):
        assert api(stranger).get(f"/api/costs/budgets/{made.json()['id']}{tail}").status_code == 404
