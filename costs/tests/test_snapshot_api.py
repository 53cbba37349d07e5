"""/api/costs/snapshots: who may see, start and cancel runs, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Grant, User
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostSnapshot, CostSource, SnapshotStatus, SnapshotTrigger, SourceStatus
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors import sources as source_selectors
from costs.selectors.questions import Granularity, Question
from costs.services import snapshots
from costs.tests import books

Api = Callable[[User | None], APIClient]
OCTOBER = DayRange(date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source("411111111111", "production", BillingScope.STANDALONE)


def test_an_operator_starts_a_run_and_follows_it(api: Api, source: CostSource, operator: User) -> None:
    answer = api(operator).post("/api/costs/snapshots", {"account": "production"})
    assert answer.status_code == 202, answer.json()
    run = answer.json()
    assert (run["status"], run["windows_done"], run["windows_total"], run["price"]) == ("queued", 0, 4, "0")
    detail = api(operator).get(answer["Location"]).json()
    assert [window["status"] for window in detail["windows"]] == ["waiting"] * 4
    assert detail["current_window"]["cube"] == "Control total"
    assert [row["id"] for row in api(operator).get("/api/costs/snapshots", {"account": "411111111111"}).json()["results"]] == [
        run["id"]
    ]


def test_a_second_wish_is_answered_by_the_open_run(api: Api, source: CostSource, operator: User) -> None:
    first, second = (api(operator).post("/api/costs/snapshots", {"account": source.account_id}).json()["id"] for _ in range(2))
    assert first == second


def test_a_run_is_cancelled_once(api: Api, source: CostSource, operator: User) -> None:
    run = snapshots.request(source=source, trigger=SnapshotTrigger.MANUAL, by=operator).snapshot
    cancelled = api(operator).post(f"/api/costs/snapshots/{run.pk}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    again = api(operator).post(f"/api/costs/snapshots/{run.pk}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "snapshot_is_over")


def test_a_viewer_may_look_and_not_act_and_a_stranger_sees_nothing(
    api: Api, source: CostSource, viewer: User, stranger: User, admin: User
) -> None:
    run = snapshots.request(source=source, trigger=SnapshotTrigger.MANUAL, by=admin).snapshot
    path = f"/api/costs/snapshots/{run.pk}"
    assert [api(user).get(path).status_code for user in (admin, viewer, stranger, None)] == [200, 200, 404, 401]
    assert [api(user).post(f"{path}/cancel").status_code for user in (viewer, stranger, None)] == [403, 404, 401]
    body = {"account": "production"}
    assert [api(user).post("/api/costs/snapshots", body).status_code for user in (viewer, stranger, None)] == [403, 404, 401]
    assert api(stranger).get("/api/costs/snapshots").json()["results"] == []
    assert api(stranger).get("/api/costs").json()["total"] is None
    assert CostSnapshot.objects.get().status == SnapshotStatus.QUEUED


def test_a_covered_account_is_not_paid_for_twice(api: Api, source: CostSource, operator: User) -> None:
    payer = books.source("111111111111", "management")
    CostSource.objects.filter(pk=source.pk).update(covered_by=payer, status=SourceStatus.COVERED)
    answer = api(operator).post("/api/costs/snapshots", {"account": "production"})
    assert (answer.status_code, answer.json()["code"]) == (409, "covered_by_payer")
    assert [one.pk for one in source_selectors.refreshable(operator)] == [payer.pk]


def test_who_sees_only_a_member_does_not_learn_what_its_payer_is_called(
    api: Api, source: CostSource, make_user: Callable[..., User]
) -> None:
    payer = books.source("111111111111", "canary-of-the-payer")
    CostSource.objects.filter(pk=source.pk).update(covered_by=payer, status=SourceStatus.COVERED)
    mia = make_user("mia", Role.OPERATOR)
    Grant.objects.create(user=mia, account=source.account, role=Role.OPERATOR)
    answer = api(mia).post("/api/costs/snapshots", {"account": "production"})
    assert answer.status_code == 409
    page = Client()
    page.force_login(mia)
    shown = page.get("/costs/snapshots").content.decode()
    assert "read from" in shown
    assert "canary" not in answer.content.decode() + shown


def test_who_sees_only_a_covered_member_gets_its_part_of_the_payers_bill(
    source: CostSource, make_user: Callable[..., User]
) -> None:
    payer = books.source("111111111111", "management")
    books.fill(payer, OCTOBER)
    CostSource.objects.filter(pk=source.pk).update(covered_by=payer, status=SourceStatus.COVERED)
    member_only = make_user("mia")
    Grant.objects.create(user=member_only, account=source.account, role=Role.VIEWER)
    answer = costs.answer(member_only, Question(OCTOBER, Granularity.WHOLE, (Dimension.ACCOUNT,)))
    truth = books.ledger_answer(Cube.ACCOUNT_SERVICE, OCTOBER, "111111111111")
    part = costs.add(
        sums.unblended for day in truth.days for keys, sums in day.groups.items() if keys[0] == source.account.account_id
    )
    assert answer.total == part != 0
    assert [group.keys for group in answer.periods[0].groups] == [(source.account.account_id,)]


def test_a_member_that_counts_by_itself_is_left_out_of_its_payers_bill(source: CostSource, admin: User) -> None:
    payer = books.source("111111111111", "management")
    books.fill(payer, OCTOBER)
    CostSource.objects.filter(pk=source.pk).update(backfilled_from=None)
    alone = costs.answer(admin, Question(OCTOBER, Granularity.WHOLE, (Dimension.SERVICE,)))
    books.fill(source, OCTOBER)
    assert costs.answer(admin, Question(OCTOBER, Granularity.WHOLE)).total == alone.total  # not whole yet: the bill tells
    CostSource.objects.filter(pk=source.pk).update(backfilled_from=OCTOBER.start)
    both = costs.answer(admin, Question(OCTOBER, Granularity.WHOLE, (Dimension.SERVICE,)))
    assert both.total == costs.add(
        sums.unblended
        for day in books.ledger_answer(Cube.ACCOUNT_SERVICE, OCTOBER, "111111111111").days
        for sums in day.groups.values()
    )
    assert alone.total is not None
    assert both.total is not None
    assert both.total <= alone.total


def test_forty_accounts_take_as_many_queries_as_one(api: Api, source: CostSource, admin: User, client: Client) -> None:
    day = date(2026, 10, 5)

    def fill(one: CostSource) -> None:
        number = one.account.account_id
        books.store(one, Cube.TOTAL, books.answer({day: {(): books.amounts(2)}}))
        books.store(one, Cube.ACCOUNT_SERVICE, books.answer({day: {(number, "S3"): books.amounts(2)}}))
        books.store(one, Cube.ACCOUNT_RECORD_TYPE, books.answer({day: {(number, "Usage"): books.amounts(2)}}))

    client.force_login(admin)
    client.get("/")  # a session's first page notes that the person is here

    def queries() -> list[int]:
        counts = []
        for read in (
            lambda: api(admin).get("/api/costs", {"start": "2026-09-15", "end": "2026-11-19", "group_by": "service"}),
            lambda: api(admin).get("/api/costs", {"start": "2026-09-15", "end": "2026-11-19", "granularity": "monthly"}),
            lambda: api(admin).get("/api/costs/summary"),
            lambda: api(admin).get("/api/costs/snapshots"),
            lambda: client.get("/"),
            lambda: list(source_selectors.visible(admin)),
        ):
            with CaptureQueriesContext(connection) as captured:
                read()
            counts.append(len(captured))
        return counts

    fill(source)
    snapshots.request(source=source, trigger=SnapshotTrigger.MANUAL, by=admin)
    one = queries()
    for number in range(39):
        other = books.source(f"{500_000_000_000 + number}", f"account-{number}", BillingScope.STANDALONE)
        fill(other)
        snapshots.request(source=other, trigger=SnapshotTrigger.MANUAL, by=admin)
    assert queries() == one
    # The overview: the sums over all sources, their marks, quotas, expenses, and what the reader does not ask for.
    assert max(one) <= 21
    assert costs.answer(admin, Question(DayRange(day, day + timedelta(days=1)))).total == 80
