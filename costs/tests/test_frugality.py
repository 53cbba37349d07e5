"""What a day of asking AWS costs, and that what is not asked is told all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import (
    CostExplorerRequest,
    CostFact,
    CostSlice,
    CostSnapshot,
    CostSource,
    SnapshotStatus,
    SourceTag,
    TagKey,
)
from costs.rules import schedule, windows
from costs.rules.cubes import DERIVED, Cube
from costs.services import runs, ticks
from costs.tests import books
from costs.tests.conftest import NOW, TODAY, connect


@pytest.fixture
def single(aws: SimulatorHandle, db: None) -> CostSource:
    """An account that reads its own bill, with its first fetch behind it."""
    source = connect(aws, "development", "development")
    CostSource.objects.filter(pk=source.pk).update(backfilled_from=date(2025, 10, 1), fresh_at=NOW - timedelta(days=1))
    return source


def live_until(end: datetime, aws: SimulatorHandle, source: CostSource) -> None:
    """Let the scheduler and a worker do all that falls due."""
    ticks.tick()
    while True:
        for snapshot in CostSnapshot.objects.open():
            runs.run(snapshot_id=snapshot.pk)
        source.refresh_from_db()
        due = source.next_refresh_at
        if due is None or due >= end:
            return
        aws.set_today(due.date())
        with time_machine.travel(due + timedelta(seconds=1), tick=True):
            ticks.tick()
            for snapshot in CostSnapshot.objects.open():
                runs.run(snapshot_id=snapshot.pk)


def test_a_day_of_a_single_account_takes_at_most_eight_requests(aws: SimulatorHandle, single: CostSource) -> None:
    live_until(NOW + timedelta(days=4), aws, single)
    assert set(CostSnapshot.objects.values_list("status", flat=True)) == {SnapshotStatus.SUCCEEDED}
    asked = list(CostExplorerRequest.objects.filter(charged=True).order_by("at").values_list("at", flat=True))
    days = {moment.date() for moment in asked}
    assert len(days) >= 4
    assert len(CostSnapshot.objects.all()) >= 7  # about twice a day
    for moment in asked:
        assert sum(moment <= other < moment + timedelta(days=1) for other in asked) <= 8


def test_what_a_single_account_costs_by_account_follows_without_asking(aws: SimulatorHandle, single: CostSource) -> None:
    live_until(NOW, aws, single)
    single.refresh_from_db()
    assert single.is_single
    days = windows.refresh(TODAY)
    assert not CostSnapshot.objects.filter(windows__cube__in=DERIVED).exists()
    for cube in DERIVED:
        truth = books.ledger_answer(cube, days, DEVELOPMENT)
        told = {(day.day, *keys): amounts.unblended for day in truth.days for keys, amounts in day.groups.items()}
        rows = CostFact.objects.filter(cube=cube, day__gte=days.start)
        facts = {
            (day, first, second): cost
            for day, first, second, cost in rows.values_list("day", "first__value", "second__value", "unblended")
        }
        assert facts == told


def test_a_day_with_tags_takes_at_most_eight_requests_too(aws: SimulatorHandle, single: CostSource) -> None:
    for key in ("team", "project", "Environment", "cost-center", "owner"):
        tag = TagKey.objects.create(key=key)
        SourceTag.objects.create(source=single, tag=tag, is_chosen=True, chosen_at=NOW)
    live_until(NOW + timedelta(days=4), aws, single)
    asked = list(CostExplorerRequest.objects.filter(charged=True).order_by("at").values_list("at", flat=True))
    for moment in asked:
        assert sum(moment <= other < moment + timedelta(days=1) for other in asked) <= 8
    # More than fit into a day take turns, and none is left out.
    assert set(CostSlice.objects.filter(cube__gte=100).values_list("cube", flat=True)) == {
        number for tag in TagKey.objects.all() for number in (int(tag.cubes.by_service), int(tag.cubes.by_account))
    }


def test_usage_types_are_asked_once_a_day(aws: SimulatorHandle, single: CostSource) -> None:
    live_until(NOW + timedelta(hours=40), aws, single)
    asked = CostSnapshot.objects.filter(windows__cube=Cube.SERVICE_USAGE_TYPE)
    days = [snapshot.created_at.date() for snapshot in asked]
    assert len(days) == len(set(days)) == 3 < CostSnapshot.objects.count()
    assert CostSlice.objects.filter(cube=Cube.SERVICE_USAGE_TYPE, day=TODAY).exists()


@given(today=st.dates(date(2024, 1, 1), date(2028, 12, 31)), pause=st.integers(0, 60))
def test_no_day_that_may_have_changed_is_left_out_for_more_than_a_week(today: date, pause: int) -> None:
    asked_on = today - timedelta(days=pause)
    found = windows.usage_types(today, asked_on)
    if not pause:
        assert found is None
        return
    assert found is not None
    assert found.end == today + timedelta(days=1)
    assert found.start <= asked_on
    if pause >= 7 or today.weekday() == 0:
        assert windows.refresh(today, asked_on).start <= found.start <= windows.refresh(today, today).start


@given(pages=st.integers(1, 50), tags=st.integers(0, 3))
def test_refreshes_of_a_single_account_fit_into_its_day(pages: int, tags: int) -> None:
    times = timedelta(days=1) // schedule.usual_interval(pages, tags=tags)
    assert times == 1 or times * pages + schedule.FOR_USAGE_TYPES + tags <= schedule.SINGLE_DAILY_REQUESTS
    assert schedule.next_refresh(
        1, datetime(2026, 11, 2, tzinfo=UTC), requests_left=9999, requests_each=3, every=schedule.usual_interval(3)
    ) >= datetime(2026, 11, 2, 12, tzinfo=UTC)
