"""Doing the work of a snapshot: window after window, each stored before the next is asked.

A worker may die anywhere. What it stored stays, what it held is free when its lease ends, and whoever comes next goes on.
No AWS call happens inside a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F, Sum

import audit.services
from accounts.services import credentials, health
from audit.models import Outcome
from cloudconsole import realtime
from cloudconsole.aws import cost_explorer
from cloudconsole.aws.cost_explorer import CostAnswer, CostQuery, TooManyPages
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import (
    REFUSED,
    BillingScope,
    CostSnapshot,
    CostSource,
    SnapshotStatus,
    SnapshotTrigger,
    SnapshotWindow,
    SourceStatus,
    WindowStatus,
)
from costs.rules import cubes, failures, schedule
from costs.rules.cubes import DERIVED, SHAPES, Cube
from costs.rules.failures import Health, Reaction
from costs.rules.windows import DayRange, halves
from costs.services import facts, leases, ledger, sources
from costs.services.leases import Lease, LeaseLost
from costs.services.ledger import LedgerMeter, RequestCapReached

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a window or a run failed, for a person."""

    code: str
    detail: str
    remedy: str
    health: Health


class EmptyAnswer(CloudconsoleError):
    """AWS told of no day at all, which is not the same as no cost."""

    kind = Kind.UPSTREAM
    code = "aws_empty_answer"
    title = "AWS told nothing"


def run(*, snapshot_id: int) -> None:
    """Work on the snapshot until it is over, has to rest, or belongs to somebody else. Safe to call at any time."""
    lease = leases.claim(snapshot_id)
    if lease is None:
        return
    try:
        _begin(lease)
    except LeaseLost:
        log.info("lease_lost", snapshot=snapshot_id)


def _begin(lease: Lease) -> None:
    snapshot = CostSnapshot.objects.select_related("source__account").get(pk=lease.snapshot_id)
    if snapshot.started_at is None:
        CostSnapshot.objects.filter(pk=snapshot.pk, started_at=None).update(started_at=clock.now())
    work = _Run(snapshot, lease)
    if snapshot.attempts > failures.MAX_ATTEMPTS:
        work.finish(Trouble("worker_lost", "Workers ended several times while fetching.", "See the worker's log.", Health.STALE))
        return
    _publish(snapshot)
    try:
        access = credentials.access_for(snapshot.source.account, None)
    except CloudconsoleError as error:
        remedy = getattr(error, "remedy", "") or "Replace the account's credentials."
        # A part of this installation that is away for now says nothing about the account's rights.
        health = Health.STALE if error.kind is Kind.UNAVAILABLE else Health.DENIED
        work.finish(Trouble(error.code, error.detail, remedy, health))
        return
    work.go(access)


def _publish(snapshot: CostSnapshot) -> None:
    """Tell who watches, once what happened is committed."""
    realtime.publish("snapshot", snapshot.pk, snapshot.source.account_id)


