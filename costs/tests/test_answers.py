"""GET /api/costs and /api/costs/summary against the ledger that the facts were made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.simulator.organization import ACQUIRED, MANAGEMENT, PRODUCTION
from conftest import Storing
from costs.models import METRICS, CostSource, SourceStatus
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.tests import books

RANGE = DayRange(date(2026, 9, 20), date(2026, 11, 19))
GROUPINGS = [
    (),
    (Dimension.SERVICE,),
    (Dimension.ACCOUNT,),
    (Dimension.REGION,),
    (Dimension.RECORD_TYPE,),
    (Dimension.SERVICE, Dimension.ACCOUNT),
    (Dimension.RECORD_TYPE, Dimension.SERVICE),
]

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def stored(stored_once: Storing) -> int:
    with time_machine.travel(books.NOW, tick=False), stored_once():
        source = books.source(MANAGEMENT, "management")
        books.fill(source, RANGE)
        return source.pk


@pytest.fixture
def payer(stored: int, db: None) -> CostSource:
    return CostSource.objects.get(pk=stored)


def get(api: Api, user: User, **parameters: Any) -> dict[str, Any]:
    answer = api(user).get("/api/costs", parameters)
    assert answer.status_code == 200, answer.json()
    body: dict[str, Any] = answer.json()
    return body


def whole_ledger(field: str, within: DayRange = RANGE) -> Decimal:
    return sum((getattr(books.LEDGER.totals(day, books.NOW)[()], field) for day in books.days_of(within)), Decimal(0))


def test_totals_are_the_ledgers_to_the_last_digit_in_every_metric(api: Api, payer: CostSource, admin: User) -> None:
    for metric in METRICS:
        if metric != "blended":
            answer = get(api, admin, start=RANGE.start, end=RANGE.end, metric=metric)
            assert Decimal(answer["total"]) == whole_ledger(metric)


def test_groups_and_residual_add_up_to_every_total(payer: CostSource, admin: User) -> None:
    reader = costs.Reader(admin)
    for granularity, group_by in product(Granularity, GROUPINGS):
        answer = reader.answer(Question(RANGE, granularity, group_by))
        assert answer.total == whole_ledger("unblended")
        for period in answer.periods:
            assert not group_by or period.total == costs.add(group.amount for group in period.groups) + period.residual
            assert (period.start, period.end) >= (RANGE.start, RANGE.start)


def test_support_that_aws_cannot_split_by_account_is_the_residual(payer: CostSource, admin: User) -> None:
    answer = costs.answer(admin, Question(RANGE, Granularity.WHOLE, (Dimension.ACCOUNT,)))
    told = sum(
        (
            sums.unblended
            for day in books.days_of(RANGE)
            for sums in books.LEDGER.totals(day, books.NOW, group_by=("LINKED_ACCOUNT",)).values()
        ),
        Decimal(0),
    )
    assert answer.residual == whole_ledger("unblended") - told != 0


def test_a_day_by_service_is_the_ledgers_day_by_service(api: Api, payer: CostSource, admin: User) -> None:
    day = date(2026, 10, 1)
    answer = get(api, admin, start=day, end=day + timedelta(days=1), group_by="service")
    truth = {keys[0]: sums.unblended for keys, sums in books.LEDGER.totals(day, books.NOW, group_by=("SERVICE",)).items()}
    assert {group["keys"][0]: Decimal(group["amount"]) for group in answer["results"][0]["groups"]} == truth


def test_months_are_the_sums_of_their_days(api: Api, payer: CostSource, admin: User) -> None:
    months = get(api, admin, start="2026-10-01", end="2026-11-19", granularity="monthly", group_by="account,service")
    assert [(period["start"], period["end"]) for period in months["results"]] == [
        ("2026-10-01", "2026-11-01"),
        ("2026-11-01", "2026-11-19"),
    ]
    assert Decimal(months["results"][0]["total"]) == whole_ledger("unblended", DayRange(date(2026, 10, 1), date(2026, 11, 1)))


def test_charge_types_filter_by_what_the_record_type_means(api: Api, payer: CostSource, admin: User) -> None:
    by_type = {
        kind: Decimal(get(api, admin, start=RANGE.start, end=RANGE.end, charge_type=kind)["total"])
        for kind in ("usage", "tax", "credit", "refund", "support", "fee", "commitment", "other")
    }
    assert sum(by_type.values()) == whole_ledger("unblended")
    assert by_type["credit"] < 0 < by_type["tax"]


def test_one_account_of_a_bill_is_told_by_its_number(api: Api, payer: CostSource, admin: User) -> None:
    answer = get(api, admin, start=RANGE.start, end=RANGE.end, account=PRODUCTION, group_by="service")
    truth = sum(
        (
            sums.unblended
            for day in books.days_of(RANGE)
            for keys, sums in books.LEDGER.totals(day, books.NOW, group_by=("LINKED_ACCOUNT",)).items()
            if keys == (PRODUCTION,)
        ),
        Decimal(0),
    )
    assert Decimal(answer["total"]) == truth


def test_an_alias_names_its_account_in_any_case(api: Api, payer: CostSource, admin: User) -> None:
    totals = [get(api, admin, start=RANGE.start, end=RANGE.end, account=name)["total"] for name in ("management", " Management")]
    assert totals[0] == totals[1]


def test_days_of_which_nothing_is_stored_are_unknown_and_not_zero(api: Api, payer: CostSource, admin: User) -> None:
    answer = get(api, admin, start="2026-09-18", end="2026-09-21")
    assert [period["total"] is None for period in answer["results"]] == [True, True, False]
    assert answer["completeness"][0]["missing_days"] == 2


def test_late_days_are_incomplete_and_the_open_month_is_estimated(api: Api, payer: CostSource, admin: User) -> None:
    answer = get(api, admin, start="2026-10-31", end="2026-11-19")
    complete = [period["start"] for period in answer["results"] if period["complete"]]
    assert complete[-1] == "2026-11-15"
    assert [period["estimated"] for period in answer["results"]] == [False] + [True] * 18


@pytest.mark.parametrize(
    ("parameters", "attr"),
    [
        ({"start": "2026-13-01"}, "start"),
        ({"start": "2026-11-02", "end": "2026-11-02"}, "end"),
        ({"start": "0001-01-01", "end": "2026-11-02"}, "start"),
        ({"start": "2001-01-01", "end": "2026-11-02"}, "end"),
        ({"start": "2026-11-01", "end": "9999-12-31"}, "end"),
        ({"granularity": "hourly"}, "granularity"),
        ({"metric": "blended"}, "metric"),
        ({"group_by": "colour"}, "group_by"),
        ({"group_by": "service,account,region"}, "group_by"),
        ({"group_by": ["service", "service"]}, "group_by"),
        ({"charge_type": "bribe"}, "charge_type.0"),
        ({"service": "Amazon Elastic Teapot"}, "service"),
        ({"account": "nobody"}, "account"),
        ({"currency": "dollar"}, "currency"),
        ({"granularty": "daily"}, "granularty"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    api: Api, payer: CostSource, admin: User, parameters: dict[str, str], attr: str
) -> None:
    answer = api(admin).get("/api/costs", parameters)
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]


@pytest.mark.parametrize(
    ("parameter", "choices"),
    [
        ("granularity", ["daily", "monthly"]),
        ("group_by", ["service", "account", "region", "record_type"]),
        ("metric", ["unblended", "amortized"]),
        ("charge_type", ["usage", "tax", "credit"]),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_ones(
    api: Api, payer: CostSource, admin: User, parameter: str, choices: list[str]
) -> None:
    detail = api(admin).get("/api/costs", {parameter: "weekly"}).json()["detail"]
    assert detail.startswith("One of: ")
    assert [choice for choice in choices if choice not in detail] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"group_by": "account,region"},
        {"group_by": "service", "account": PRODUCTION, "charge_type": "usage"},
        {"group_by": "usage_type,account"},
        {"group_by": "tag:team"},
    ],
)
def test_what_no_stored_pair_answers_says_what_can_be_asked(
    api: Api, payer: CostSource, admin: User, parameters: dict[str, str]
) -> None:
    answer = api(admin).get("/api/costs", parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_stored")
    assert "service" in answer.json()["detail"]


def test_currencies_are_never_mixed(api: Api, payer: CostSource, admin: User) -> None:
    other = books.source("466666666666", "euros")
    day = date(2026, 10, 5)
    books.store(other, Cube.TOTAL, books.answer({day: {(): books.amounts(7)}}, currency="EUR"))

    mixed = api(admin).get("/api/costs", {"start": "2026-10-01", "end": "2026-11-01"})
    assert (mixed.status_code, mixed.json()["code"]) == (400, "mixed_currencies")
    euros = get(api, admin, start="2026-10-01", end="2026-11-01", currency="EUR")
    assert (euros["currency"], euros["total"]) == ("EUR", "7")
    told = {period["start"]: period["complete"] for period in euros["results"]}
    assert told["2026-10-05"] is True  # the sources of dollars have nothing to add to it


def test_the_summary_tells_the_month_as_the_ledger_does(api: Api, payer: CostSource, admin: User) -> None:
    answer = api(admin).get("/api/costs/summary")
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert Decimal(found["month_to_date"]["amount"]) == whole_ledger("unblended", DayRange(date(2026, 11, 1), date(2026, 11, 19)))
    assert Decimal(found["full_last_month"]["amount"]) == whole_ledger(
        "unblended", DayRange(date(2026, 10, 1), date(2026, 11, 1))
    )
    assert Decimal(found["month_to_date_settled"]["amount"]) == whole_ledger(
        "unblended", DayRange(date(2026, 11, 1), date(2026, 11, 16))
    )
    assert Decimal(found["same_span_last_month"]["amount"]) == whole_ledger(
        "unblended", DayRange(date(2026, 10, 1), date(2026, 10, 16))
    )
    assert Decimal(found["gross"]) + Decimal(found["credits"]) == Decimal(found["month_to_date"]["amount"])
    forecast = found["forecast"]
    assert (
        Decimal(found["month_to_date"]["amount"])
        < Decimal(forecast["low"])
        < Decimal(forecast["amount"])
        < Decimal(forecast["high"])
    )
    assert found["movers"]


@pytest.fixture
def refused(db: None) -> CostSource:
    """An account apart from the organization whose Cost Explorer never answered."""
    source = books.source(ACQUIRED, "acquired")
    CostSource.objects.filter(pk=source.pk).update(status=SourceStatus.NOT_ENABLED, backfilled_from=None, fresh_at=None)
    return source


def test_an_account_that_aws_never_told_of_spoils_no_other_accounts_days(
    api: Api, payer: CostSource, refused: CostSource, admin: User
) -> None:
    answer = get(api, admin, start=RANGE.start, end=RANGE.end)
    assert [period["complete"] for period in answer["results"]].count(True) > 50
    assert {one["alias"]: one["status"] for one in answer["completeness"]}["acquired"] == "not_enabled"


def test_what_an_account_costs_that_aws_never_told_of_is_unknown_and_not_zero(
    api: Api, payer: CostSource, refused: CostSource, admin: User
) -> None:
    answer = get(api, admin, start=RANGE.start, end=RANGE.end, account="acquired")
    assert answer["total"] is None
    assert {period["total"] for period in answer["results"]} == {None}
