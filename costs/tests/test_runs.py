"""Snapshots against the simulated Cost Explorer over real HTTP: what is asked, stored, paid for, and how trouble ends."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from celery import current_app
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.aws import clients
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle, running
from costs.models import (
    CostExplorerRequest,
    CostFact,
    CostRestatement,
    CostSlice,
    CostSnapshot,
    CostSource,
    SnapshotStatus,
    SnapshotTrigger,
    SourceStatus,
    WindowStatus,
)
from costs.rules.cubes import Cube
from costs.rules.failures import MAX_ATTEMPTS
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.services import leases, runs, snapshots, ticks
from costs.services.ledger import RequestCapReached
from costs.tests.conftest import NOW, TODAY, connect

MONTH = DayRange(date(2026, 11, 1), date(2026, 11, 19))


def start(source: CostSource, by: User | None = None) -> CostSnapshot:
    return snapshots.request(source=source, trigger=SnapshotTrigger.MANUAL, by=by).snapshot


def fetch(source: CostSource) -> CostSnapshot:
    source.refresh_from_db()
    snapshot = start(source)
    runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    source.refresh_from_db()
    return snapshot


def stored() -> list[tuple[object, ...]]:
    """Everything that a page could show, in an order of its own."""
    facts = CostFact.objects.order_by("cube", "day", "first__value", "second__value")
    return list(facts.values_list("cube", "day", "first__value", "second__value", "unblended", "net_amortized"))


def test_a_first_fetch_stores_what_the_ledger_holds(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    snapshot = fetch(payer)

    assert (snapshot.status, snapshot.start, snapshot.end) == (SnapshotStatus.SUCCEEDED, date(2025, 10, 1), date(2026, 11, 19))
    days = DayRange(snapshot.start, snapshot.end)
    truth = aws.ledger.sums((days.start + timedelta(days=number) for number in range(days.days)), NOW, (), "111111111111")
    answer = costs.answer(admin, Question(days, Granularity.WHOLE))
    assert answer.total == Decimal(truth[()].unblended).scaleb(-10)
    assert (payer.status, payer.scope, payer.backfilled_from) == (SourceStatus.OK, "payer", date(2025, 10, 1))
    ledger = CostExplorerRequest.objects.filter(snapshot=snapshot)
    assert snapshot.requests == ledger.count() == len([call for call in aws.calls() if call.operation == "GetCostAndUsage"])
    assert {row.outcome for row in ledger} == {"ok"}
    assert snapshot.price == snapshot.requests * Decimal("0.01")
    assert [event.action for event in AuditEvent.objects.order_by("seq")] == ["snapshot.requested", "snapshot.finished"]


def test_fetching_the_same_again_changes_nothing(aws: SimulatorHandle, refreshed: CostSource) -> None:
    fetch(refreshed)
    before = stored()
    assert fetch(refreshed).restated == 0
    assert stored() == before


def test_late_data_replaces_and_a_changed_settled_day_is_a_restatement(aws: SimulatorHandle, refreshed: CostSource) -> None:
    """The refund of 9 September is seen only from 14 October on: long after the day had settled."""
    aws.set_today(date(2026, 10, 10))
    with time_machine.travel(NOW.replace(month=10, day=10), tick=True):
        fetch(refreshed)
    aws.set_today(date(2026, 10, 15))
    CostSource.objects.filter(pk=refreshed.pk).update(fresh_at=NOW.replace(month=10, day=10))
    with time_machine.travel(NOW.replace(month=10, day=15), tick=True):
        assert fetch(refreshed).restated == 1
    restatement = CostRestatement.objects.get(day=date(2026, 9, 9))
    assert restatement.difference == Decimal("-18.4")
    assert CostSlice.objects.filter(cube=Cube.TOTAL, day=date(2026, 9, 9)).count() == 1


@pytest.mark.parametrize("fault", [FaultKind.THROTTLE, FaultKind.HTTP500, FaultKind.RESET, FaultKind.TIMEOUT])
def test_a_busy_aws_makes_the_run_rest_and_go_on(aws: SimulatorHandle, refreshed: CostSource, fault: FaultKind) -> None:
    aws.add_faults(Fault("ce", fault, after=2, times=6, seconds=0.05))
    snapshot = fetch(refreshed)
    assert (snapshot.status, snapshot.attempts, snapshot.lease_token) == (SnapshotStatus.QUEUED, 1, None)
    assert snapshot.error_code in {"aws_throttled", "aws_internal", "aws_unreachable"}

    aws.clear_faults()
    runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    assert snapshot.status == SnapshotStatus.QUEUED  # its rest is not over
    with time_machine.travel(NOW + timedelta(minutes=2), tick=True):
        aws.set_now(NOW + timedelta(minutes=2))
        runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.attempts, snapshot.error_code) == (SnapshotStatus.SUCCEEDED, 0, "")


def test_a_run_that_aws_never_answers_ends_with_the_reason(aws: SimulatorHandle, refreshed: CostSource) -> None:
    snapshot = start(refreshed)
    CostSnapshot.objects.filter(pk=snapshot.pk).update(attempts=MAX_ATTEMPTS - 1)
    aws.add_faults(Fault("ce", FaultKind.THROTTLE, times=10_000))
    runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    refreshed.refresh_from_db()
    assert (snapshot.status, snapshot.error_code) == (SnapshotStatus.FAILED, "aws_throttled")
    assert set(snapshot.windows.values_list("status", flat=True)) == {WindowStatus.FAILED}
    assert (refreshed.status, refreshed.status_code) == (SourceStatus.PENDING, "aws_throttled")
    assert refreshed.status_remedy


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (FaultKind.DENIED, SourceStatus.DENIED, "aws_access_denied"),
        (FaultKind.NOT_ENABLED, SourceStatus.NOT_ENABLED, "aws_not_enabled"),
        (FaultKind.EXPIRED, SourceStatus.DENIED, "aws_credentials_expired"),
        (FaultKind.SKEWED_CLOCK, SourceStatus.STALE, "aws_clock_skewed"),
    ],
)
def test_a_refusal_ends_the_run_in_a_state_with_its_remedy_and_keeps_the_facts(
    aws: SimulatorHandle, refreshed: CostSource, fault: FaultKind, status: SourceStatus, code: str
) -> None:
    fetch(refreshed)
    before = stored()
    aws.add_faults(Fault("ce", fault, times=100))
    snapshot = fetch(refreshed)
    assert (snapshot.status, snapshot.error_code) == (SnapshotStatus.FAILED, code)
    assert (refreshed.status, refreshed.status_code) == (status, code)
    assert refreshed.status_remedy
    assert snapshot.error_remedy
    assert snapshot.requests > 0 == snapshot.price  # AWS does not charge what it refuses
    assert stored() == before


def test_garbage_costs_only_its_window(aws: SimulatorHandle, refreshed: CostSource) -> None:
    aws.add_faults(Fault("ce", FaultKind.GARBAGE, after=1, times=MAX_ATTEMPTS * 10))
    snapshot = start(refreshed)
    moment = NOW
    for _ in range(MAX_ATTEMPTS - 1):
        with time_machine.travel(moment, tick=True):
            aws.set_now(moment)
            runs.run(snapshot_id=snapshot.pk)
        moment += timedelta(minutes=20)
    aws.clear_faults()
    aws.add_faults(Fault("ce", FaultKind.GARBAGE, times=1))
    with time_machine.travel(moment, tick=True):
        aws.set_now(moment)
        runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    statuses = list(snapshot.windows.values_list("status", flat=True))
    assert statuses.count(WindowStatus.FAILED) == 1
    assert statuses.count(WindowStatus.STORED) == len(statuses) - 1
    assert snapshot.status == SnapshotStatus.PARTIAL


def test_a_refused_page_token_and_duplicate_keys_change_no_figure(
    aws: SimulatorHandle, refreshed: CostSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(refreshed)
    before = stored()
    with running(today=TODAY, origin=TODAY, page_size=300) as small_pages:
        monkeypatch.setenv("AWS_ENDPOINT_URL", small_pages.url)
        clients.close()
        small_pages.add_faults(Fault("ce", FaultKind.TOKEN_REFUSED), Fault("ce", FaultKind.DUPLICATE_KEYS, times=100))
        snapshot = fetch(refreshed)
    assert (snapshot.status, snapshot.restated) == (SnapshotStatus.SUCCEEDED, 0)
    assert max(snapshot.windows.values_list("pages", flat=True)) > 1
    assert "token_refused" in CostExplorerRequest.objects.values_list("outcome", flat=True)
    assert stored() == before


def test_the_second_of_two_wishes_gets_the_open_run(aws: SimulatorHandle, refreshed: CostSource) -> None:
    first = snapshots.request(source=refreshed, trigger=SnapshotTrigger.MANUAL, by=None)
    second = snapshots.request(source=refreshed, trigger=SnapshotTrigger.MANUAL, by=None)
    assert (first.created, second.created, second.snapshot.pk) == (True, False, first.snapshot.pk)


def test_a_cancelled_run_keeps_what_it_stored_and_writes_no_more(
    aws: SimulatorHandle, refreshed: CostSource, admin: User
) -> None:
    snapshot = start(refreshed)
    lease = leases.claim(snapshot.pk)
    assert lease
    snapshots.cancel(snapshot=snapshot, by=admin)
    with pytest.raises(leases.LeaseLost):
        lease.renew()
    runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.requests) == (SnapshotStatus.CANCELLED, 0)
    with pytest.raises(snapshots.SnapshotIsOver):
        snapshots.cancel(snapshot=snapshot, by=admin)
    assert AuditEvent.objects.filter(action="snapshot.cancelled", actor_name=admin.username).exists()


def test_a_worker_that_lost_its_lease_writes_nothing(aws: SimulatorHandle, refreshed: CostSource) -> None:
    snapshot = start(refreshed)
    stale = leases.claim(snapshot.pk)
    assert stale
    assert leases.claim(snapshot.pk) is None
    with time_machine.travel(NOW + leases.LEASE * 2, tick=True):
        assert leases.claim(snapshot.pk)
        with pytest.raises(leases.LeaseLost):
            stale.renew()


def test_the_monthly_cap_stops_before_the_request_that_exceeds_it(aws: SimulatorHandle, refreshed: CostSource) -> None:
    CostSource.objects.filter(pk=refreshed.pk).update(monthly_request_cap=6)
    snapshot = fetch(refreshed)
    assert snapshot.requests <= 6
    assert CostExplorerRequest.objects.filter(charged=True).count() <= 6
    with pytest.raises(RequestCapReached):
        start(refreshed)


def test_the_cap_may_be_reached_in_the_middle_of_a_run(aws: SimulatorHandle, refreshed: CostSource) -> None:
    snapshot = start(refreshed)
    CostSource.objects.filter(pk=refreshed.pk).update(monthly_request_cap=2)
    runs.run(snapshot_id=snapshot.pk)
    snapshot.refresh_from_db()
    refreshed.refresh_from_db()
    assert (snapshot.status, snapshot.error_code, snapshot.requests) == (SnapshotStatus.PARTIAL, "request_cap_reached", 2)
    assert refreshed.status == SourceStatus.STALE


def test_a_tick_makes_sources_and_starts_what_is_due(aws: SimulatorHandle, payer: CostSource) -> None:
    account = payer.account
    payer.delete()
    ticks.tick()
    source = CostSource.objects.get(account=account)
    snapshot = CostSnapshot.objects.get(source=source)
    assert (snapshot.trigger, snapshot.status) == (SnapshotTrigger.BACKFILL, SnapshotStatus.QUEUED)
    ticks.tick()
    assert CostSnapshot.objects.count() == 1


def test_a_tick_rings_again_for_a_run_whose_message_was_lost(
    refreshed: CostSource, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        snapshot = start(refreshed)
    current_app.control.purge()  # the broker loses all it has
    with django_capture_on_commit_callbacks(execute=True):
        ticks.tick()
    with current_app.connection_for_read() as connection, connection.SimpleQueue("cloudconsole") as queue:
        message = queue.get(timeout=60)
        message.ack()
    assert message.headers["task"] == snapshots.RUN
    assert message.payload[1] == {"snapshot_id": snapshot.pk}


def test_a_member_is_read_from_its_payer_and_never_counted_twice(
    aws: SimulatorHandle, refreshed: CostSource, admin: User
) -> None:
    fetch(refreshed)
    alone = costs.answer(admin, Question(MONTH, Granularity.WHOLE)).total
    member = connect(aws, "development", "development")
    assert fetch(member).status == SnapshotStatus.CANCELLED
    assert (member.status, member.covered_by_id, member.scope) == (SourceStatus.COVERED, refreshed.pk, "member")
    assert costs.answer(admin, Question(MONTH, Granularity.WHOLE)).total == alone
    with pytest.raises(snapshots.CoveredByPayer):
        start(member)


def test_a_first_fetch_that_turns_out_to_be_the_payers_leaves_no_trace(aws: SimulatorHandle, refreshed: CostSource) -> None:
    member = connect(aws, "development", "development")
    aws.clear_calls()
    ticks.tick()
    runs.run(snapshot_id=CostSnapshot.objects.open().get(source=member).pk)
    member.refresh_from_db()
    assert member.status == SourceStatus.COVERED
    assert not CostSnapshot.objects.filter(source=member).exists()
    assert "GetCostAndUsage" not in {call.operation for call in aws.calls()}


def test_a_member_counts_by_itself_when_its_payer_is_gone(aws: SimulatorHandle, refreshed: CostSource, admin: User) -> None:
    fetch(refreshed)
    member = connect(aws, "development", "development")
    CostSource.objects.filter(pk=member.pk).update(backfilled_from=date(2025, 10, 1))
    fetch(member)
    refreshed.account.deleted_at = NOW
    refreshed.account.save()
    ticks.tick()
    member.refresh_from_db()
    assert member.covered_by is None
    runs.run(snapshot_id=CostSnapshot.objects.open().get(source=member).pk)
    days = (MONTH.start + timedelta(days=number) for number in range(MONTH.days))
    truth = aws.ledger.sums(days, NOW, (), "433333333333")[()].unblended
    assert costs.answer(admin, Question(MONTH, Granularity.WHOLE)).total == Decimal(truth).scaleb(-10)
