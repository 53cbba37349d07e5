"""Functions with far more memory than they use: found by Lambda Insights' figures, and no word where there are none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import Recommendation
from costs.rules import lambda_memory
from costs.rules.findings import Confidence, Price
from costs.rules.lambda_memory import Sized
from costs.rules.waste import Thing
from costs.services import recommendations as services
from costs.tests.test_recommendations import browser, connect, look
from resources.models import Function, Service

pytestmark = pytest.mark.django_db
GB_SECOND = Price(Decimal("0.0000166667"), "USD")


def sized(memory: int | None = 2048, used: float | None = 212, days: int = 14, seconds: float | None = 9_000) -> Sized:
    return Sized(Thing("eu-central-1", "arn:f", "f", clock.now()), memory, used, days, seconds, GB_SECOND)


def test_a_function_that_uses_a_tenth_of_its_memory_is_found_by_what_insights_measured(
    simulator: SimulatorHandle, admin: User
) -> None:
    account = connect(simulator, "development")
    look(account, Service.LAMBDA)
    function = Function.objects.get(account=account, name="orders-total")
    assert function.memory_used_mb is not None
    assert 80 < function.memory_used_mb <= 96
    found = Recommendation.objects.get(account=account, kind="lambda_memory")
    assert (found.name, found.resource_id, found.confidence) == ("orders-total", function.arn, "low")
    assert found.amount is not None
    assert found.amount > Decimal("0.05")
    evidence = dict(found.evidence)
    assert (evidence["Memory"], evidence["Would do"][:6]) == ("1024 MB", "192 MB")
    page = browser(admin).get("/recommendations").content.decode()
    assert "far more memory than it uses" in page


def test_of_functions_without_insights_nothing_is_said(simulator: SimulatorHandle) -> None:
    account = connect(simulator, "development")
    look(account, Service.LAMBDA)
    silent = Function.objects.filter(account=account, memory_mb__gte=128).exclude(name="orders-total")
    assert silent.exists()
    assert set(silent.values_list("memory_used_mb", flat=True)) == {None}
    assert not silent.filter(memory_at=None).exists()  # asked, and told nothing
    assert Recommendation.objects.filter(kind="lambda_memory").count() == 1


def test_it_ends_once_the_memory_is_lower(simulator: SimulatorHandle) -> None:
    account = connect(simulator, "development")
    look(account, Service.LAMBDA)
    Function.objects.filter(name="orders-total").update(memory_mb=192)
    services.judge(account=account)
    assert Recommendation.objects.get(kind="lambda_memory").status == "fixed"


def test_cloudwatch_is_asked_once_a_day(simulator: SimulatorHandle) -> None:
    account = connect(simulator, "development")
    look(account, Service.LAMBDA)
    asked = set(Function.objects.filter(account=account).values_list("memory_at", flat=True))
    look(account, Service.LAMBDA)
    assert set(Function.objects.filter(account=account).values_list("memory_at", flat=True)) == asked
    Function.objects.update(memory_at=clock.now() - timedelta(hours=25))
    look(account, Service.LAMBDA)
    assert not Function.objects.filter(memory_at__lt=clock.now() - timedelta(hours=1)).exists()


@pytest.mark.parametrize(
    "function",
    [sized(used=None), sized(seconds=None), sized(memory=None), sized(days=6), sized(memory=300), sized(seconds=1)],
)
def test_nothing_is_said_of_what_is_not_known_or_not_worth_it(function: Sized) -> None:
    assert lambda_memory.oversized(function) is None


def test_what_keeps_a_whole_cpu_is_surer() -> None:
    found = lambda_memory.oversized(sized(memory=10_240, used=1_500))
    assert found is not None
    assert found.confidence is Confidence.MEDIUM


@given(used=st.floats(1, 10_000), memory=st.integers(128, 10_240), seconds=st.floats(0, 86_400 * 50))
def test_what_is_suggested_holds_what_was_used_and_money_is_of_what_is_spared(used: float, memory: int, seconds: float) -> None:
    suggested = lambda_memory.suggested(used)
    assert suggested >= used * 1.5 - 1e-6
    assert suggested % 64 == 0
    found = lambda_memory.oversized(sized(memory=memory, used=used, seconds=seconds))
    if found is not None:
        assert suggested <= memory * 0.75
        assert found.money.amount is not None
        assert found.money.amount > 0
