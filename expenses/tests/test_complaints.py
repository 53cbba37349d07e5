"""What people complain about most in programs for expenses: sixteen complaints, each a test that it is not so here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Alert, User
from expenses import tasks
from expenses.models import Expense, RecurringExpense
from expenses.rules.grouping import GroupBy
from expenses.rules.statuses import MemberRole
from expenses.services import rules, workspaces
from expenses.services.importing import batches, leases
from expenses.services.rules import RuleInput
from expenses.tests import books
from expenses.tests.sending import coffees, committed, csv_of, imported, said, staged, worked
from expenses.tests.test_receipts import picture

Api = Callable[[User | None], APIClient]
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def client(viewer: User, client: Client) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def ask(viewer: User, api: Api) -> APIClient:
    return api(viewer)


def questions(ask: Callable[[], object]) -> int:
    """How often the database is asked."""
    ask()
    with CaptureQueriesContext(connection) as asked:
        ask()
    return len(asked)


def test_1_a_longer_list_asks_the_database_no_more(client: Client, ask: APIClient, viewer: User) -> None:
    counts = []
    for rows in (3, 45):
        for number in range(rows):
            books.spend(viewer, category=f"C{number % 5}", payment_method=f"M{number % 3}", tags=("a", "b"))
        counts.append([questions(lambda: client.get("/expenses")), questions(lambda: ask.get("/api/expenses"))])
    assert counts[0] == counts[1]


def test_2_many_rules_are_one_pass_over_many_expenses(ask: APIClient, viewer: User) -> None:
    place, counts = workspaces.personal(viewer), []
    for size in (1, 49):
        for number in range(size):
            books.spend(viewer, payee=f"Shop {size} {number}", category="", subcategory="")
            conditions = [{"field": "payee", "operator": "is", "value": f"Shop {size} {number}"}]
            given = RuleInput(f"{size} {number}", conditions, [{"field": "category", "value": "Travel"}])
            rules.create(workspace=place, given=given, by=viewer)
        with CaptureQueriesContext(connection) as asked:
            assert ask.post("/api/expenses/rules/run").json()["count"] == size
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 5  # rows are written in batches


def test_3_a_long_journal_comes_in_pages_without_gap_or_repetition(ask: APIClient, viewer: User) -> None:
    for number in range(45):
        books.spend(viewer, payee=f"P{number}", date=date(2026, 11, 1 + number % 2))
    seen, address = [], "/api/expenses?page_size=20"
    while address:
        page = ask.get(address).json()
        seen += [one["payee"] for one in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 45


def test_4_an_import_that_cannot_go_on_says_where_and_why(client: Client, viewer: User) -> None:
    batch = staged(csv_of(*["2026-01-05,Café,3.50,EUR"] * 1_500) + b'2026-01-05,"Caf' + b"x" * 200_000, viewer)
    assert batch.status == "failed"
    assert "Line 1502" in client.get(f"/expenses/imports/{batch.pk}").content.decode()


def test_5_a_large_import_that_is_broken_off_goes_on_and_is_whole(viewer: User, clock: time_machine.Traveller) -> None:
    batch = staged(coffees(1_200), viewer)
    batches.commit(batch=batch, by=viewer)
    assert leases.claim(batch.pk) is not None  # a worker takes it, and is never heard of again
    assert worked(batch).created == 0
    clock.shift(leases.LEASE + timedelta(seconds=1))
    assert (worked(batch).created, Expense.objects.count()) == (1_200, 1_200)


def test_6_two_real_coffees_stay_two(viewer: User) -> None:
    assert committed(coffees(2), viewer).created == 2
    assert committed(coffees(3), viewer).created == 1
    assert Expense.objects.count() == 3


def test_7_the_same_file_twice_adds_nothing_and_says_so(ask: APIClient, viewer: User) -> None:
    committed(coffees(2), viewer)
    again = committed(coffees(2), viewer)
    rows = ask.get(f"/api/expenses/imports/{again.pk}/rows").json()["results"]
    assert ([row["verdict"] for row in rows], Expense.objects.count()) == (["duplicate_exact"] * 2, 2)


def test_8_what_is_only_alike_eats_nothing(viewer: User) -> None:
    books.spend(viewer, payee="Café Central", cost=Decimal("3.50"), currency="EUR", date=date(2026, 1, 6))
    before = said()
    batch = imported(staged(csv_of("2026-01-07,CAFE CENTRAL BERLIN,3.50,EUR"), viewer), viewer)
    assert (batch.counts, batch.created, said()) == ({"near_match": 1}, 0, before)


def test_9_no_cent_is_lost_and_none_is_made(client: Client, ask: APIClient, viewer: User) -> None:
    one = books.spend(viewer, cost=Decimal("100.00"))
    parts: dict[str, Any] = {"form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 3}
    assert "33.34" in client.get(f"/expenses/{one.pk}/split?parts=3").content.decode()
    client.post(
        f"/expenses/{one.pk}/split", parts | {f"form-{at}-cost": cost for at, cost in enumerate(("33.34", "33.33", "33.33"))}
    )
    assert sum(Expense.objects.kept().values_list("cost", flat=True)) == Decimal(100)
    for cost, status in (("1200", 201), ("1.5", 400)):
        yen = ask.post("/api/expenses", {"date": "2026-11-01", "cost": cost, "currency": "JPY"}, format="json")
        assert yen.status_code == status
    assert ask.get("/api/expenses?currency=JPY").json()["results"][0]["cost"] == "1200"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_10_a_day_stays_the_day_that_was_said(client: Client, zone: str, clock: time_machine.Traveller) -> None:
    clock.move_to(datetime(2026, 11, 1, 0, 30, tzinfo=UTC))
    client.post("/expenses/new", {"date": "2026-10-31", "cost": "5", "currency": "USD"}, headers={"Time-Zone": zone})
    assert Expense.objects.get().date == date(2026, 10, 31)
    assert "31 Oct 2026" in client.get("/expenses").content.decode()


def test_11_what_recurs_is_caught_up_once_and_shows_when_it_ran(
    client: Client, ask: APIClient, clock: time_machine.Traveller
) -> None:
    series = {"date": "2026-11-19", "cost": "9", "currency": "EUR", "rrule": "FREQ=DAILY"}
    assert ask.post("/api/expenses/recurring", series, format="json").status_code == 201
    assert "not yet" in client.get("/expenses/recurring").content.decode()
    clock.move_to(datetime(2026, 12, 18, 12, tzinfo=UTC))
    for _ in range(2):
        tasks.tick()
        tasks.run_series(RecurringExpense.objects.get().pk)
    assert list(Expense.objects.order_by("date").values_list("date", flat=True)) == [
        date(2026, 11, 19) + timedelta(days=number) for number in range(30)
    ]
    assert "not yet" not in client.get("/expenses/recurring").content.decode()


def test_12_an_expense_has_its_receipts(client: Client, ask: APIClient, viewer: User) -> None:
    one = books.spend(viewer)
    sent = {"file": SimpleUploadedFile("taxi.jpg", picture())}
    receipt = ask.post(f"/api/expenses/{one.pk}/receipts", sent, format="multipart").json()
    assert "taxi.jpg" in client.get(f"/expenses/{one.pk}").content.decode()
    assert ask.get(f"/api/expenses/receipts/{receipt['id']}")["Content-Type"] == "image/jpeg"


def test_13_a_workspace_is_shared_with_its_members_alone(
    ask: APIClient, api: Api, operator: User, viewer: User, stranger: User
) -> None:
    team = books.shared(operator, (viewer, MemberRole.VIEWER))
    one = books.spend(operator, team)
    assert ask.get(f"/api/expenses/{one.pk}").status_code == 200
    assert ask.patch(f"/api/expenses/{one.pk}", {"cost": "1"}, format="json").status_code == 403
    assert api(stranger).get(f"/api/expenses/{one.pk}").status_code == 404


def test_14_a_budget_warns_and_counts_the_parts_of_a_split(client: Client, ask: APIClient, viewer: User) -> None:
    one = books.spend(viewer, cost=Decimal("100.00"), category="Travel", subcategory="")
    travel = ask.get("/api/expenses/categories").json()["results"][0]["id"]
    budget = {"amount": "100", "currency": "USD", "category": travel, "thresholds": [80]}
    parts: dict[str, Any] = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2}
    client.post(f"/expenses/{one.pk}/split", parts | {"form-0-cost": "70", "form-0-category": "Travel", "form-1-cost": "30"})
    assert ask.post("/api/expenses/budgets", budget, format="json").status_code == 201
    assert not Alert.objects.filter(kind="expenses.budget_threshold").exists()
    books.spend(viewer, cost=Decimal("15.00"), category="Travel", subcategory="")
    tasks.tick()
    assert Alert.objects.filter(kind="expenses.budget_threshold", person=viewer).count() == 1


def test_15_there_are_subcategories_and_currencies_and_neither_is_mixed_up(ask: APIClient, viewer: User) -> None:
    books.spend(viewer, cost=Decimal(10), currency="USD", category="Travel", subcategory="Taxi")
    books.spend(viewer, cost=Decimal(20), currency="EUR", category="Travel", subcategory="Train")
    found = ask.get("/api/expenses/summary?group_by=subcategory").json()
    assert {one["labels"][0]: (one["currency"], Decimal(one["sum"])) for one in found["groups"]} == {
        "Travel › Taxi": ("USD", Decimal(10)),
        "Travel › Train": ("EUR", Decimal(20)),
    }
    assert {one["currency"]: Decimal(one["sum"]) for one in found["totals"]} == {"USD": 10, "EUR": 20}


@pytest.mark.parametrize("group", list(GroupBy))
def test_16_groups_add_up_to_the_whole(ask: APIClient, viewer: User, group: GroupBy) -> None:
    for number in range(12):
        tags, cost = ("a", "b")[: number % 3], Decimal(number * number) / 100 + 1
        books.spend(
            viewer,
            cost=cost,
            currency=("USD", "EUR")[number % 2],
            payee=f"P{number % 4}",
            tags=tags,
            date=date(2026, 11, number + 1),
        )
    found = ask.get("/api/expenses/summary", {"group_by": group.value}).json()
    for total in found["totals"]:
        assert sum(Decimal(one["sum"]) for one in found["groups"] if one["currency"] == total["currency"]) == Decimal(
            total["sum"]
        )
    assert sum(one["count"] for one in found["groups"]) == 12
