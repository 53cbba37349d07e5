"""Months that are closed: frozen once, proven by a digest, and never changed by what AWS tells later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Alert
from audit.models import AuditEvent
from cloudconsole.core.money import total
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import CostSlice, CostSnapshot, CostSource, MonthClose, MonthDifference, MonthRestatement, SnapshotStatus
from costs.rules import closes as rules
from costs.rules.closes import Fact
from costs.rules.cubes import CUBES, Cube
from costs.rules.windows import DayRange, month_of
from costs.services import closes
from costs.tests import books

OCTOBER = month_of(date(2026, 10, 5))
EARLY = datetime(2026, 11, 9, 12, tzinfo=UTC)
amounts = st.decimals(-(10**6), 10**6, places=10)
facts = st.lists(
    st.builds(
        Fact,
        st.dates(OCTOBER.start, date(2026, 10, 31)),
        st.integers(0, 4),
        st.text(max_size=5),
        st.text(max_size=5),
        st.just("USD"),
        st.tuples(*[amounts] * 5),
    ),
    max_size=12,
)


@given(facts, st.randoms())
def test_the_digest_knows_no_order_and_no_trailing_zeros(told: list[Fact], random: object) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    padded = [fact._replace(amounts=tuple(amount.quantize(Decimal("1e-12")) for amount in fact.amounts)) for fact in shuffled]
    assert rules.digest(padded) == rules.digest(told)


@given(facts.filter(bool), amounts.filter(bool))
def test_the_digest_knows_every_amount(told: list[Fact], more: Decimal) -> None:
    first = told[0]
    changed = first._replace(amounts=(first.amounts[0] + more, *first.amounts[1:]))
    assert rules.digest([changed, *told[1:]]) != rules.digest(told)


@pytest.mark.parametrize(
    ("today", "month"),
    [(date(2026, 11, 10), date(2026, 9, 1)), (date(2026, 11, 11), date(2026, 10, 1)), (date(2027, 1, 1), date(2026, 11, 1))],
)
def test_a_month_is_due_on_the_eleventh_of_the_next(today: date, month: date) -> None:
    assert rules.due(today) == month


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source(MANAGEMENT, "management")


def fill(source: CostSource, *, at: datetime = books.NOW, but: Cube | None = None) -> None:
    for cube in CUBES:
        if cube is not but:
            books.store(source, cube, books.ledger_answer(cube, OCTOBER, MANAGEMENT), at=at)


@time_machine.travel(books.NOW, tick=False)
def test_a_whole_month_is_frozen_once_however_often_the_scheduler_rings(source: CostSource) -> None:
    fill(source)
    closes.tick()
    closes.tick()
    frozen = MonthClose.objects.get()
    assert (frozen.month, len(frozen.digest), frozen.frozen_at) == (OCTOBER.start, 64, books.NOW)
    control = frozen.figures.get(cube=Cube.TOTAL, service=None)
    days = CostSlice.objects.filter(cube=Cube.TOTAL).values_list("unblended", flat=True)
    assert control.unblended == total(days)
    assert AuditEvent.objects.filter(action="costs.month_closed").count() == 1
    assert not MonthRestatement.objects.exists()


@time_machine.travel(books.NOW, tick=False)
def test_of_two_schedulers_that_freeze_a_month_one_does(source: CostSource) -> None:
    fill(source)
    assert closes.close(source=source, month=OCTOBER.start)
    assert closes.close(source=source, month=OCTOBER.start) is None
    assert MonthClose.objects.count() == 1


@pytest.mark.parametrize(
    ("at", "but", "now"),
    [
        (EARLY, None, books.NOW),  # fetched before the 11th
        (books.NOW, Cube.REGION_SERVICE, books.NOW),  # a cube is missing
        (books.NOW, None, datetime(2026, 11, 10, 23, 59, tzinfo=UTC)),  # too early
    ],
)
def test_a_month_waits_until_it_is_whole_and_final(source: CostSource, at: datetime, but: Cube | None, now: datetime) -> None:
    fill(source, at=at, but=but)
    with time_machine.travel(now, tick=False):
        closes.tick()
    assert not MonthClose.objects.exists()


@time_machine.travel(books.NOW, tick=False)
def test_a_month_waits_for_the_run_that_is_fetching_it(source: CostSource) -> None:
    fill(source)
    run = CostSnapshot.objects.create(source=source, trigger="manual", start=OCTOBER.start, end=OCTOBER.end)
    closes.tick()
    assert not MonthClose.objects.exists()
    CostSnapshot.objects.filter(pk=run.pk).update(status=SnapshotStatus.SUCCEEDED)
    closes.tick()
    assert MonthClose.objects.exists()


@time_machine.travel(books.NOW, tick=False)
def test_the_same_figures_stored_again_are_no_restatement(source: CostSource) -> None:
    fill(source)
    closes.tick()
    fill(source, at=books.NOW + timedelta(hours=1))
    closes.tick()
    assert not MonthRestatement.objects.exists()
    assert not MonthClose.objects.filter(is_checked=False).exists()


@time_machine.travel(books.NOW, tick=False)
def test_a_closed_month_that_moves_keeps_its_figures_and_is_told_once(source: CostSource) -> None:
    fill(source)
    closes.tick()
    before = list(MonthClose.objects.get().figures.values_list("unblended", flat=True))
    _refund(source, Decimal(-50))
    for _ in range(3):
        closes.tick()
    assert list(MonthClose.objects.get().figures.values_list("unblended", flat=True)) == before
    told = MonthDifference.objects.order_by("pk")
    assert [(one.service.value if one.service else "", one.difference) for one in told] == [
        ("", Decimal(-50)),
        ("AmazonCloudWatch", Decimal(-50)),
    ]
    alert = Alert.objects.get()
    assert alert.title == "October 2026 of management was restated after it was closed"
    assert AuditEvent.objects.filter(action="costs.month_restated").count() == 1
    _refund(source, Decimal(-80))
    closes.tick()
    assert MonthRestatement.objects.count() == Alert.objects.count() == 2


def _refund(source: CostSource, amount: Decimal) -> None:
    """AWS tells the 9th again, with a refund that it did not have."""
    day = DayRange(date(2026, 10, 9), date(2026, 10, 10))
    refund = books.amounts(amount)
    keys: dict[Cube, tuple[str, ...]] = {
        Cube.TOTAL: (),
        Cube.SERVICE_RECORD_TYPE: ("AmazonCloudWatch", "Refund"),
        Cube.ACCOUNT_SERVICE: (MANAGEMENT, "AmazonCloudWatch"),
        Cube.REGION_SERVICE: ("eu-west-1", "AmazonCloudWatch"),
        Cube.ACCOUNT_RECORD_TYPE: (MANAGEMENT, "Refund"),
    }
    for cube, key in keys.items():
        told = books.ledger_answer(cube, day, MANAGEMENT).days[0]
        groups = dict(told.groups)
        groups[key] = books.amounts(told.total.unblended + amount) if told.total else refund
        books.store(source, cube, books.answer({day.start: groups}), at=books.NOW + timedelta(hours=2))
