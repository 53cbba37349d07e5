"""A report through the API: the explorer's own table, and why its figures may differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.simulator.organization import MANAGEMENT
from costs.rules.windows import DayRange
from costs.tests import books

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
STORED = DayRange(date(2026, 9, 1), date(2026, 11, 19))
OCTOBER = "start=2026-10-01&end=2026-11-01&granularity=monthly"


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    books.fill(books.source(MANAGEMENT, "management"), STORED)
    return api(admin)


def asked(client: APIClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_rows_and_columns_add_up_to_the_total_beside_the_span_before(client: APIClient) -> None:
    told = asked(client, f"/api/costs/pivot?{OCTOBER}&group_by=service,account&top=5")
    kinds = [row["kind"] for row in told["rows"]]
    assert kinds == ["group"] * 5 + ["other", "residual", "total"]
    *parts, total = told["rows"]
    assert total["amount"] == asked(client, f"/api/costs?{OCTOBER}")["total"]
    assert total["before"] == asked(client, "/api/costs?start=2026-09-01&end=2026-10-01")["total"]
    for name in ("amount", "before", "change"):
        assert sum(Decimal(row[name]) for row in parts) == Decimal(total[name]), name
    assert Decimal(total["change"]) == Decimal(total["amount"]) - Decimal(total["before"])
    assert [len(row["cells"]) for row in told["rows"]] == [len(told["columns"])] * len(kinds)
    assert told["before"] == {"start": "2026-09-01", "end": "2026-10-01"}
    assert (told["currency"], told["group_by"]) == ("USD", ["service", "account"])


def test_a_saved_report_is_asked_by_its_query(client: APIClient) -> None:
    kept = client.post(
        "/api/costs/reports", {"name": "Regions", "query": "range=last_month&group_by=region&compare=none"}, format="json"
    ).json()
    told = asked(client, f"/api/costs/pivot?{kept['query']}")
    assert (told["start"], told["end"], told["before"]) == ("2026-10-01", "2026-11-01", None)
    assert {row["change"] for row in told["rows"]} == {None}
    assert client.get("/api/costs/pivot?colour=blue").status_code == 400
    assert client.get("/api/costs/pivot?group_by=colour").status_code == 400


def test_why_a_figure_may_differ_is_told_with_the_question_for_aws(client: APIClient) -> None:
    told = asked(client, f"/api/costs/explanation?{OCTOBER}&group_by=service&metric=amortized")
    (command,) = told["commands"]
    assert command["account"] == "management"
    assert command["command"].startswith("aws ce get-cost-and-usage")
    assert "AmortizedCost" in command["command"]
    assert command["url"].startswith("https://")
    assert told["reasons"]


def test_others_see_nothing_of_it(client: APIClient, api: Api, stranger: User) -> None:
    told = asked(api(stranger), f"/api/costs/pivot?{OCTOBER}")
    assert told["rows"] == []
    assert api(stranger).get(f"/api/costs/pivot?{OCTOBER}&account={MANAGEMENT}").status_code == 400  # as if there were none
    assert asked(api(stranger), f"/api/costs/explanation?{OCTOBER}")["commands"] == []
