"""Asking AWS what is billed whether anybody uses it or not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import (
    WHAT_IS_BILLED,
    Address,
    Instance,
    InventorySource,
    InventorySync,
    ListPrice,
    LoadBalancer,
    LogGroup,
    Scan,
    Service,
    Snapshot,
    SyncTrigger,
    Volume,
)
from resources.services.inventory import prices, runs, syncs, ticks
from resources.tests.conftest import Connected


def sync(*accounts: object, services: tuple[Service, ...] = WHAT_IS_BILLED) -> InventorySync:
    made = syncs.request(accounts=accounts, services=services, trigger=SyncTrigger.SCHEDULE, by=None)  # type: ignore[arg-type]
    runs.run(sync_id=made.pk)
    made.refresh_from_db()
    return made


def test_what_is_billed_is_stored_with_its_prices_and_how_busy_instances_are(connected: Connected) -> None:
    account = connected("development", enabled_regions=["eu-central-1"])
    assert (sync(account).status, Scan.objects.filter(status="complete").count()) == ("succeeded", 5)
    lost = Volume.objects.get(name="build-cache")
    assert (lost.attached_to, lost.size_gib, lost.volume_type, lost.state) == ("", 400, "gp2", "available")
    assert Volume.objects.filter(attached_to__startswith="i-").exists()
    assert Snapshot.objects.get(name="workstation image").image_id.startswith("ami-")
    assert Snapshot.objects.get(name="build-cache nightly").image_id == ""
    assert set(Address.objects.values_list("name", "associated_with")) == {("demo", ""), ("demo-2", "")}
    balancers = {row.name: (row.kind, row.targets, row.healthy) for row in LoadBalancer.objects.all()}
    assert balancers == {"demo": ("application", 0, 0), "workshop": ("classic", 1, 1)}
    groups = dict(LogGroup.objects.values_list("name", "retention_days"))
    assert groups == {"/aws/codebuild/build": None, "/aws/lambda/greet": 30}
    busy, stopped = Instance.objects.get(name="build-1"), Instance.objects.get(name="ben-workstation")
    assert busy.usage_hours == 14 * 24
    assert busy.cpu_max is not None
    assert busy.cpu_mean is not None
    assert busy.cpu_max > busy.cpu_mean > 5
    assert (stopped.usage_hours, stopped.cpu_mean, stopped.usage_at) == (None, None, None)
    prices.fetch()
    listed = {(row.product, row.amount, row.currency) for row in ListPrice.objects.filter(region="eu-central-1")}
    assert {("ebs.gp2", Decimal("0.115"), "USD"), ("ebs.gp3.throughput", Decimal("0.046"), "USD")} <= listed
    assert ("address.idle", Decimal("0.00575"), "USD") in listed
    assert ("balancer.application", Decimal("0.025875"), "USD") in listed
    assert not ListPrice.objects.filter(amount=None).exists()


def test_a_place_that_fails_half_way_loses_nothing(connected: Connected, simulator: SimulatorHandle) -> None:
    account = connected("development", enabled_regions=["eu-central-1"])
    earlier = clock.now() - timedelta(days=1)
    seen = {"account": account, "region": "eu-central-1", "observed_at": earlier, "first_seen_at": earlier}
    remembered = Volume.objects.create(volume_id="vol-0aaa", state="available", size_gib=1, **seen)
    gone = Address.objects.create(allocation_id="eipalloc-0aaa", public_ip="192.0.2.1", **seen)
    simulator.add_faults(Fault(fault=FaultKind.DENIED, service="ec2", operation="DescribeSnapshots", times=50))
    assert sync(account, services=(Service.EBS, Service.ADDRESSES)).status == "partial"
    scan = Scan.objects.get(service=Service.EBS)
    assert (scan.status, scan.observed_at, "IAM policy" in scan.remedy) == ("failed", None, True)
    remembered.refresh_from_db()
    gone.refresh_from_db()
    assert remembered.gone_at is None  # half of the place was told: nothing is gone
    assert gone.gone_at is not None
    assert Volume.objects.filter(name="build-cache").exists()


@pytest.mark.django_db
def test_an_account_whose_capability_is_off_is_skipped_with_the_reason(connected: Connected) -> None:
    account = connected("development", capabilities=["ec2.read"], enabled_regions=["eu-central-1"])
    sync(account)
    assert set(Scan.objects.values_list("status", "code")) == {("skipped", "capability_off")}


def test_what_is_billed_is_asked_some_times_a_day_beside_what_runs(connected: Connected) -> None:
    connected("development")
    ticks.tick()
    ticks.tick()
    assert [set(made.services) for made in InventorySync.objects.order_by("pk")] == [
        {"ec2", "s3", "lambda"},
        {service.value for service in WHAT_IS_BILLED},
    ]
    InventorySource.objects.update(next_sync_at=None)
    ticks.tick()
    assert InventorySync.objects.count() == 3
