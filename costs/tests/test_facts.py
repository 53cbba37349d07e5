"""Storing: whole days replaced, exact, the same however often and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from threading import Thread

import pytest
import time_machine
from django.db import connection

from cloudconsole.aws.cost_explorer import Amounts
from costs.models import CostFact, CostMonth, CostSlice, CostSource, DimensionValue
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.services import dimensions, facts
from costs.tests import books

DAY = date(2026, 10, 5)


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source("411111111111", "production")


def stored() -> list[tuple[object, ...]]:
    names = ("cube", "day", "first__value", "second__value", "currency", "unblended", "net_amortized")
    return sorted(CostFact.objects.values_list(*names))


def totals(*days: date, amount: str = "3") -> None:
    books.store(CostSource.objects.get(), Cube.TOTAL, books.answer({day: {(): books.amounts(amount)} for day in days}))


def test_amounts_are_kept_to_the_last_digit(source: CostSource) -> None:
    amount = "1234567890123456.123456789012"
    totals(DAY, amount=amount)
    books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer({DAY: {("S3", "Usage"): books.amounts(amount)}}))
    assert CostFact.objects.get().unblended == CostMonth.objects.get().unblended == Decimal(amount)
    assert CostSlice.objects.filter(unblended=Decimal(amount)).count() == 2


@pytest.mark.parametrize("amount", ["0.0000000000001", "12345678901234567", "1E+20"])
def test_an_amount_that_cannot_be_kept_exactly_is_refused_and_the_old_stays(source: CostSource, amount: str) -> None:
    totals(DAY)
    with pytest.raises(facts.UnstorableAmount):
        totals(DAY, amount=amount)
    assert CostSlice.objects.get().unblended == 3


def test_storing_the_same_answer_again_changes_nothing(source: CostSource) -> None:
    days = DayRange(date(2026, 10, 1), date(2026, 10, 8))
    books.fill(source, days)
    before = stored()
    books.fill(source, days)
    assert stored() == before


def test_the_order_of_windows_and_of_groups_does_not_matter(source: CostSource) -> None:
    days = [DAY + timedelta(days=number) for number in range(4)]
    totals(*days)
    told: dict[date, dict[tuple[str, ...], Amounts]] = {
        day: {(f"Service {n}", "Usage"): books.amounts(n) for n in range(5)} for day in days
    }
    books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer(told))
    before = stored()
    random = Random(1)
    for day in random.sample(days, len(days)):
        groups = list(told[day].items())
        random.shuffle(groups)
        books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer({day: dict(groups)}))
    assert stored() == before


def test_a_group_that_aws_no_longer_tells_is_gone(source: CostSource) -> None:
    totals(DAY)
    books.store(
        source,
        Cube.SERVICE_RECORD_TYPE,
        books.answer({DAY: {("S3", "Usage"): books.amounts(1), ("EC2", "Usage"): books.amounts(2)}}),
    )
    books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer({DAY: {("EC2", "Usage"): books.amounts(3)}}))
    assert [row[2] for row in stored()] == ["EC2"]
    assert CostMonth.objects.get().unblended == 3


def test_groups_without_a_control_total_are_not_kept(source: CostSource) -> None:
    with pytest.raises(facts.NoControlTotal):
        books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer({DAY: {("S3", "Usage"): books.amounts(1)}}))
    assert stored() == []


def test_only_a_settled_day_is_restated(source: CostSource) -> None:
    recent = books.TODAY - timedelta(days=1)
    totals(DAY, recent)
    told = books.answer({day: {(): books.amounts(4)} for day in (DAY, recent)})
    assert books.store(source, Cube.TOTAL, told).restated == 1
    assert books.store(source, Cube.TOTAL, told).restated == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_meet_the_same_new_value_store_it_once() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite tests run in memory, where threads share one lock; PostgreSQL tests prove it")
    found: list[dict[str, int]] = []

    def store() -> None:
        found.append(dimensions.ids_of(dimension=Dimension.SERVICE, values=[f"Service {n}" for n in range(50)]))
        connection.close()

    workers = [Thread(target=store) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [found[0]] * 4
    assert DimensionValue.objects.count() == 50
