"""Whether figures can be believed, as the page and the API tell it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import ACQUIRED, MANAGEMENT
from costs.models import CostMonthSlice, CostSnapshot, CostSource, SnapshotWindow, SourceStatus
from costs.rules.cubes import CUBES, Cube
from costs.rules.windows import month_of
from costs.services import closes
from costs.tests import books

pytestmark = pytest.mark.django_db
OCTOBER = month_of(date(2026, 10, 1))


@pytest.fixture
def source(db: None) -> CostSource:
    source = books.source(MANAGEMENT, "management")
    books.fill(source, OCTOBER)
    return source


@pytest.fixture
def get(client: Client, admin: User) -> Callable[..., Any]:
    client.force_login(admin)
    return lambda **asked: client.get("/api/costs/reconciliation", asked).json()["accounts"]


@time_machine.travel(books.NOW, tick=False)
def test_each_grouping_and_its_residual_add_up_to_the_control_total(source: CostSource, get: Callable[..., Any]) -> None:
    (month,) = get()[0]["months"]
    assert len(month["cubes"]) == len(CUBES) - 1
    assert all(Decimal(one["amount"]) + Decimal(one["residual"]) == Decimal(month["control_total"]) for one in month["cubes"])
    by_account = next(one for one in month["cubes"] if one["cube"] == "account_service")
    assert Decimal(by_account["residual"]) > 0  # of the support fee, which AWS does not split whole


@time_machine.travel(books.NOW, tick=False)
def test_a_closed_month_shows_its_digest_and_an_open_one_why_it_waits(
    source: CostSource, get: Callable[..., Any], client: Client
) -> None:
    assert get()[0]["months"][0]["waits"] == "Nothing is in the way: it is closed within minutes."
    closes.tick()
    (month,) = get()[0]["months"]
    assert month["waits"] == ""
    assert len(month["close"]["digest"]) == 64
    assert Decimal(month["close"]["control_totals"][0]["unblended"]) == Decimal(month["control_total"])
    page = client.get("/costs/reconciliation", {"month": "2026-10"}).content.decode()
    assert month["close"]["digest"][:12] in page


@time_machine.travel(books.NOW, tick=False)
def test_missing_and_stale_days_and_denied_accounts_are_named(
    source: CostSource, get: Callable[..., Any], client: Client
) -> None:
    CostMonthSlice.objects.filter(cube=Cube.REGION_SERVICE).update(days=30)
    run = CostSnapshot.objects.create(source=source, trigger="manual", status="partial", start=OCTOBER.start, end=OCTOBER.end)
    SnapshotWindow.objects.create(
        snapshot=run,
        cube=Cube.REGION_SERVICE,
        start=OCTOBER.start,
        end=OCTOBER.end,
        status="failed",
        error_code="aws_too_many_pages",
        error_detail="Cost Explorer has more than 20 pages for this question.",
    )
    other = books.source(ACQUIRED, "acquired")
    CostSource.objects.filter(pk=other.pk).update(
        status=SourceStatus.DENIED, status_detail="No policy allows ce:GetCostAndUsage.", status_remedy="Attach the policy."
    )
    told = {one["alias"]: one for one in get()}
    assert told["management"]["months"][0]["waits"] == "1 of 31 days are not stored of “Region and service”."
    assert told["management"]["failed"][0]["error_code"] == "aws_too_many_pages"
    assert told["acquired"]["remedy"] == "Attach the policy."
    page = client.get("/costs/reconciliation").content.decode()
    assert "Attach the policy." in page
    assert "Nothing stored" in page
    assert "more than 20 pages" in client.get(f"/costs/reconciliation/{source.pk}").content.decode()


@time_machine.travel(books.NOW, tick=False)
def test_who_may_not_see_an_account_sees_nothing_of_it(source: CostSource, client: Client) -> None:
    client.force_login(User.objects.create_user("bob", "bob@example.com", "correct horse battery", role=Role.VIEWER))
    assert client.get("/api/costs/reconciliation").json()["accounts"] == []
    assert client.get(f"/costs/reconciliation/{source.pk}").status_code == 404
    assert client.get("/api/costs/reconciliation", {"account": "management"}).status_code == 400
    assert "Nothing to reconcile yet" in client.get("/costs/reconciliation").content.decode()


@time_machine.travel(books.NOW, tick=False)
def test_more_accounts_take_no_more_queries(source: CostSource, client: Client, admin: User) -> None:
    client.force_login(admin)
    client.get("/costs/reconciliation")  # what is read once for each process
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get("/costs/reconciliation", {"month": "2026-10"})
        counts.append(len(queries))
        if not number:
            for more in range(5):
                other = books.source(f"70000000000{more}", f"more-{more}")
                books.store(other, Cube.TOTAL, books.ledger_answer(Cube.TOTAL, OCTOBER, MANAGEMENT))
    assert counts[0] == counts[1]
