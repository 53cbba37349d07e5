from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuthMethod, AwsAccount
from cloudconsole.core import money
from cloudconsole.core.money import ExactSum
from costs.models import CostSlice, CostSource, Cube

LARGEST = Decimal("9999999999999999.999999999999")


@pytest.fixture
def source(db: None) -> CostSource:
    account = AwsAccount.objects.create(alias="payer", account_id="111111111111", auth_method=AuthMethod.AMBIENT)
    return CostSource.objects.create(account=account)


def store(source: CostSource, amounts: list[Decimal]) -> QuerySet[CostSlice]:
    CostSlice.objects.filter(source=source).delete()
    first = date(2026, 1, 1)
    CostSlice.objects.bulk_create(
        CostSlice(
            source=source,
            cube=Cube.TOTAL,
            day=first + timedelta(days=index),
            estimated=False,
            complete=True,
            rows=1,
            fetched_at="2026-02-01T00:00:00Z",
            currency="USD",
            unblended=amount,
        )
        for index, amount in enumerate(amounts)
    )
    return CostSlice.objects.filter(source=source)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(-LARGEST, LARGEST, places=12), min_size=1, max_size=20))
def test_amounts_come_back_and_add_up_to_the_last_digit(source: CostSource, amounts: list[Decimal]) -> None:
    rows = store(source, amounts)
    assert list(rows.order_by("day").values_list("unblended", flat=True)) == amounts
    assert rows.aggregate(total=ExactSum("unblended"))["total"] == money.total(amounts)


def test_a_sum_that_a_float_would_lose_stays_exact(source: CostSource) -> None:
    rows = store(source, [LARGEST, Decimal("0.000000000001"), -LARGEST])
    assert rows.aggregate(total=ExactSum("unblended"))["total"] == Decimal("0.000000000001")


def test_the_sum_of_nothing_is_unknown_not_zero(source: CostSource) -> None:
    assert CostSlice.objects.filter(source=source).aggregate(total=ExactSum("unblended"))["total"] is None
