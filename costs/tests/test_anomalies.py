"""Episodes of unusual costs: found, grown, closed, opened again, restated; by several workers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from costs.models import AnomalyWatch, BillingScope, CostAnomaly, CostAnomalyDay, CostSource
from costs.services import anomalies
from costs.tests import books
from costs.tests.unusual import DAYS, EC2, LAMBDA, LAST, NUMBER, judged, tell, usage, usual

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source(NUMBER, "production", BillingScope.STANDALONE)


def everything() -> tuple[list[Any], ...]:
    return tuple(list(model.objects.order_by("pk").values_list()) for model in (CostAnomaly, CostAnomalyDay))


def test_an_episode_tells_its_days_and_its_money(source: CostSource) -> None:
    tell(source, usual(d4=500, d3=300))
    (one,) = judged(source)
    assert (one.account_number, one.service, one.status, one.kind) == (NUMBER, EC2, "closed", "spike")
    assert (one.started_on, one.last_day, one.days) == (LAST - timedelta(days=4), LAST - timedelta(days=3), 2)
    assert (one.actual, one.expected, one.impact, one.peak, one.is_exact) == (800, 200, 600, 400, True)
    assert [day.actual for day in one.day_rows.filter(is_unusual=True)] == [500, 300]
    assert {day.limit for day in one.day_rows.filter(is_unusual=False)} == {130}


def test_what_is_no_usage_never_alarms(source: CostSource) -> None:
    days = usual()
    for day in (LAST, LAST - timedelta(days=14)):
        days[day] = {
            **usage(100),
            (NUMBER, EC2, "us-east-1", "RIFee"): 900,
            (NUMBER, EC2, "us-east-1", "Credit"): -300,
            (NUMBER, "Tax", "NoRegion", "Tax"): 5000,
            (NUMBER, "AWS Support (Business)", "NoRegion", "Support"): 700,
        }
    tell(source, days)
    assert judged(source) == []


def test_credits_that_end_do_not_alarm_in_a_bill_of_several_accounts(db: None) -> None:
    payer = books.source(NUMBER, "management")
    accounts = {(number, service, "us-east-1", "Usage"): 100 for number in (NUMBER, "222222222222") for service in (EC2, LAMBDA)}
    given_back = {(number, service, "us-east-1", "Credit"): -90 for number, service, _, _ in accounts}
    tell(payer, {day: accounts if day > LAST - timedelta(days=3) else {**accounts, **given_back} for day in DAYS})
    assert judged(payer) == []


def test_judging_again_and_storing_again_change_nothing(source: CostSource) -> None:
    days = usual(d4=500, d0=300)
    tell(source, days)
    judged(source)
    before = everything()
    tell(source, days)
    judged(source)
    assert everything() == before


def test_an_episode_grows_while_it_goes_on_and_closes_after_two_normal_days(source: CostSource) -> None:
    days = usual(d4=500, d3=400)
    for back, status, count in ((4, "open", 1), (3, "open", 2), (2, "open", 2), (1, "closed", 2)):
        tell(source, {day: costs for day, costs in days.items() if day <= LAST - timedelta(days=back)})
        (one,) = judged(source)
        assert (one.status, one.days) == (status, count)


def test_another_unusual_day_within_a_week_opens_it_again(source: CostSource) -> None:
    tell(source, usual(d7=500))
    (first,) = judged(source)
    assert first.status == "closed"
    tell(source, usual(d7=500, d0=500))
    (again,) = judged(source)
    assert (again.pk, again.status, again.days) == (first.pk, "open", 2)


def test_late_data_updates_an_episode_and_what_is_restated_away_is_withdrawn(source: CostSource) -> None:
    tell(source, usual(d4=500))
    (first,) = judged(source)
    tell(source, usual(d4=650, d5=400))
    (grown,) = judged(source)
    assert (grown.pk, grown.impact, grown.days) == (first.pk, 850, 2)
    tell(source, usual())
    (gone,) = judged(source)
    assert (gone.pk, gone.status) == (first.pk, "withdrawn")
    tell(source, usual(d4=500))
    (back,) = judged(source)
    assert (back.pk, back.status, back.impact) == (first.pk, "closed", 400)


def test_two_episodes_that_late_data_joins_are_one(source: CostSource) -> None:
    tell(source, usual(d12=500, d0=500))
    assert len(judged(source)) == 2
    tell(source, usual(d12=500, d6=500, d0=500))
    assert [(one.status, one.days) for one in judged(source)] == [("open", 3), ("withdrawn", 1)]


def test_a_new_service_and_a_new_region_are_found_above_the_floor(source: CostSource) -> None:
    days = usual()
    days[LAST] = {**usage(100), **usage(12, LAMBDA)}
    days[LAST - timedelta(days=1)] = {**usage(88), **usage(12, region="ap-southeast-2")}
    tell(source, days)
    found = judged(source)
    assert {(one.service, one.region, one.kind) for one in found} == {(LAMBDA, "", "new"), (EC2, "ap-southeast-2", "new")}
    assert {one.impact for one in found} == {Decimal(12)}


def test_without_four_weeks_of_complete_days_there_is_no_verdict(source: CostSource) -> None:
    tell(source, {day: costs for day, costs in usual(d0=900).items() if day > LAST - timedelta(days=28)})
    assert judged(source) == []


def test_days_that_have_not_settled_are_not_judged(source: CostSource) -> None:
    days = usual()
    days[LAST + timedelta(days=1)] = usage(5000)
    tell(source, days)
    assert judged(source) == []


def test_currencies_are_judged_apart(db: None) -> None:
    for number, currency in ((NUMBER, "USD"), ("222222222222", "EUR")):
        other = books.source(number, currency.lower(), BillingScope.STANDALONE)
        days = {day: usage(500 if day == LAST else 100, account=number) for day in DAYS}
        tell(other, days, currency)
        anomalies.judge(source_id=other.pk)
    assert {(one.account_number, one.currency) for one in CostAnomaly.objects.all()} == {
        (NUMBER, "USD"),
        ("222222222222", "EUR"),
    }


def test_a_worker_that_was_overtaken_writes_nothing(source: CostSource) -> None:
    tell(source, usual(d0=500))
    judged(source)
    AnomalyWatch.objects.update(judged_at=books.NOW - timedelta(hours=1))
    assert anomalies.due() == [source.pk]
    with time_machine.travel(books.NOW + timedelta(hours=1), tick=False):
        judged(source)
    assert anomalies.due() == []
    assert CostAnomaly.objects.count() == 1


def test_two_workers_at_once_find_one_episode(threads: Callable[..., None]) -> None:
    source = books.source(NUMBER, "production", BillingScope.STANDALONE)
    tell(source, usual(d0=500))
    threads(*[lambda: anomalies.judge(source_id=source.pk)] * 2)
    assert CostAnomaly.objects.count() == 1


def test_more_accounts_and_services_take_no_more_queries(db: None) -> None:
    def bill(alias: str, number: str, accounts: int) -> CostSource:
        source = books.source(number, alias)
        costs: dict[Any, Any] = {}
        for at in range(accounts):
            for service in range(3):
                costs |= usage(50, f"S{service}", f"{at:012}")
        tell(source, {day: {**costs, **usage(900, "S9", "9" * 12)} if day == LAST else costs for day in DAYS[-45:]})
        return source

    def queries(source: CostSource) -> int:
        with CaptureQueriesContext(connection) as asked:
            anomalies.judge(source_id=source.pk)
        return len(asked)

    bills = [bill("small", "1" * 12, 2), bill("large", "2" * 12, 30)]
    first, again = [queries(one) for one in bills], [queries(one) for one in bills]
    assert CostAnomaly.objects.count() == 2
    assert first[0] == first[1]
    assert again[0] == again[1]
    assert again[0] <= 25
