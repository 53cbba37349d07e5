"""Asking AWS what runs: what is stored of it, and what a failure leaves alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import pytest
import time_machine

from accounts.models import AwsAccount, User
from cloudconsole.aws import enabled_regions
from cloudconsole.aws.credentials import Access
from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import (
    GLOBAL,
    WHAT_RUNS,
    Bucket,
    Function,
    Instance,
    InstancePrice,
    InventorySource,
    InventorySync,
    Scan,
    Service,
    StateTransition,
    SyncTrigger,
)
from resources.services.inventory import prices, runs, syncs, ticks

Connected = Callable[..., AwsAccount]


def sync(*accounts: AwsAccount, services: list[Service] | None = None) -> InventorySync:
    """Ask these accounts now, as a worker does."""
    made = syncs.request(accounts=accounts, services=services or list(WHAT_RUNS), trigger=SyncTrigger.SCHEDULE, by=None)
    runs.run(sync_id=made.pk)
    made.refresh_from_db()
    return made


def remembered(account: AwsAccount, **fields: object) -> Instance:
    """An instance as a scan of an hour ago left it, which AWS knows nothing of."""
    earlier = clock.now() - timedelta(hours=1)
    told = {"region": "eu-central-1", "instance_id": "i-0aaaaaaaaaaaaaaaa", "state": "running", "instance_type": "t3.micro"}
    return Instance.objects.create(account=account, **{**told, "observed_at": earlier, "first_seen_at": earlier, **fields})


def test_what_runs_is_stored_with_the_place_and_the_moment(connected: Connected) -> None:
    account = connected("development")
    before = clock.now()
    done = sync(account)
    assert (done.status, done.done, done.total, done.failed) == ("succeeded", 5, 5, 0)
    assert done.rows == Instance.objects.count() + Bucket.objects.count() + Function.objects.count()
    row = Instance.objects.get(name="ada-workstation")
    assert (row.account, row.region, row.state, row.instance_type) == (account, "eu-central-1", "running", "t3.xlarge")
    assert row.tags["team"] == "shop"
    assert row.observed_at >= before
    assert "team=shop" in row.searched
    assert set(Scan.objects.values_list("region", "service", "status")) == {
        ("eu-central-1", "ec2", "complete"),
        ("us-east-1", "ec2", "complete"),
        ("eu-central-1", "lambda", "complete"),
        ("us-east-1", "lambda", "complete"),
        (GLOBAL, "s3", "complete"),
    }


def test_buckets_bring_their_settings_and_the_day_of_their_figures(connected: Connected) -> None:
    sync(connected("development"), services=[Service.S3])
    bucket = Bucket.objects.get(name="example-dev-artifacts")
    assert (bucket.region, bucket.versioning, bucket.encryption) == ("eu-central-1", "enabled", "AES256")
    assert bucket.public_access_blocked is True
    assert bucket.size_bytes == sum(bucket.size_by_class.values()) > 0
    assert bucket.measured_on is not None


def test_functions_bring_their_state_and_their_activity_and_nothing_of_their_environment(connected: Connected) -> None:
    sync(connected("development"), services=[Service.LAMBDA])
    function = Function.objects.get(name="hello")
    assert (function.state, function.runtime) == ("Active", "python3.12")
    assert function.invocations_24h is not None
    assert function.activity_at is not None
    assert not [field.name for field in Function._meta.get_fields() if "environment" in field.name]


def test_a_vanished_instance_is_gone_after_a_complete_scan_and_its_history_stays(connected: Connected) -> None:
    account = connected("development")
    row = remembered(account)
    sync(account, services=[Service.EC2])
    row.refresh_from_db()
    assert row.gone_at is not None
    assert row not in Instance.objects.present()
    last = row.transitions.last()
    assert last is not None
    assert (last.from_state, last.to_state, last.not_before) == ("running", "terminated", row.observed_at)


@pytest.mark.parametrize("fault", [FaultKind.DENIED, FaultKind.RESET, FaultKind.GARBAGE, FaultKind.HTTP500, FaultKind.THROTTLE])
def test_a_failed_scan_deletes_nothing_and_says_why(connected: Connected, simulator: SimulatorHandle, fault: FaultKind) -> None:
    account = connected("development", enabled_regions=["eu-central-1"])
    row = remembered(account)
    simulator.add_faults(Fault(service="ec2", operation="DescribeInstances", fault=fault, times=20))
    done = sync(account, services=[Service.EC2])
    row.refresh_from_db()
    assert row.gone_at is None
    scan = Scan.objects.get()
    assert (done.status, scan.status, scan.observed_at) == ("failed", "failed", None)
    assert scan.code.startswith("aws_")
    assert scan.detail
    assert scan.remedy


def test_a_scan_that_fails_after_its_first_page_keeps_what_it_saw_and_deletes_nothing(
    connected: Connected, simulator: SimulatorHandle
) -> None:
    account = connected("development", enabled_regions=["eu-central-1"])
    sync(account, services=[Service.EC2])
    complete, before = Scan.objects.get().observed_at, Instance.objects.count()
    row = remembered(account)
    simulator.ec2.make(account.account_id, "eu-central-1", 600)
    simulator.add_faults(Fault(service="ec2", operation="DescribeInstances", fault=FaultKind.DENIED, after=1))
    sync(account, services=[Service.EC2])
    scan = Scan.objects.get()
    assert (scan.status, scan.observed_at, scan.rows) == ("failed", complete, before)
    assert row in Instance.objects.present()
    assert 500 <= Instance.objects.present().count() < 600


def test_one_broken_account_delays_and_fails_no_other(connected: Connected, simulator: SimulatorHandle) -> None:
    well, broken = connected("development"), connected("hub")
    simulator.add_faults(Fault(service="ec2", fault=FaultKind.EXPIRED, account=broken.account_id, times=50))
    done = sync(well, broken, services=[Service.EC2])
    assert done.status == "partial"
    assert set(Scan.objects.filter(account=well).values_list("status", flat=True)) == {"complete"}
    assert set(Scan.objects.filter(account=broken).values_list("status", flat=True)) == {"failed"}
    assert Instance.objects.filter(account=well).exists()


def test_credentials_that_no_longer_work_have_the_account_checked(connected: Connected) -> None:
    account = connected("deactivated", next_check_at=clock.now() + timedelta(hours=1))
    sync(account, services=[Service.EC2])
    assert set(Scan.objects.values_list("code", flat=True)) == {"aws_credentials_invalid"}
    account.refresh_from_db()
    assert account.next_check_at is not None
    assert account.next_check_at <= clock.now()


def test_what_is_switched_off_is_not_asked_and_says_so(connected: Connected, simulator: SimulatorHandle) -> None:
    account = connected("development", capabilities=["identity", "lambda.read", "s3.read"])
    simulator.clear_calls()
    done = sync(account, services=[Service.EC2])
    scan = Scan.objects.first()
    assert scan is not None
    assert (done.status, scan.status, scan.code) == ("succeeded", "skipped", "capability_off")
    assert "Switch it on" in scan.remedy
    assert not [call for call in simulator.calls() if call.service == "ec2"]


def test_regions_that_are_no_longer_asked_say_how_old_their_rows_are(connected: Connected) -> None:
    account = connected("development")
    sync(account, services=[Service.EC2])
    AwsAccount.objects.filter(pk=account.pk).update(regions=["us-east-1"])
    sync(account, services=[Service.EC2])
    scan = Scan.objects.get(region="eu-central-1")
    assert (scan.status, scan.code) == ("skipped", "region_not_asked")
    assert scan.observed_at is not None
    assert Instance.objects.present().filter(region="eu-central-1").exists()


def test_a_region_that_is_not_enabled_is_skipped_without_asking(connected: Connected, simulator: SimulatorHandle) -> None:
    account = connected("development", regions=["ap-east-1", "us-east-1"])
    simulator.clear_calls()
    sync(account, services=[Service.EC2])
    assert Scan.objects.get(region="ap-east-1").code == "aws_region_disabled"
    assert {call.region for call in simulator.calls() if call.service == "ec2"} == {"us-east-1"}


def test_a_later_answer_is_never_overwritten_by_an_earlier_one(connected: Connected) -> None:
    account = connected("development")
    sync(account, services=[Service.EC2])
    row = Instance.objects.get(name="ada-workstation")
    ahead = clock.now() + timedelta(minutes=5)
    Instance.objects.filter(pk=row.pk).update(state="stopping", observed_at=ahead)
    sync(account, services=[Service.EC2])
    row.refresh_from_db()
    assert (row.state, row.gone_at) == ("stopping", None)


def test_a_change_of_state_between_two_scans_is_kept_with_its_bounds(connected: Connected) -> None:
    account = connected("development")
    sync(account, services=[Service.EC2])
    row = Instance.objects.get(name="ada-workstation")
    earlier = row.observed_at - timedelta(minutes=5)
    Instance.objects.filter(pk=row.pk).update(state="stopped", observed_at=earlier)
    sync(account, services=[Service.EC2])
    change = row.transitions.order_by("pk").last()
    assert change is not None
    assert (change.from_state, change.to_state, change.not_before) == ("stopped", "running", earlier)
    assert change.not_after > earlier


def test_a_second_scan_of_the_same_adds_nothing(connected: Connected) -> None:
    account = connected("development")
    sync(account)
    rows = (Instance.objects.count(), Bucket.objects.count(), Function.objects.count(), StateTransition.objects.count())
    first_seen = Instance.objects.get(name="ada-workstation").first_seen_at
    sync(account)
    assert rows == (Instance.objects.count(), Bucket.objects.count(), Function.objects.count(), StateTransition.objects.count())
    assert Instance.objects.get(name="ada-workstation").first_seen_at == first_seen


def test_what_comes_back_is_there_again(connected: Connected) -> None:
    account = connected("development")
    sync(account, services=[Service.EC2])
    Instance.objects.filter(name="ada-workstation").update(gone_at=clock.now())
    sync(account, services=[Service.EC2])
    assert Instance.objects.get(name="ada-workstation").gone_at is None


def test_a_worker_that_died_is_followed_by_one_that_asks_only_what_is_left(
    connected: Connected, simulator: SimulatorHandle
) -> None:
    account = connected("development")
    made = syncs.request(accounts=[account], services=[Service.EC2], trigger=SyncTrigger.SCHEDULE, by=None)
    runs.run(sync_id=made.pk)
    Scan.objects.filter(region="us-east-1").delete()  # as if it had died before this one
    InventorySync.objects.filter(pk=made.pk).update(status="running", lease_until=clock.now() - timedelta(seconds=1), done=1)
    simulator.clear_calls()
    runs.run(sync_id=made.pk)
    made.refresh_from_db()
    assert (made.status, made.done, made.attempts) == ("succeeded", 2, 2)
    assert {call.region for call in simulator.calls() if call.service == "ec2"} == {"us-east-1"}


def test_a_run_that_somebody_holds_is_left_alone(connected: Connected) -> None:
    account = connected("development")
    made = syncs.request(accounts=[account], services=[Service.EC2], trigger=SyncTrigger.SCHEDULE, by=None)
    InventorySync.objects.filter(pk=made.pk).update(status="running", lease_until=clock.now() + timedelta(seconds=30))
    runs.run(sync_id=made.pk)
    assert not Scan.objects.exists()


def test_a_tick_asks_each_account_once_in_its_interval(connected: Connected) -> None:
    connected("development")
    with time_machine.travel(datetime(2026, 11, 22, 10, tzinfo=UTC), tick=False) as traveller:
        ticks.tick()
        ticks.tick()
        # What runs, and what is billed beside it, which has a longer interval.
        assert InventorySync.objects.count() == 2
        traveller.shift(timedelta(seconds=301))
        ticks.tick()
    assert InventorySync.objects.count() == 3
    assert InventorySource.objects.count() == 1


def test_an_account_that_does_not_work_is_not_asked_by_itself(connected: Connected) -> None:
    connected("development", status="error")
    ticks.tick()
    assert not InventorySync.objects.exists()


def test_old_runs_are_forgotten_and_their_scans_stay(connected: Connected) -> None:
    account = connected("development")
    done = sync(account, services=[Service.EC2])
    InventorySync.objects.filter(pk=done.pk).update(created_at=clock.now() - timedelta(days=3))
    ticks.tick()
    assert not InventorySync.objects.filter(pk=done.pk).exists()
    assert Scan.objects.filter(status="complete").count() == 2


def test_prices_are_asked_once_a_month(connected: Connected, simulator: SimulatorHandle) -> None:
    sync(connected("development"), services=[Service.EC2])
    assert prices.fetch() > 0
    assert InstancePrice.objects.exclude(amount=None).exists()
    simulator.clear_calls()
    assert prices.fetch() == 0
    assert not [call for call in simulator.calls() if call.service == "pricing"]


def test_accounts_whose_regions_nobody_knows_are_asked_at_once(connected: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(3, timeout=60)

    def enabled(access: Access) -> tuple[str, ...]:
        together.wait()
        return ("eu-central-1",)

    monkeypatch.setattr(enabled_regions, "enabled", enabled)
    sync(*(connected(name, enabled_regions=[]) for name in ("development", "hub", "sandbox")), services=[Service.EC2])
    assert [scan.region for scan in Scan.objects.all()] == ["eu-central-1"] * 3


def test_regions_that_are_told_too_late_for_a_reader_are_left_to_a_worker(
    connected: Connected, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, late = connected("development", enabled_regions=[]), Event()

    def enabled(access: Access) -> tuple[str, ...]:
        late.wait(10)
        return ("eu-central-1",)

    monkeypatch.setattr(enabled_regions, "enabled", enabled)
    started = time.monotonic()
    begun = syncs.at_once(accounts=[account], services=[Service.EC2], by=operator, within_s=0.2)
    assert (begun.status, Scan.objects.count()) == ("queued", 0)
    assert time.monotonic() - started < 5
    late.set()
    runs.run(sync_id=begun.pk)
    assert [(scan.region, scan.status) for scan in Scan.objects.all()] == [("eu-central-1", "complete")]
