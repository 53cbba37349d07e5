"""What changed between two spans, on the page and in the API, against the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.aws.cost_explorer import Amounts
from cloudconsole.core.money import EXACT, total
from cloudconsole.simulator.organization import ACQUIRED, MANAGEMENT, PRODUCTION, SANDBOX
from costs.models import BillingScope, CostSource
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.services import tags
from costs.tests import books

Api = Callable[[User | None], APIClient]
RANGE = DayRange(date(2026, 10, 24), date(2026, 11, 19))


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def payer(db: None) -> CostSource:
    source = books.source(MANAGEMENT, "management")
    books.fill(source, RANGE)
    return source


def get(api: Api, user: User, **parameters: Any) -> dict[str, Any]:
    answer = api(user).get("/api/costs/changes", parameters)
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def cost_of(days: DayRange) -> Decimal:
    return total(books.LEDGER.totals(day, books.NOW)[()].unblended for day in books.days_of(days))


@pytest.mark.parametrize("metric", ["unblended", "net_amortized"])
def test_drivers_and_residual_are_the_whole_change(api: Api, payer: CostSource, admin: User, metric: str) -> None:
    found = get(
        api, admin, start="2026-11-01", end="2026-11-15", before_start="2026-10-25", before_end="2026-11-01", metric=metric
    )
    told = total([*(Decimal(driver["change"]) for driver in found["drivers"]), Decimal(found["residual"])])
    assert told == Decimal(found["change"]) == Decimal(found["total_after"]) - Decimal(found["total_before"])
    sizes = [abs(Decimal(driver["change"])) for driver in found["drivers"]]
    assert sizes == sorted(sizes, reverse=True)


def test_the_usual_spans_are_the_last_complete_weeks(api: Api, payer: CostSource, admin: User) -> None:
    found = get(api, admin)
    assert found["after"] == {"start": "2026-11-09", "end": "2026-11-16"}
    assert found["before"] == {"start": "2026-11-02", "end": "2026-11-09"}
    assert Decimal(found["total_after"]) == cost_of(DayRange(date(2026, 11, 9), date(2026, 11, 16)))
    assert found["complete"]


def test_the_burst_is_the_first_driver_with_its_account_region_and_usage_type(api: Api, payer: CostSource, admin: User) -> None:
    first = get(api, admin, start="2026-11-08", end="2026-11-12", before_start="2026-11-01", before_end="2026-11-05")
    bedrock = next(one for one in first["drivers"] if one["service"] == "Amazon Bedrock")
    assert (bedrock["account"], bedrock["region"], bedrock["kind"]) == (PRODUCTION, "us-east-1", "more")
    assert bedrock["usage_types"][0]["name"] == "USE1-Claude4.5Sonnet-output-tokens"


def test_days_that_are_not_complete_are_left_out_on_both_sides(api: Api, payer: CostSource, admin: User) -> None:
    found = get(api, admin, start="2026-11-10", end="2026-11-19", before_start="2026-11-01", before_end="2026-11-10")
    assert found["cut"]
    assert found["after"] == {"start": "2026-11-10", "end": "2026-11-16"}
    assert found["before"] == {"start": "2026-11-01", "end": "2026-11-07"}


def test_what_is_new_and_what_vanished_is_named(api: Api, admin: User, db: None) -> None:
    source = books.source(ACQUIRED, "acquired", BillingScope.STANDALONE)
    first, second = date(2026, 11, 1), date(2026, 11, 2)
    shares = {first: {"Old": 5, "Both": 2}, second: {"New": 9, "Both": 3}}
    totals = books.answer({day: {(): books.amounts(sum(services.values()))} for day, services in shares.items()})
    books.store(source, Cube.TOTAL, totals)
    for cube, key in ((Cube.ACCOUNT_SERVICE, ACQUIRED), (Cube.REGION_SERVICE, "us-east-1")):
        told: dict[date, dict[tuple[str, ...], Amounts]] = {
            day: {(key, name): books.amounts(cost) for name, cost in services.items()} for day, services in shares.items()
        }
        books.store(source, cube, books.answer(told))
    found = get(api, admin, start=second, end="2026-11-03", before_start=first, before_end=second)
    assert [(one["service"], one["kind"], one["region"], one["change"]) for one in found["drivers"]] == [
        ("New", "new", "us-east-1", "9"),
        ("Old", "gone", "us-east-1", "-5"),
        ("Both", "more", "us-east-1", "1"),
    ]
    assert (found["drivers"][0]["before"], found["drivers"][1]["after"], found["residual"]) == (None, None, "0")


def test_one_account_of_a_bill_has_drivers_without_regions(api: Api, payer: CostSource, admin: User) -> None:
    found = get(api, admin, account=SANDBOX)
    assert {driver["account"] for driver in found["drivers"]} == {SANDBOX}
    assert {driver["region"] for driver in found["drivers"]} == {None}
    assert EXACT.add(total(Decimal(one["change"]) for one in found["drivers"]), Decimal(found["residual"])) == Decimal(
        found["change"]
    )


@pytest.fixture
def tagged(payer: CostSource) -> CostSource:
    """Its costs by team are stored as well."""
    tag = tags.stored_from_elsewhere(source=payer, key="team")
    for cube in (tag.cubes.by_service, tag.cubes.by_account):
        found = books.ledger_answer(Cube(int(cube), cube.title, *_plain(cube)), RANGE, MANAGEMENT)
        books.store(payer, cube, found)
    return payer


def _plain(cube: Cube) -> list[Dimension]:
    """Services stand for teams: which of them pays for what does not matter here."""
    return [Dimension.SERVICE if dimension.tag_key else dimension for dimension in cube.shape]


def test_drivers_are_told_by_the_values_of_a_tag(api: Api, tagged: CostSource, admin: User) -> None:
    days = {"start": "2026-11-08", "end": "2026-11-12", "before_start": "2026-11-01", "before_end": "2026-11-05"}
    found = get(api, admin, **days, by="tag:team")
    plain = get(api, admin, **days)
    assert (found["by"], plain["by"], found["change"]) == ("tag:team", "account", plain["change"])
    assert {one["account"] for one in found["drivers"]} == {None} == {one["tag_value"] for one in plain["drivers"]}
    first = found["drivers"][0]
    assert first["tag_value"] == first["service"]
    told = total([*(Decimal(one["change"]) for one in found["drivers"]), Decimal(found["residual"])])
    assert told == Decimal(found["change"])


def test_a_tag_that_is_not_stored_is_refused_and_offered_nowhere(api: Api, payer: CostSource, admin: User) -> None:
    refused = api(admin).get("/api/costs/changes", {"by": "tag:team"})
    assert (refused.status_code, refused.json()["code"]) == (400, "not_stored")
    for wrong in ("region", "tag:", "team"):
        assert api(admin).get("/api/costs/changes", {"by": wrong}).status_code == 400
    client = Client()
    client.force_login(admin)
    assert "Told by" not in client.get("/costs/changes").content.decode()


def test_the_page_tells_drivers_by_a_stored_tag(tagged: CostSource, admin: User) -> None:
    client = Client()
    client.force_login(admin)
    text = client.get("/costs/changes?by=tag:team").content.decode()
    assert "Drivers are services and values of the tag team" in text
    assert "group_by=tag%3Ateam" in text
    assert "Told by" in text


def test_days_that_are_all_open_cannot_be_compared(api: Api, payer: CostSource, admin: User) -> None:
    answer = api(admin).get("/api/costs/changes", {"start": "2026-11-17", "end": "2026-11-19"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_complete_days")


def test_spans_that_are_not_fetched_are_unknown_and_not_zero(api: Api, payer: CostSource, admin: User) -> None:
    found = get(api, admin, start="2026-11-01", end="2026-11-08", before_start="2026-01-01", before_end="2026-01-08")
    assert (found["change"], found["residual"], found["drivers"], found["complete"]) == (None, None, [], False)


@pytest.mark.parametrize(
    "parameters",
    [
        {"start": "2026-11-01"},
        {"start": "2026-11-05", "end": "2026-11-01"},
        {"before_start": "2026-11-01", "before_end": "2026-11-02"},
        {"span": "century"},
    ],
)
def test_spans_that_are_none_are_refused(api: Api, payer: CostSource, admin: User, parameters: dict[str, str]) -> None:
    assert api(admin).get("/api/costs/changes", parameters).status_code == 400


def test_the_page_names_the_drivers_and_what_no_driver_tells(payer: CostSource, admin: User, stranger: User) -> None:
    client = Client()
    client.force_login(admin)
    text = client.get("/costs/changes").content.decode()
    assert "Amazon Bedrock" in text
    assert "production" in text
    assert "Not split by AWS" in text
    custom = client.get(
        "/costs/changes",
        {
            "span": "custom",
            "start": "2026-11-10",
            "last": "2026-11-18",
            "before_start": "2026-11-01",
            "before_last": "2026-11-09",
        },
    )
    assert "AWS still adds to the newest days" in custom.content.decode()
    assert client.get("/costs/changes", {"span": "custom", "start": "2026-11-10"}).status_code == 400
    client.force_login(stranger)
    assert "Nothing to compare" in client.get("/costs/changes").content.decode()
