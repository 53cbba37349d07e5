"""Doing the work of a sync: every place is asked at once, and what each tells is stored as it comes.

A worker may die anywhere: what it stored stays, and whoever comes next asks the places that had not answered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import structlog
from django.db import transaction

from accounts.models import AwsAccount
from accounts.services import health
from cloudconsole import realtime
from cloudconsole.aws.errors import AwsError, AwsErrorKind, DeadlineExceeded
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from resources.models import WHAT_IS_BILLED, InventorySync, ScanStatus, Service, SyncStatus
from resources.services.inventory import billed, buckets, cells, functions, instances, leases, prices, reading, scans
from resources.services.inventory.cells import Cell, Plan
from resources.services.inventory.instances import Asked
from resources.services.inventory.leases import Lease, LeaseLost
from resources.services.inventory.reading import (
    ActivityPage,
    AddressPage,
    BalancerPage,
    BucketPage,
    Ended,
    FunctionPage,
    InstancePage,
    LogGroupPage,
    LookPage,
    MemoryPage,
    News,
    SnapshotPage,
    Told,
    UsagePage,
    VolumePage,
)
from resources.services.inventory.scans import Finding, Spot

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3
_TELL_EVERY_S = 1.0
_LOST_TRUST = {AwsErrorKind.CREDENTIALS_INVALID, AwsErrorKind.CREDENTIALS_EXPIRED}


def run(*, sync_id: int, deadline_s: float = reading.DEADLINE_S) -> None:
    """Ask what the run has not asked yet. Safe to call at any time.

    What has not answered after `deadline_s` seconds has failed; asked for again, a run goes on with what is left.
    """
    lease = leases.claim(sync_id)
    if lease is None:
        return
    try:
        _Run(InventorySync.objects.get(pk=sync_id), lease).go(deadline_s)
    except LeaseLost:
        log.info("lease_lost", sync=sync_id)


def begin(*, sync_id: int, within_s: float) -> None:
    """Ask for at most `within_s` seconds; a run in which not everything has answered by then waits for a worker."""
    lease = leases.claim(sync_id)
    if lease is None:
        return
    try:
        _Beginning(InventorySync.objects.get(pk=sync_id), lease).go(within_s)
    except LeaseLost:
        log.info("lease_lost", sync=sync_id)


class _Run:
    """One worker's turn at a sync."""

    def __init__(self, sync: InventorySync, lease: Lease) -> None:
        self.sync = sync
        self.lease = lease
        self.done, self.failed, self.rows = sync.done, sync.failed, sync.rows
        self.told_at = 0.0
        self.counted: dict[Spot, int] = {}
        self.mistrusted: dict[int, AwsAccount] = {}

    def go(self, deadline_s: float) -> None:
        if self.sync.started_at is None:
            self.lease.renew(started_at=clock.now())
        if self.sync.attempts > MAX_ATTEMPTS:
            self._finish(SyncStatus.FAILED)
            return
        started = time.monotonic()
        plan = cells.plan(self.sync, within_s=deadline_s)
        self.lease.renew(total=self.done + len(plan.cells) + len(plan.known))
        self._publish()
        self._note_known(plan)
        left_s = deadline_s - (time.monotonic() - started)
        with reading.asking(plan.cells, deadline_s=left_s) as news:
            self._take(news)
        self._finish(self._outcome())

    def _note_known(self, plan: Plan) -> None:
        for spot, finding in plan.known:
            self._fell_short(spot, finding)

    def _take(self, news: Iterable[News | None]) -> None:
        for found in news:
            if isinstance(found, Told):
                self._store(found)
            elif isinstance(found, Ended):
                self._end(found)
            self._tell()

    def _store(self, told: Told) -> None:
        account, region = told.cell.spot.account, told.cell.spot.region
        match told.content:
            case InstancePage(facts):
                instances.observe(account=account, region=region, facts=facts, asked=told.asked)
                self._count(told.cell, len(facts))
            case FunctionPage(functions_facts):
                functions.observe(account=account, region=region, facts=functions_facts, asked=told.asked)
                self._count(told.cell, len(functions_facts))
            case BucketPage(bucket_facts):
                buckets.observe(account=account, facts=bucket_facts, asked=told.asked)
                self._count(told.cell, len(bucket_facts))
            case LookPage(looks):
                buckets.look(account=account, looks=looks, asked=told.asked)
            case ActivityPage(activity):
                functions.measure(account=account, region=region, activity=activity, asked=told.asked)
            case MemoryPage(memory):
                functions.size(account=account, region=region, memory=memory, asked=told.asked)
            case _:
                self._store_billed(told)

    def _store_billed(self, told: Told) -> None:
        account, region, asked = told.cell.spot.account, told.cell.spot.region, told.asked
        match told.content:
            case VolumePage(volumes):
                billed.observe_volumes(account=account, region=region, facts=volumes, asked=asked)
                self._count(told.cell, len(volumes))
            case SnapshotPage(snapshots, images):
                billed.observe_snapshots(account=account, region=region, facts=snapshots, images=images, asked=asked)
                self._count(told.cell, len(snapshots))
            case AddressPage(addresses):
                billed.observe_addresses(account=account, region=region, facts=addresses, asked=asked)
                self._count(told.cell, len(addresses))
            case BalancerPage(balancers):
                billed.observe_balancers(account=account, region=region, facts=balancers, asked=asked)
                self._count(told.cell, len(balancers))
            case LogGroupPage(log_groups):
                billed.observe_log_groups(account=account, region=region, facts=log_groups, asked=asked)
                self._count(told.cell, len(log_groups))
            case UsagePage(usage):
                billed.measure(account=account, region=region, usage=usage, asked=asked)

    def _count(self, cell: Cell, rows: int) -> None:
        self.counted[cell.spot] = self.counted.get(cell.spot, 0) + rows
        self.rows += rows

    def _end(self, ended: Ended) -> None:
        spot = ended.cell.spot
        if ended.error is not None:
            self._distrust(spot.account, ended.error)
            self._fell_short(spot, Finding.of(ended.error))
            return
        with transaction.atomic():
            _mark_gone(spot, ended.asked)
            rows = self.counted.pop(spot, 0)
            scans.completed(spot=spot, sync=self.sync, observed_at=ended.asked.asked_at, rows=rows)
        self.done += 1

    def _fell_short(self, spot: Spot, finding: Finding) -> None:
        scans.fell_short(spot=spot, sync=self.sync, finding=finding)
        self.counted.pop(spot, None)
        self.done += 1
        self.failed += finding.status == ScanStatus.FAILED

    def _distrust(self, account: AwsAccount, error: CloudconsoleError) -> None:
        if isinstance(error, AwsError) and error.cause in _LOST_TRUST:
            self.mistrusted[account.pk] = account

    def _tell(self) -> None:
        """Hold on to the run and show how far it is, once a second."""
        if time.monotonic() - self.told_at >= _TELL_EVERY_S:
            self.told_at = time.monotonic()
            self.lease.renew(done=self.done, failed=self.failed, rows=self.rows)
            self._publish()

    def _outcome(self) -> SyncStatus:
        if not self.failed:
            return SyncStatus.SUCCEEDED
        return SyncStatus.PARTIAL if self.failed < self.done else SyncStatus.FAILED

    def _finish(self, status: SyncStatus) -> None:
        with transaction.atomic():
            figures = {"done": self.done, "failed": self.failed, "rows": self.rows, "total": self.done}
            self.lease.give_back(status=status, finished_at=clock.now(), **figures)
            if {Service.EC2, *WHAT_IS_BILLED} & set(self.sync.services):
                jobs.enqueue(prices.FETCH)
            for account in self.mistrusted.values():
                health.soon(account=account)
            self._publish()

    def _publish(self) -> None:
        for account in self.sync.accounts.all():
            realtime.publish("sync", self.sync.pk, account.pk)


class _Beginning(_Run):
    """A turn that leaves to others what takes too long."""

    def __init__(self, sync: InventorySync, lease: Lease) -> None:
        super().__init__(sync, lease)
        self.left = 0

    def _fell_short(self, spot: Spot, finding: Finding) -> None:
        if finding.code == DeadlineExceeded.code:
            self.left += 1
        else:
            super()._fell_short(spot, finding)

    def _finish(self, status: SyncStatus) -> None:
        if not self.left:
            super()._finish(status)
            return
        self.lease.give_back(status=SyncStatus.QUEUED, done=self.done, failed=self.failed, rows=self.rows)
        self._publish()


def _mark_gone(spot: Spot, asked: Asked) -> None:
    match spot.service:
        case Service.EC2:
            instances.mark_gone(account=spot.account, region=spot.region, asked=asked)
        case Service.LAMBDA:
            functions.mark_gone(account=spot.account, region=spot.region, asked=asked)
        case Service.S3:
            buckets.mark_gone(account=spot.account, asked=asked)
        case _:
            billed.mark_gone(account=spot.account, region=spot.region, service=spot.service, asked=asked)
