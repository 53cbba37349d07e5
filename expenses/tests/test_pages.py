"""Expenses on their pages: entering, finding, changing in place, undoing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from expenses.models import Category, Edit, Expense, PaymentMethod, Rule
from expenses.rules.statuses import MemberRole
from expenses.services import expenses, recurring, workspaces
from expenses.services.inputs import input_of
from expenses.tests import books

Api = Callable[[User | None], APIClient]

ROW: dict[str, Any] = {
    "date": "2026-11-20",
    "payee": "Blue Bottle",
    "cost": "4,80",
    "currency": "usd",
    "category": "Food › Coffee",
    "payment_method": "Visa",
    "description": "Cortado",
    "tags": "team, lunch",
}


@pytest.fixture
def client(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/report",
        "/categories",
        "/payment-methods",
        "/rules",
        "/recurring",
        "/budgets",
        "/workspaces",
        "/totals",
        "/suggestions",
    ],
)
@pytest.mark.parametrize("filled", [False, True])
def test_every_page_opens_empty_and_filled(client: Client, viewer: User, page: str, filled: bool) -> None:
    if filled:
        books.spend(viewer, tags=("a", "b"))
        books.spend(viewer, currency="JPY", cost=Decimal(900), payee="", category="", subcategory="", payment_method="")
    assert client.get(f"/expenses{page}").status_code == 200


def test_the_quick_row_enters_an_expense_and_makes_what_it_names(client: Client, viewer: User) -> None:
    assert client.post("/expenses/new", ROW).status_code == 302
    one = Expense.objects.get()
    assert (one.owner, one.cost, one.currency, one.date) == (viewer, Decimal("4.8"), "USD", date(2026, 11, 20))
    assert (str(one.category), str(one.payment_method), one.tags) == ("Food › Coffee", "Visa", ["lunch", "team"])
    page = client.get("/expenses").content.decode()
    assert "Blue Bottle" in page
    assert "$4.80" in page
    assert "$4.80" in client.get("/expenses/totals").content.decode()


def test_the_quick_row_says_what_is_wrong_and_keeps_what_was_typed(client: Client) -> None:
    answer = client.post("/expenses/new", {**ROW, "currency": "JPY", "cost": "4.5"}, headers={"HX-Request": "true"})
    assert "JPY has no decimal places." in answer.content.decode()
    assert "Blue Bottle" in answer.content.decode()
    assert not Expense.objects.exists()


def test_what_was_said_of_a_payee_last_is_offered(client: Client, viewer: User) -> None:
    books.spend(viewer, payee="Yellow Cab", currency="EUR")
    told = client.get("/expenses/suggestions", {"payee": "yellow cab "}).json()
    assert told["payees"] == ["Yellow Cab"]
    assert told["last"]["category"] == "Travel › Taxi"
    assert (told["last"]["payment_method"], told["last"]["currency"]) == ("Visa", "EUR")


def test_a_row_is_changed_where_it_stands_and_the_change_can_be_undone(client: Client, viewer: User) -> None:
    one = books.spend(viewer)
    assert "row-form" in client.get(f"/expenses/{one.pk}/row?edit").content.decode()
    answer = client.post(f"/expenses/{one.pk}/row", {**ROW, "revision": 1})
    assert "Blue Bottle" in answer.content.decode()
    edit = Edit.objects.get()
    client.post(f"/expenses/edits/{edit.pk}/undo")
    one.refresh_from_db()
    assert (one.payee, one.cost, str(one.category), one.tags) == ("Yellow Cab", Decimal("12.5"), "Travel › Taxi", [])


def test_of_two_tabs_the_second_is_told_that_the_row_changed(client: Client, viewer: User) -> None:
    one = books.spend(viewer)
    client.post(f"/expenses/{one.pk}/row", {**ROW, "revision": 1})
    answer = client.post(f"/expenses/{one.pk}/row", {**ROW, "payee": "Second", "revision": 1})
    assert "Look at what it is now" in answer.content.decode()
    one.refresh_from_db()
    assert one.payee == "Blue Bottle"


def test_a_deleted_expense_is_gone_and_comes_back(client: Client, viewer: User) -> None:
    one = books.spend(viewer)
    page = client.post(f"/expenses/{one.pk}/delete", follow=True).content.decode()
    assert "Yellow Cab" not in page
    assert "Undo" in page
    client.post(f"/expenses/edits/{Edit.objects.get().pk}/undo")
    assert "Yellow Cab" in client.get("/expenses").content.decode()


def test_the_detail_page_changes_everything(client: Client, viewer: User) -> None:
    one = books.spend(viewer)
    assert client.get(f"/expenses/{one.pk}").status_code == 200
    answer = client.post(f"/expenses/{one.pk}", {**ROW, "location": "Oakland", "notes": "n", "project": "x", "revision": 1})
    assert answer.status_code == 302
    one.refresh_from_db()
    assert (one.location, one.notes, one.project) == ("Oakland", "n", "x")
    client.post(f"/expenses/{one.pk}/duplicate")
    assert Expense.objects.count() == 2


def test_many_are_handed_in_and_approved_from_the_list(client: Client, viewer: User, operator: User) -> None:
    team = books.shared(viewer, (operator, MemberRole.CONTRIBUTOR), needs_approval=True)
    rows = [books.spend(operator, team, payee=f"Hotel {number}") for number in range(2)]
    colleague = Client()
    colleague.force_login(operator)
    form = {"workspace": team.pk, "id": [str(one.pk) for one in rows], "action": "submit"}
    assert "Handed in: 2 expenses." in colleague.post("/expenses/bulk", form, follow=True).content.decode()
    listed = client.get(f"/expenses?workspace={team.pk}").content.decode()
    assert (
        'value="approve"' in listed,
        'value="approve"' in colleague.get(f"/expenses?workspace={team.pk}").content.decode(),
    ) == (
        True,
        False,
    )
    form = {"workspace": team.pk, "all": "1", "action": "approve", "seen": "2026-01-01T00:00:00+00:00"}
    question = client.post("/expenses/bulk", form).content.decode()
    assert "Approve: 2 expenses" in " ".join(question.split())
    assert "2026-01-01T00:00:00+00:00" in question
    assert "changed meanwhile" in client.post("/expenses/bulk", {**form, "sure": "1"}, follow=True).content.decode()
    for no_moment in ("2026-13-45T00:00:00Z", "yesterday"):
        refused = client.post("/expenses/bulk", {**form, "sure": "1", "seen": no_moment}, follow=True).content.decode()
        assert "Open the list once more." in refused
    assert (
        "changed meanwhile"
        in client.post("/expenses/bulk", {**form, "sure": "1", "seen": "2026-01-01"}, follow=True).content.decode()
    )
    del form["seen"]
    assert "Approved: 2 expenses." in client.post("/expenses/bulk", {**form, "sure": "1"}, follow=True).content.decode()
    assert {one.status for one in Expense.objects.all()} == {"approved"}
    again = client.post("/expenses/bulk", {**form, "sure": "1"}, follow=True).content.decode()
    assert re.search(r"Hotel \d, 3 Nov 2026: It is approved by now\.", again)


def test_chosen_expenses_are_changed_together(client: Client, viewer: User) -> None:
    chosen, other = books.spend(viewer), books.spend(viewer)
    client.post("/expenses/bulk", {"id": [str(chosen.pk)], "action": "change", "category": "Food", "add_tag": "x"})
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (str(chosen.category), chosen.tags, str(other.category)) == ("Food", ["x"], "Travel › Taxi")


def test_the_bar_changes_every_field_and_takes_away(client: Client, viewer: User) -> None:
    one = books.spend(viewer, tags=("a", "b"), location="Rome")
    form = {"id": [str(one.pk)], "action": "change", "payee": "New", "project": "x", "remove_tag": "A", "clear": "location"}
    client.post("/expenses/bulk", form)
    one.refresh_from_db()
    assert (one.payee, one.project, one.location, one.tags, str(one.category)) == ("New", "x", "", ["b"], "Travel › Taxi")
    page = client.post("/expenses/bulk", {**form, "all": "1"}).content.decode()
    assert "<dt>Tags taken away</dt><dd>A</dd>" in page
    client.post("/expenses/bulk", {"all": "1", "sure": "1", "action": "change", "clear": "category"})
    one.refresh_from_db()
    assert one.category is None


def test_all_that_match_are_deleted_after_a_look_and_come_back(client: Client, viewer: User) -> None:
    for _ in range(3):
        books.spend(viewer)
    books.spend(viewer, payee="Other")
    question = client.post("/expenses/bulk?payee=Yellow+Cab", {"all": "1", "action": "delete"}).content.decode()
    assert "Delete 3 expenses" in question
    assert Expense.objects.kept().count() == 4
    client.post("/expenses/bulk?payee=Yellow+Cab", {"all": "1", "action": "delete", "sure": "1"})
    assert Expense.objects.kept().count() == 1
    client.post(f"/expenses/edits/{Edit.objects.get().pk}/undo")
    assert Expense.objects.kept().count() == 4


def test_a_split_adds_up_and_can_be_undone(client: Client, viewer: User) -> None:
    one = books.spend(viewer, cost=Decimal("100.00"))
    page = client.get(f"/expenses/{one.pk}/split?parts=3").content.decode()
    assert "33.34" in page
    parts = {"form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 3}
    for at, cost in enumerate(["33.34", "33.33", "33.33"]):
        parts |= {f"form-{at}-cost": cost, f"form-{at}-category": f"C{at}", f"form-{at}-description": ""}  # type: ignore[dict-item]
    client.post(f"/expenses/{one.pk}/split", parts)
    assert sorted(Expense.objects.kept().values_list("cost", flat=True)) == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]
    client.post(f"/expenses/edits/{Edit.objects.get().pk}/undo")
    assert [row.cost for row in Expense.objects.kept()] == [Decimal(100)]


def test_a_split_whose_part_was_changed_does_not_count_twice(client: Client, viewer: User) -> None:
    one = books.spend(viewer, cost=Decimal("100.00"))
    parts = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-0-cost": "60", "form-1-cost": "40"}
    client.post(f"/expenses/{one.pk}/split", parts)
    part = Expense.objects.exclude(pk=one.pk).get()
    expenses.change(expense=part, given=replace(input_of(part), payee="Hotel"), by=viewer)
    client.post(f"/expenses/edits/{Edit.objects.get(what='Split').pk}/undo")
    assert sorted(Expense.objects.kept().values_list("cost", flat=True)) == [40, 60]


def test_a_split_that_does_not_add_up_is_refused(client: Client, viewer: User) -> None:
    one = books.spend(viewer, cost=Decimal("100.00"))
    beyond = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-0-cost": "1e9999999", "form-1-cost": "1e9999999"}
    assert "no more than 24 digits" in client.post(f"/expenses/{one.pk}/split", beyond).content.decode()
    parts = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-0-cost": "50", "form-1-cost": "49.99"}
    assert "add up to" in client.post(f"/expenses/{one.pk}/split", parts).content.decode()
    assert Expense.objects.count() == 1


def test_pages_of_a_long_list_follow_one_another_without_a_gap(client: Client, viewer: User) -> None:
    for at in range(120):
        books.spend(viewer, payee=f"P{at:03}", date=date(2026, 11, 1 + at % 2))
    seen: list[str] = []
    address = "/expenses"
    while address:
        context = client.get(address).context
        seen += [one.payee for one in context["page_rows"]]
        address = f"/expenses{context['older']}" if context["older"] else ""
    assert len(seen) == len(set(seen)) == 120
    back = client.get(f"/expenses{context['newer']}").context
    assert [one.payee for one in back["page_rows"]] == seen[50:100]


def test_the_filter_narrows_by_the_beginnings_of_words_in_any_case(client: Client, viewer: User) -> None:
    books.spend(viewer, payee="Café Berlin", description="Espresso")
    books.spend(viewer, payee="Yellow Cab")
    assert "Café Berlin" in client.get("/expenses", {"search": "CAFÉ esp"}).content.decode()
    assert "Nothing matches" in client.get("/expenses", {"search": "presso"}).content.decode()
    assert "A day such as" in client.get("/expenses", {"start": "yesterday"}).content.decode()


def test_a_category_is_renamed_merged_and_moved_with_a_look_ahead(client: Client, viewer: User) -> None:
    books.spend(viewer)
    books.spend(viewer, category="Rides", subcategory="")
    taxi, rides, travel = (Category.objects.get(name=name) for name in ("Taxi", "Rides", "Travel"))
    assert "1 expense" in client.get(f"/expenses/categories/{rides.pk}").content.decode()
    client.post(f"/expenses/categories/{rides.pk}", {"action": "merge", "into": taxi.pk})
    assert set(Expense.objects.values_list("category__name", flat=True)) == {"Taxi"}
    client.post(f"/expenses/categories/{taxi.pk}", {"action": "move", "parent": ""})
    client.post(f"/expenses/categories/{travel.pk}", {"action": "delete"})
    client.post(f"/expenses/categories/{taxi.pk}", {"action": "rename", "name": "Cabs"})
    assert [str(one) for one in Category.objects.all()] == ["Cabs"]


def test_a_payment_method_that_was_used_is_archived_not_deleted(client: Client, viewer: User) -> None:
    books.spend(viewer)
    visa = PaymentMethod.objects.get()
    client.post(f"/expenses/payment-methods/{visa.pk}", {"action": "delete", "name": "Visa"})
    client.post(f"/expenses/payment-methods/{visa.pk}", {"action": "archive"})
    visa.refresh_from_db()
    assert visa.archived_at is not None


def test_a_rule_reads_as_a_sentence(client: Client, viewer: User) -> None:
    rule = {"name": "Cabs", "match": "all", "is_on": "on", "action_field": "payment_method", "action_value": "Visa"}
    rule |= {"condition_field": "payment_method", "condition_operator": "is_not", "condition_value": "cash"}
    page = client.post("/expenses/rules", rule, follow=True).content.decode()
    assert 'payment method <span class="muted">is not</span> cash' in page
    assert '<span class="muted">payment method:</span> Visa' in page
    kept = Rule.objects.get()
    for path in ("/expenses/rules", f"/expenses/rules/{kept.pk}"):
        refused = client.post(path, {**rule, "name": "Rides", "action_value": ""})
        assert refused.status_code == 400
        assert 'value="Rides"' in refused.content.decode()
        assert 'value="cash"' in refused.content.decode()


def test_rules_are_read_in_the_order_that_the_page_and_the_api_say(client: Client, viewer: User, api: Api) -> None:
    condition, action = {"field": "payee", "operator": "contains", "value": "x"}, {"field": "category", "value": "Food"}

    def names() -> list[str]:
        return [one["name"] for one in api(viewer).get("/api/expenses/rules").json()["results"]]

    for name in "ABC":
        api(viewer).post("/api/expenses/rules", {"name": name, "conditions": [condition], "actions": [action]}, format="json")
    last = Rule.objects.get(name="C")
    for _ in range(2):
        client.post(f"/expenses/rules/{last.pk}", {"action": "up"})
    assert names() == ["C", "A", "B"]
    client.post(f"/expenses/rules/{last.pk}", {"action": "down"})
    assert names() == ["A", "C", "B"]
    body = {"name": "C", "conditions": [condition], "actions": [action], "position": 3}
    assert api(viewer).put(f"/api/expenses/rules/{last.pk}", body, format="json").json()["position"] == 3
    api(viewer).post("/api/expenses/rules", {**body, "name": "D", "position": 1}, format="json")
    assert names() == ["D", "A", "B", "C"]


def test_rules_show_what_they_would_change_before_they_do(client: Client, viewer: User, api: Api) -> None:
    books.spend(viewer, payee="Uber", category="", subcategory="")
    condition, action = {"field": "payee", "operator": "is", "value": "uber"}, {"field": "category", "value": "Travel"}
    api(viewer).post("/api/expenses/rules", {"name": "A", "conditions": [condition], "actions": [action]}, format="json")
    assert [one["values"] for one in api(viewer).post("/api/expenses/rules/try").json()["hits"]] == [{"category": "Travel"}]
    assert 'value="run"' not in client.get("/expenses/rules").content.decode()
    assert 'value="run"' in client.get("/expenses/rules?try=1").content.decode()
    client.post("/expenses/rules", {"action": "run"})
    assert str(Expense.objects.get().category) == "Travel"


def test_a_series_is_looked_at_and_changed_on_its_page(client: Client, viewer: User) -> None:
    given = books.given(date=date(2199, 1, 31), location="Rome", notes="n", project="p")
    series = recurring.create(workspace=workspaces.personal(viewer), given=given, rrule="FREQ=MONTHLY;BYDAY=-1FR", by=viewer)
    page = client.get(f"/expenses/recurring/{series.pk}").content.decode()
    assert "Every month on the last Friday" in page
    assert "Fri, 22 Feb 2199" in page
    row = {**ROW, "date": "2199-01-31", "often": "FREQ=YEARLY", "action": "change"}
    assert client.post(f"/expenses/recurring/{series.pk}", {**row, "often": ""}).status_code == 400
    assert client.post(f"/expenses/recurring/{series.pk}", row).status_code == 302
    series.refresh_from_db()
    assert (series.payee, series.rrule, series.next_on) == ("Blue Bottle", "FREQ=YEARLY", date(2199, 1, 31))
    assert (series.location, series.notes, series.project) == ("Rome", "n", "p")


def test_the_list_is_put_in_order_by_its_headings(client: Client, viewer: User) -> None:
    for cost in (5, 50, 7):
        books.spend(viewer, cost=Decimal(cost), payee=f"Cost {cost}")
    page = client.get("/expenses?ordering=-cost").content.decode()
    assert re.findall(r"Cost \d+</a>", page) == ["Cost 50</a>", "Cost 7</a>", "Cost 5</a>"]
    assert 'aria-sort="descending"><a href="?ordering=cost">Cost' in page
    assert "Largest first" in page


def test_what_somebody_may_not_change_cannot_be_typed_into_and_says_why(client: Client, viewer: User, stranger: User) -> None:
    team = books.shared(stranger, (viewer, MemberRole.CONTRIBUTOR), needs_approval=True)
    theirs, mine = books.spend(stranger, team), books.spend(viewer, team)
    page = client.get(f"/expenses/{theirs.pk}").content.decode()
    assert f"It is an expense of {stranger.username}" in page
    assert "Save</button>" not in page
    assert page.count(" disabled") >= 10
    client.post(f"/expenses/{mine.pk}/decide", {"step": "submit"})
    assert "Take it back to change it." in client.get(f"/expenses/{mine.pk}").content.decode()
    other = Client()
    other.force_login(stranger)
    assert f"ask {viewer.username} to take it back" in other.get(f"/expenses/{mine.pk}").content.decode()
    waiting = other.get(f"/expenses?workspace={team.pk}").content.decode()
    assert "1 expense waits for a decision." in " ".join(re.sub("<[^>]+>", "", waiting).split())
    assert "for a decision" not in client.get(f"/expenses?workspace={team.pk}").content.decode()


def test_an_account_that_somebody_does_not_see_stays_when_they_change_the_rest(stranger: User) -> None:
    client = Client()
    client.force_login(stranger)
    account = AwsAccount.objects.create(alias="secret-account", account_id="123456789012", auth_method="access_key")
    one = books.spend(stranger, account=account)
    assert "secret-account" not in client.get(f"/expenses/{one.pk}").content.decode()
    assert client.post(f"/expenses/{one.pk}", {**ROW, "revision": 1}).status_code == 302
    one.refresh_from_db()
    assert (one.payee, one.account) == ("Blue Bottle", account)


def test_a_shared_workspace_is_seen_by_its_members_and_nobody_else(client: Client, viewer: User, stranger: User) -> None:
    client.post("/expenses/workspaces", {"name": "Team", "currency": "eur"})
    team = viewer.workspaces.get(name="Team")
    client.post(f"/expenses/workspaces/{team.pk}/members", {"username": stranger.username, "role": "contributor"})
    books.spend(viewer, team)
    other = Client()
    other.force_login(stranger)
    assert "Yellow Cab" in other.get(f"/expenses?workspace={team.pk}").content.decode()
    workspaces.remove_member(workspace=team, user=stranger, by=viewer)
    assert other.get(f"/expenses?workspace={team.pk}").status_code == 404


def test_approval_on_the_page(client: Client, viewer: User, stranger: User) -> None:
    team = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR), needs_approval=True)
    theirs = books.spend(stranger, team)
    other = Client()
    other.force_login(stranger)
    assert "Hand in" in other.get(f"/expenses/{theirs.pk}").content.decode()
    other.post(f"/expenses/{theirs.pk}/decide", {"step": "submit"})
    other.post(f"/expenses/{theirs.pk}/decide", {"step": "approve"})
    theirs.refresh_from_db()
    assert theirs.status == "submitted"
    client.post(f"/expenses/{theirs.pk}/decide", {"step": "reject", "reason": "No receipt"})
    assert "No receipt" in other.get(f"/expenses/{theirs.pk}").content.decode()