class _Run:
    """One worker's turn at a snapshot."""

    def __init__(self, snapshot: CostSnapshot, lease: Lease) -> None:
        self.snapshot = snapshot
        self.source: CostSource = snapshot.source
        self.lease = lease
        self.meter = LedgerMeter(self.source, lease)

    def go(self, access: Access) -> None:
        if self.source.scope != BillingScope.PAYER:  # a single account may have become one since; asking is free
            sources.learn_scope(source=self.source, access=access)
            sources.settle_coverage()
        if self._is_covered():
            self._leave_to_payer()
            return
        if self.source.is_single:
            self.snapshot.windows.filter(status=WindowStatus.WAITING, cube__in=DERIVED).delete()
        while (window := self._next_window()) is not None:
            self.lease.renew()
            if not self._fetch(access, window):
                return
        self.finish(None)

    def _next_window(self) -> SnapshotWindow | None:
        return self.snapshot.windows.filter(status=WindowStatus.WAITING).first()

    def _is_covered(self) -> bool:
        self.source.refresh_from_db(fields=["covered_by", "scope", "payer_number"])
        payer = self.source.covered_by
        return payer is not None and payer.status not in REFUSED

    def _fetch(self, access: Access, window: SnapshotWindow) -> bool:
        """Ask for one window and store it; False when the run is over or rests."""
        cube = Cube(window.cube)
        if cube is not Cube.TOTAL and not facts.is_controlled(source=self.source, days=DayRange(window.start, window.end)):
            self._fail_window(window, facts.NoControlTotal("The control total of these days could not be fetched."))
            return True
        dimensions = tuple(cost_explorer.Dimension(dimension) for dimension in SHAPES[cube])
        asked_at = clock.now()
        try:
            answer = cost_explorer.get_cost_and_usage(access, CostQuery(window.start, window.end, dimensions), meter=self.meter)
            self._store(window, cube, answer, asked_at)
        except TooManyPages as error:
            self._split(window, error)
        except AwsError as error:
            return self._react(window, error)
        except RequestCapReached as error:
            self.finish(Trouble(error.code, error.detail, error.remedy, Health.STALE))
            return False
        except (facts.UnstorableAmount, facts.NoControlTotal, EmptyAnswer) as error:
            self._fail_window(window, error)
        return True

    def _store(self, window: SnapshotWindow, cube: Cube, answer: CostAnswer, fetched_at: datetime) -> None:
        if not answer.days:
            raise EmptyAnswer(f"Cost Explorer told of no day from {window.start} to {window.end}.")
        told = {cube: answer, **self._derived(cube, answer)}
        ids = {one: facts.prepare(cube=one, answer=part) for one, part in told.items()}
        with transaction.atomic():
            self.lease.renew()
            stored = [
                facts.replace(
                    source=self.source, cube=one, answer=part, ids=ids[one], fetched_at=fetched_at, snapshot=self.snapshot
                )
                for one, part in told.items()
            ]
            rows, restated = sum(one.rows for one in stored), sum(one.restated for one in stored)
            self._close_window(
                window, status=WindowStatus.STORED, pages=answer.pages, rows=rows, payload_hash=answer.payload_hash
            )
            CostSnapshot.objects.filter(pk=self.snapshot.pk).update(
                rows=F("rows") + rows, restated=F("restated") + restated, attempts=0
            )
            _publish(self.snapshot)

    def _derived(self, cube: Cube, answer: CostAnswer) -> dict[Cube, CostAnswer]:
        """In a single account's bill the costs by account follow from what is asked anyway, so nothing is paid for them."""
        if cube is not Cube.SERVICE_RECORD_TYPE or not self.source.is_single:
            return {}
        number, shape = self.source.account.account_id, SHAPES[cube]
        return {one: answer.of_account(number, shape.index(dimension)) for one, dimension in DERIVED.items()}

    def _split(self, window: SnapshotWindow, error: TooManyPages) -> None:
        parts = halves(DayRange(window.start, window.end))
        if parts is None:
            self._fail_window(window, error)
            return
        with transaction.atomic():
            self.lease.renew()
            self._close_window(window, status=WindowStatus.SPLIT)
            SnapshotWindow.objects.bulk_create(
                SnapshotWindow(snapshot=self.snapshot, position=window.position, cube=window.cube, start=part.start, end=part.end)
                for part in parts
            )
            _publish(self.snapshot)

    def _react(self, window: SnapshotWindow, error: AwsError) -> bool:
        verdict = failures.VERDICTS[error.cause]
        trouble = Trouble(error.code, error.detail, error.remedy, verdict.health)
        attempt = CostSnapshot.objects.values_list("attempts", flat=True).get(pk=self.snapshot.pk) + 1
        exhausted = attempt >= failures.MAX_ATTEMPTS
        if verdict.reaction is Reaction.END or (verdict.reaction is Reaction.WAIT and exhausted):
            self.finish(trouble)
            return False
        if verdict.reaction is Reaction.SKIP or exhausted:
            self._fail_window(window, error)
            return True
        self._rest(trouble, attempt)
        return False

    def _rest(self, trouble: Trouble, attempt: int) -> None:
        """Let the run go until later; the tick rings for it then."""
        with transaction.atomic():
            self.lease.give_back(
                status=SnapshotStatus.QUEUED,
                attempts=attempt,
                not_before=clock.now() + failures.pause(attempt),
                error_code=trouble.code,
                error_detail=trouble.detail,
                error_remedy=trouble.remedy,
            )
            _publish(self.snapshot)

    def _fail_window(self, window: SnapshotWindow, error: CloudconsoleError) -> None:
        with transaction.atomic():
            self.lease.renew()
            self._close_window(window, status=WindowStatus.FAILED, error_code=error.code, error_detail=error.detail)
            CostSnapshot.objects.filter(pk=self.snapshot.pk).update(attempts=0)
            _publish(self.snapshot)

    def _close_window(self, window: SnapshotWindow, **changes: object) -> None:
        SnapshotWindow.objects.filter(pk=window.pk).update(finished_at=clock.now(), **changes)

    def _leave_to_payer(self) -> None:
        """End the run. One that nobody asked for, and in which nothing was asked, is not kept: it would read as a failure."""
        with transaction.atomic():
            self.lease.renew()
            _publish(self.snapshot)
            if self.snapshot.trigger != SnapshotTrigger.MANUAL and not self.snapshot.ledger.exists():
                self.snapshot.delete()
                return
            self.lease.give_back(
                status=SnapshotStatus.CANCELLED,
                finished_at=clock.now(),
                error_code="covered_by_payer",
                # Not by its name: who may see this run may not see the payer.
                error_detail="The costs of this account are read from its payer's bill.",
            )

    def finish(self, trouble: Trouble | None) -> None:
        """Close the run, tell the source's state, and record it."""
        with transaction.atomic():
            self.lease.renew()
            self._fail_rest(trouble)
            status, trouble = self._outcome(trouble)
            self.lease.give_back(
                status=status,
                finished_at=clock.now(),
                not_before=None,
                error_code=trouble.code if trouble else "",
                error_detail=trouble.detail if trouble else "",
                error_remedy=trouble.remedy if trouble else "",
            )
            self._update_source(status, trouble)
            if trouble and trouble.health is Health.DENIED:
                health.soon(account=self.source.account)
            sources.settle_coverage()
            _publish(self.snapshot)
            self._record(status, trouble)

    def _fail_rest(self, trouble: Trouble | None) -> None:
        if trouble:
            self.snapshot.windows.filter(status=WindowStatus.WAITING).update(
                status=WindowStatus.FAILED, error_code=trouble.code, error_detail=trouble.detail, finished_at=clock.now()
            )

    def _outcome(self, trouble: Trouble | None) -> tuple[SnapshotStatus, Trouble | None]:
        failed = self.snapshot.windows.filter(status=WindowStatus.FAILED).first()
        if failed is None:
            return SnapshotStatus.SUCCEEDED, None
        trouble = trouble or Trouble(failed.error_code, failed.error_detail, "The next refresh asks again.", Health.PARTIAL)
        stored = self.snapshot.windows.filter(status=WindowStatus.STORED).exists()
        return (SnapshotStatus.PARTIAL if stored else SnapshotStatus.FAILED), trouble

    def _update_source(self, status: SnapshotStatus, trouble: Trouble | None) -> None:
        now = clock.now()
        changes: dict[str, object] = {
            "status": self._source_status(trouble),
            "status_code": trouble.code if trouble else "",
            "status_detail": trouble.detail if trouble else "",
            "status_remedy": trouble.remedy if trouble else "",
            "next_refresh_at": self._next_refresh(now),
        }
        if status == SnapshotStatus.SUCCEEDED:
            changes["fresh_at"] = now
            changes["backfilled_from"] = min(filter(None, (self.source.backfilled_from, self.snapshot.start)))
        CostSource.objects.filter(pk=self.source.pk).update(**changes)
        sources.infer_scope(self.source)

    def _next_refresh(self, now: datetime) -> datetime:
        requests = CostSnapshot.objects.values_list("requests", flat=True).get(pk=self.snapshot.pk)
        asked = len(cubes.refreshed(single=self.source.is_single))
        # The first fetch says nothing of what a refresh costs; two pages for each cube are what most need.
        usual = 2 * asked if self.source.backfilled_from is None else max(requests, asked)
        left = ledger.budget_of(self.source).left
        every = schedule.usual_interval(self._pages()) if self.source.is_single else schedule.EVERY
        return schedule.next_refresh(self.source.pk, now, requests_left=left, requests_each=usual, every=every)

    def _pages(self) -> int:
        """Of a refresh without usage types: what it asks more than once a day. The first fetch has longer answers than that."""
        asked = len(cubes.refreshed(single=self.source.is_single))
        if self.source.backfilled_from is None:
            return asked
        windows = self.snapshot.windows.exclude(cube=Cube.SERVICE_USAGE_TYPE).filter(status=WindowStatus.STORED)
        return max(asked, windows.aggregate(pages=Sum("pages"))["pages"] or 0)

    def _source_status(self, trouble: Trouble | None) -> SourceStatus:
        if trouble is None:
            return SourceStatus.OK
        if trouble.health in {Health.STALE, Health.PARTIAL} and not facts.any_stored(source=self.source):
            return SourceStatus.PENDING
        return SourceStatus(trouble.health)

    def _record(self, status: SnapshotStatus, trouble: Trouble | None) -> None:
        snapshot = CostSnapshot.objects.only("requests", "rows", "restated").get(pk=self.snapshot.pk)
        audit.services.record(
            verbs.SNAPSHOT_FINISHED,
            actor=None,
            subject=str(snapshot.pk),
            account=self.source.account,
            outcome=Outcome.SUCCESS if trouble is None else Outcome.FAILURE,
            detail={
                "status": status.value,
                "code": trouble.code if trouble else "",
                "requests": snapshot.requests,
                "rows": snapshot.rows,
                "restated": snapshot.restated,
            },
        )
