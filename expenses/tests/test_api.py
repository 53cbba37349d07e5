"""Expenses over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from expenses.models import Expense
from expenses.rules.statuses import MemberRole
from expenses.tests import books
from expenses.tests.test_receipts import picture

Api = Callable[[User | None], APIClient]

# Word for word from the AWS Expense Tracker.
TRACKER = {
    "Date": "2024-01-09",
    "Category": "Food",
    "SubCategory": "Coffee",
    "Description": "Morning coffee",
    "Cost": 2.25,
    "PaymentMethod": "Credit Card",
    "Location": "University Cafe",
}


def test_the_payload_of_the_expense_tracker_is_taken_verbatim(api: Api, viewer: User) -> None:
    made = api(viewer).post("/api/expenses", TRACKER, format="json")
    assert made.status_code == 201
    told = made.json()
    assert {
        name: told[name] for name in ("date", "category", "subcategory", "cost", "currency", "payment_method", "location")
    } == {
        "date": "2024-01-09",
        "category": "Food",
        "subcategory": "Coffee",
        "cost": "2.25",
        "currency": "USD",
        "payment_method": "Credit Card",
        "location": "University Cafe",
    }
    assert told["user"] == viewer.pk
    assert api(viewer).get(f"/api/expenses/{viewer.pk}").json()["results"][0]["id"] == told["id"]


def test_expenses_of_a_user_are_their_own_or_an_admins_business(api: Api, viewer: User, stranger: User, admin: User) -> None:
    books.spend(viewer)
    assert api(stranger).get(f"/api/expenses/{viewer.pk}").status_code == 404
    assert len(api(admin).get(f"/api/expenses/{viewer.pk}").json()["results"]) == 1
    assert [api(admin).get(f"/api/expenses/{nobody}").status_code for nobody in (10**6, 10**30)] == [404, 404]
    assert api(admin).get("/api/expenses").json()["results"] == []


def test_an_expense_is_read_changed_and_deleted_by_its_owner_alone(api: Api, viewer: User, stranger: User) -> None:
    one = books.spend(viewer)
    mine, other = api(viewer), api(stranger)
    address = f"/api/expenses/{one.pk}"
    for call in (other.get, other.delete):
        assert call(address).status_code == 404
    assert other.patch(address, {"payee": "x"}, format="json").status_code == 404
    changed = mine.patch(address, {"cost": "13", "category": "Food", "revision": 1}, format="json").json()
    assert (changed["cost"], changed["category"], changed["subcategory"], changed["payee"]) == ("13", "Food", "", "Yellow Cab")
    assert mine.patch(address, {"cost": "14", "revision": 1}, format="json").json()["code"] == "expense_changed"
    put = mine.put(address, {"Date": "2026-01-01", "Cost": "1"}, format="json").json()
    assert (put["date"], put["payee"], put["category"]) == ("2026-01-01", "", "")
    gone = mine.delete(address)
    assert gone.status_code == 204
    assert mine.get(address).status_code == 404
    undone = mine.post(f"/api/expenses/edits/{gone['X-Edit']}/undo")
    assert undone.json() == {"restored": 1, "left": 0}
    assert mine.post(f"/api/expenses/edits/{gone['X-Edit']}/undo").json()["code"] == "nothing_to_undo"
    assert mine.get(address).status_code == 200


def test_the_same_external_id_again_is_the_same_expense_and_another_one_a_conflict(api: Api, viewer: User) -> None:
    body = {"date": "2026-11-01", "cost": "5", "currency": "EUR", "source": "bank", "external_id": "A1"}
    client = api(viewer)
    first = client.post("/api/expenses", body, format="json")
    again = client.post("/api/expenses", body, format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = client.post("/api/expenses", {**body, "cost": "6"}, format="json")
    assert (other.status_code, other.json()["code"]) == (409, "external_id_taken")
    assert client.post("/api/expenses", {**body, "source": "card"}, format="json").status_code == 201
    for ours in ("manual", "recurring"):
        assert client.post("/api/expenses", {**body, "source": ours}, format="json").json()["errors"][0]["attr"] == "source"


def test_an_idempotency_key_enters_once(api: Api, viewer: User) -> None:
    headers = {"Idempotency-Key": "k1"}
    answers = [api(viewer).post("/api/expenses", TRACKER, format="json", headers=headers) for _ in range(2)]
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert Expense.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"currency": "JPY", "cost": "1.5"}, "cost"),
        ({"currency": "XXX", "cost": "1"}, "currency"),
        ({"cost": "NaN"}, "cost"),
        ({"cost": "1000000000000000"}, "cost"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "2026-11-01T23:00:00-08:00"}, "date"),
        ({"category": "", "subcategory": "Taxi"}, "category"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"account": 4711}, "account"),
    ],
)
def test_what_cannot_be_is_refused_by_name(api: Api, viewer: User, fields: dict[str, Any], attr: str) -> None:
    answer = api(viewer).post("/api/expenses", {"date": "2026-11-01", "cost": "1", **fields}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr
    assert not Expense.objects.exists()


def test_pages_follow_one_another_by_cursor_in_any_order(api: Api, viewer: User) -> None:
    for at in range(25):
        books.spend(viewer, cost=Decimal(at % 3 + 1), date=date(2026, 11, 1 + at % 2))
    client = api(viewer)
    for ordering in ("-date", "date", "cost", "-cost", "created_at"):
        seen: list[str] = []
        address = f"/api/expenses?page_size=4&ordering={ordering}"
        while address:
            told = client.get(address).json()
            seen += [one["id"] for one in told["results"]]
            address = told["next"]
        assert len(seen) == len(set(seen)) == 25, ordering
        back = client.get(told["previous"]).json()
        assert [one["id"] for one in back["results"]] == seen[20:24], ordering


@pytest.mark.parametrize("ordering", ["-date", "date", "cost", "-cost", "created_at", "-created_at"])
def test_what_is_in_several_workspaces_comes_in_one_order(api: Api, viewer: User, stranger: User, ordering: str) -> None:
    places = [None, books.shared(viewer, name="One"), books.shared(viewer, name="Two")]
    for at in range(21):
        books.spend(viewer, places[at % 3], cost=Decimal(at % 4 + 1), date=date(2026, 11, 1 + at % 5))
    books.spend(stranger)
    column = ordering.removeprefix("-")
    seen: list[tuple[str, str]] = []
    address = f"/api/expenses?page_size=4&ordering={ordering}"
    while address:
        told = api(viewer).get(address).json()
        seen += [(one["id"] if column == "created_at" else one[column], one["id"]) for one in told["results"]]
        address = told["next"]
    assert len(seen) == 21
    assert seen == sorted(seen, reverse=ordering.startswith("-"))
    back = api(viewer).get(told["previous"]).json()
    assert [one["id"] for one in back["results"]] == [pk for _, pk in seen[16:20]]


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        f"cursor={'W1tb' * 8000}",
        "ordering=payee",
        "page_size=0",
        "start=x",
        "currency=QQQ",
        "min=1e99",
        "min=1e9999999",
        "weekday=8",
    ],
)
def test_a_parameter_that_means_nothing_is_refused(api: Api, viewer: User, query: str) -> None:
    assert api(viewer).get(f"/api/expenses?{query}").status_code == 400


def test_filters_narrow(api: Api, viewer: User) -> None:
    books.spend(viewer, payee="A", tags=("x", "y"), currency="EUR", location="Rome", date=date(2026, 11, 2))
    books.spend(viewer, payee="B", category="Food", subcategory="", tags=(), payment_method="", cost=Decimal(99))
    client = api(viewer)
    for query, expected in {
        "category=Travel": "A",
        "category=travel › taxi": "A",
        "category=Food": "B",
        "category=Nothing": "",
        "payee=a": "A",
        "tag=y": "A",
        "only_tag=x&only_tag=y": "A",
        "only_tag=x": "",
        "currency=eur": "A",
        "location=Rome": "A",
        "payment_method=visa": "A",
        "without=payment_method": "B",
        "without=tag": "B",
        "min=50": "B",
        "max=12.5": "A",
        "start=2026-11-03": "B",
        "until=2026-11-02": "A",
        "weekday=1": "A",
        "search=rom": "A",
        "status=draft": "",
    }.items():
        found = [one["payee"] for one in client.get(f"/api/expenses?{query}").json()["results"]]
        assert "".join(found) == expected, query


def test_the_summary_groups_compares_and_adds_up(api: Api, viewer: User) -> None:
    books.spend(viewer, cost=Decimal("10.00"))
    books.spend(viewer, cost=Decimal("20.00"))
    books.spend(viewer, cost=Decimal("40.00"), category="Food", subcategory="")
    books.spend(viewer, cost=Decimal("8.00"), date=date(2026, 10, 5))
    books.spend(viewer, cost=Decimal(500), currency="JPY")
    query = "group_by=category&start=2026-11-01&end=2026-12-01&median=1"
    told = api(viewer).get(f"/api/expenses/summary?{query}").json()
    assert told["previous_period"] == {"start": "2026-10-01", "end": "2026-11-01"}
    usd = {one["labels"][0]: one for one in told["groups"] if one["currency"] == "USD"}
    travel = usd["Travel"]
    assert (travel["count"], travel["sum"], travel["average"], travel["median"], travel["previous"]) == (2, "30", "15", "15", "8")
    assert [(one["currency"], one["sum"], one["previous"]) for one in told["totals"]] == [("USD", "70", "8"), ("JPY", "500", "0")]
    assert api(viewer).get("/api/expenses/summary?group_by=colour").status_code == 400
    first = api(viewer).get("/api/expenses/summary?start=0001-01-01&end=0001-02-01")
    assert (first.status_code, first.json()["previous_period"]) == (200, None)


def test_many_are_changed_or_none(api: Api, viewer: User, stranger: User) -> None:
    mine = [books.spend(viewer) for _ in range(3)]
    client = api(viewer)
    body = {"ids": [str(one.pk) for one in mine], "set": {"category": "Food › Lunch", "add_tags": ["team"]}}
    told = client.post("/api/expenses/bulk", body, format="json").json()
    assert told["count"] == 3
    assert {(str(one.category), tuple(one.tags)) for one in Expense.objects.all()} == {("Food › Lunch", ("team",))}
    assert client.post(f"/api/expenses/edits/{told['id']}/undo").json()["restored"] == 3
    assert {str(one.category) for one in Expense.objects.all()} == {"Travel › Taxi"}
    foreign = api(stranger).post("/api/expenses/bulk", body, format="json")
    assert foreign.json()["code"] == "nothing_chosen"
    misspelt = client.post("/api/expenses/bulk?paye=Yellow Cab", {"all": True, "delete": True}, format="json")
    assert (misspelt.status_code, misspelt.json()["errors"][0]["attr"]) == (400, "paye")
    everything = client.post("/api/expenses/bulk?payee=Yellow Cab", {"all": True, "delete": True}, format="json")
    assert everything.json()["count"] == 3
    assert client.post("/api/expenses/bulk", {"all": True, "ids": [], "delete": True}, format="json").status_code == 400


def test_the_tree_methods_rules_series_and_budgets_are_kept_over_http(api: Api, viewer: User) -> None:
    client = api(viewer)

    def post(path: str, body: dict[str, Any]) -> Any:
        answer = client.post(f"/api/expenses{path}", body, format="json")
        assert answer.status_code == 201, answer.json()
        return answer.json()

    travel = post("/categories", {"name": "Travel"})
    taxi = post("/categories", {"name": "Taxi", "parent": travel["id"]})
    deeper = client.post("/api/expenses/categories", {"name": "Night", "parent": taxi["id"]}, format="json")
    assert deeper.json()["code"] == "category_refused"
    assert client.post("/api/expenses/categories", {"name": "travel"}, format="json").json()["code"] == "name_taken"
    assert client.patch(f"/api/expenses/categories/{taxi['id']}", {"name": "Cabs"}, format="json").json()["name"] == "Cabs"
    half = client.patch(f"/api/expenses/categories/{travel['id']}", {"name": "Trips", "parent": travel["id"]}, format="json")
    assert half.json()["code"] == "category_refused"
    assert client.get(f"/api/expenses/categories/{travel['id']}").json()["name"] == "Travel"
    card = post("/payment-methods", {"name": "Visa", "kind": "card", "last_four": "4242"})
    assert client.patch(f"/api/expenses/payment-methods/{card['id']}", {"archived": True}, format="json").json()["archived_at"]
    condition, action = (
        {"field": "payee", "operator": "contains", "value": "uber"},
        {"field": "category", "value": "Travel › Cabs"},
    )
    rule = post("/rules", {"name": "Uber", "conditions": [condition], "actions": [action]})
    bare = {"date": "2026-11-01", "cost": "9", "payee": "UBER TRIP"}
    filled = client.post("/api/expenses", bare, format="json").json()
    assert (filled["category"], filled["subcategory"]) == ("Travel", "Cabs")
    assert client.post(f"/api/expenses/rules/{rule['id']}/try").json()["hits"] == []
    series = post("/recurring", {"date": "2190-01-31", "cost": "9", "rrule": "FREQ=MONTHLY", "payee": "Rent"})
    assert series["next_on"] == "2190-01-31"
    assert client.delete(f"/api/expenses/recurring/{series['id']}").status_code == 204
    budget = post("/budgets", {"amount": "100", "currency": "USD", "category": travel["id"]})
    whole = {"amount": "100", "currency": "USD", "category": travel["id"], "on_channels": True}
    assert client.put(f"/api/expenses/budgets/{budget['id']}", whole, format="json").json()["on_channels"] is True
    assert client.get(f"/api/expenses/budgets/{budget['id']}").json()["on_channels"] is True
    twice = client.post("/api/expenses/budgets", {"amount": "9", "currency": "USD", "category": travel["id"]}, format="json")
    assert twice.json()["code"] == "expense_budget_exists"
    for path in ("categories", "payment-methods", "rules", "recurring", "budgets", "workspaces"):
        listed = client.get(f"/api/expenses/{path}").json()
        assert listed.keys() == {"count", "next", "previous", "results"}
        assert listed["count"] == len(listed["results"]) == (2 if path == "categories" else 0 if path == "recurring" else 1)


def test_nobody_approves_their_own_and_what_was_handed_in_stands(api: Api, viewer: User, stranger: User) -> None:
    team = books.shared(viewer, (stranger, MemberRole.APPROVER), needs_approval=True)
    one = books.spend(viewer, team)
    address = f"/api/expenses/{one.pk}"

    def decide(user: User, step: str, **more: str | int) -> Any:
        return api(user).post(f"{address}/decide", {"step": step, **more}, format="json")

    assert api(viewer).get(address).json()["status"] == "draft"
    files = f"{address}/receipts"
    receipt = api(viewer).post(files, {"file": SimpleUploadedFile("r.jpg", picture())}, format="multipart").json()["id"]
    assert decide(viewer, "submit").json()["status"] == "submitted"
    assert api(viewer).delete(f"/api/expenses/receipts/{receipt}").json()["code"] == "expense_handed_in"
    assert api(viewer).patch(address, {"cost": "1"}, format="json").json()["code"] == "expense_handed_in"
    assert decide(viewer, "approve").status_code == 403
    assert decide(stranger, "reject").json()["code"] == "reason_needed"
    assert decide(stranger, "reject", reason="No receipt").json()["status"] == "rejected"
    assert api(viewer).patch(address, {"cost": "1"}, format="json").status_code == 200
    seen = decide(viewer, "submit").json()["revision"]
    decide(viewer, "withdraw")
    api(viewer).patch(address, {"cost": "900"}, format="json")
    now = decide(viewer, "submit").json()["revision"]
    assert decide(stranger, "approve", revision=seen).json()["code"] == "expense_changed"
    assert decide(stranger, "approve", revision=now).json()["status"] == "approved"
    assert decide(stranger, "approve").json()["code"] == "expense_state"
    assert decide(viewer, "reimburse").status_code == 403
    assert decide(stranger, "reimburse").json()["status"] == "reimbursed"


def test_what_waits_when_approval_ends_is_approved_with_a_revision_and_an_event_each(
    api: Api, viewer: User, stranger: User
) -> None:
    team = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR), needs_approval=True)
    waiting = [books.spend(stranger, team, payee=f"Cab {number}") for number in range(3)]
    ended = api(viewer).patch(f"/api/expenses/workspaces/{team.pk}", {"needs_approval": False}, format="json")
    assert ended.status_code == 200
    for one in waiting:
        before = one.revision
        one.refresh_from_db()
        assert (one.status, one.revision, one.decided_by) == ("approved", before + 1, viewer)
    told = AuditEvent.objects.filter(action="expense.approved")
    assert {event.subject for event in told} == {str(one.pk) for one in waiting}


@pytest.mark.parametrize("path", ["", "/summary", "/export", "/{user}"])
def test_a_misspelt_filter_is_refused_and_not_taken_for_none(api: Api, viewer: User, path: str) -> None:
    answer = api(viewer).get(f"/api/expenses{path}".format(user=viewer.pk), {"categroy": "Travel"})
    assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("categroy", "unknown_parameter")]


def test_a_contributor_changes_their_own_only(api: Api, viewer: User, stranger: User) -> None:
    team = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR))
    one = books.spend(viewer, team)
    assert api(stranger).get(f"/api/expenses/{one.pk}").status_code == 200
    assert api(stranger).patch(f"/api/expenses/{one.pk}", {"cost": "1"}, format="json").json()["code"] == "workspace_role"
    member = api(viewer).put(
        f"/api/expenses/workspaces/{team.pk}/members", {"user": stranger.pk, "role": "viewer"}, format="json"
    )
    assert member.status_code == 200
    assert api(stranger).post("/api/expenses", {**TRACKER, "workspace": team.pk}, format="json").status_code == 403


def test_an_expense_is_duplicated_and_split_over_http(api: Api, viewer: User, stranger: User) -> None:
    one = books.spend(viewer, cost=Decimal("10.00"), external_id="A1")
    again = api(viewer).post(f"/api/expenses/{one.pk}/duplicate").json()
    assert (again["payee"], again["external_id"], again["date"] > str(one.date)) == ("Yellow Cab", "", True)
    address = f"/api/expenses/{one.pk}/split"
    parts = [{"cost": "3.34", "category": "Food"}, {"cost": "6.66", "description": "rest"}]
    told = api(viewer).post(address, {"parts": parts}, format="json").json()
    assert [(part["cost"], part["category"], part["description"]) for part in told["parts"]] == [
        ("3.34", "Food", ""),
        ("6.66", "Travel", "rest"),
    ]
    assert told["parts"][0]["id"] == str(one.pk)
    assert api(viewer).post(f"/api/expenses/edits/{told['edit']}/undo").json()["restored"] == 2
    wrong = api(viewer).post(address, {"parts": [{"cost": "3"}, {"cost": "6"}]}, format="json")
    assert "add up to 10.00 USD" in wrong.json()["errors"][0]["detail"]
    assert api(viewer).post(address, {"parts": [{"cost": "10"}]}, format="json").status_code == 400
    assert api(stranger).post(address, {"parts": parts}, format="json").status_code == 404


def test_a_category_says_what_would_follow_a_change_of_it(api: Api, viewer: User) -> None:
    one = books.spend(viewer)
    assert one.category is not None
    told = api(viewer).get(f"/api/expenses/categories/{one.category.parent_id}").json()
    assert told["used_by"] == {"expenses": 1, "subcategories": 1, "series": 0, "budgets": 0}


def test_an_unknown_id_is_not_found(api: Api, viewer: User) -> None:
    assert api(viewer).get(f"/api/expenses/{uuid.uuid4()}").status_code == 404
