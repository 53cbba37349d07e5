"""What the overview's charts say of days that AWS still adds to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from cloudconsole.aws.cost_explorer import Amounts
from cloudconsole.core.charts import Row
from costs.rules.cubes import Cube
from costs.tests import books

pytestmark = pytest.mark.django_db
SETTLED, YESTERDAY, TODAY = books.TODAY - timedelta(days=5), books.TODAY - timedelta(days=1), books.TODAY


@pytest.fixture
def rows(admin: User) -> Iterator[dict[date, Row]]:
    """The table of the daily chart: two services on a settled day, one yesterday, a bare zero today."""
    with time_machine.travel(books.NOW, tick=True):
        source = books.source("111111111111", "management")
        told: dict[date, tuple[str, ...]] = {SETTLED: ("AWS Lambda", "Amazon Bedrock"), YESTERDAY: ("AWS Lambda",), TODAY: ()}
        for cube in (Cube.TOTAL, Cube.SERVICE_RECORD_TYPE):
            totals: dict[date, dict[tuple[str, ...], Amounts]] = {}
            for day, names in told.items():
                totals[day] = {(): books.amounts(2 * len(names))}
                totals[day] |= {(name, "Usage"): books.amounts(2) for name in names if cube is not Cube.TOTAL}
            books.store(source, cube, books.answer(totals))
        client = Client()
        client.force_login(admin)
        table = client.get("/").context["page"].charts.daily.rows
        yield {books.TODAY - timedelta(days=at): row for at, row in enumerate(table)}


def test_a_day_of_which_aws_told_nothing_yet_is_unknown_and_not_zero(rows: dict[date, Row]) -> None:
    assert rows[TODAY].period.total is None
    assert rows[TODAY].period.note == "AWS has told nothing of it yet."
    assert set(rows[TODAY].amounts) == {None}


def test_a_service_that_is_not_told_yet_is_unknown_while_the_day_is_open(rows: dict[date, Row]) -> None:
    assert rows[YESTERDAY].period.total == 2
    assert sorted(rows[YESTERDAY].amounts, key=str) == [Decimal(2), None]
    assert set(rows[SETTLED].amounts) == {Decimal(2)}
