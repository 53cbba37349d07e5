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
from cloudconsole.aws.errors import AwsError, AwsErrorKind
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
from costs.rules import cubes, failures, schedule, tag_requests, tags
from costs.rules.cubes import DERIVED, Cube, Dimension
from costs.rules.failures import Health, Reaction
from costs.rules.windows import DayRange, halves
from costs.services import anomalies, budget_evaluations, facts, leases, ledger, sources, tag_windows
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


def _group_by(dimension: Dimension) -> cost_explorer.Dimension | cost_explorer.Tag:
    key = dimension.tag_key
    return cost_explorer.Dimension(dimension.value) if key is None else cost_explorer.Tag(key)


def _named(cube: Cube, answer: CostAnswer) -> CostAnswer:
    """With a tag's values as they are stored, in the place of AWS's `key$value`."""
    key = cube.shape[0].tag_key if cube.shape else None
    return answer if key is None else answer.keyed(lambda keys: (tags.value_of(key, keys[0]), *keys[1:]))


def _of_account(answer: CostAnswer, number: str, at: int) -> CostAnswer:
    """By account and by the key at position `at`, where all costs are those of the account `number`."""
    return answer.keyed(lambda keys: (number, keys[at]))


class _Run:
    """One worker's turn at a snapshot."""

    def __init__(self, snapshot: CostSnapshot, lease: Lease) -> None:
        self.snapshot = snapshot
        self.source: CostSource = snapshot.source
        self.lease = lease
        self.meter = LedgerMeter(self.source, cost_explorer.OPERATION, lease)

    def go(self, access: Access) -> None:
        if self.source.scope != BillingScope.PAYER:  # a single account may have become one since; asking is free
            sources.learn_scope(source=self.source, access=access)
            sources.settle_coverage()
        if self._is_covered():
            self._leave_to_payer()
            return
        if self.source.is_single:
            derived = [*DERIVED, *tag_windows.following(source=self.source)]
            self.snapshot.windows.filter(status=WindowStatus.WAITING, cube__in=derived).delete()
        while (window := self._next_window()) is not None:
            self.lease.renew()
            if not self._fetch(access, window):
                return
        self.finish(None)

    def _next_window(self) -> SnapshotWindow | None:
        return self.snapshot.windows.select_related("tag").filter(status=WindowStatus.WAITING).first()

    def _is_covered(self) -> bool:
        self.source.refresh_from_db(fields=["covered_by", "scope", "payer_number"])
        payer = self.source.covered_by
        return payer is not None and payer.status not in REFUSED

    def _fetch(self, access: Access, window: SnapshotWindow) -> bool:
        """Ask for one window and store it; False when the run is over or rests."""
        cube = window.asked
        if cube != Cube.TOTAL and not facts.is_controlled(source=self.source, days=DayRange(window.start, window.end)):
            self._fail_window(window, facts.NoControlTotal("The control total of these days could not be fetched."))
            return True
        query = CostQuery(window.start, window.end, tuple(_group_by(dimension) for dimension in cube.shape))
        asked_at = clock.now()
        try:
            answer = _named(cube, cost_explorer.get_cost_and_usage(access, query, meter=self.meter))
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
        told = {cube: answer, **self._derived(window, cube, answer)}
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

    def _derived(self, window: SnapshotWindow, cube: Cube, answer: CostAnswer) -> dict[Cube, CostAnswer]:
        """In a single account's bill the costs by account follow from what is asked anyway, so nothing is paid for them."""
        if not self.source.is_single:
            return {}
        number = self.source.account.account_id
        if window.tag is not None:
            return {window.tag.cubes.by_account: answer.keyed(lambda keys: (keys[0], number))}
        if cube != Cube.SERVICE_RECORD_TYPE:
            return {}
        return {one: _of_account(answer, number, cube.shape.index(dimension)) for one, dimension in DERIVED.items()}

    def _split(self, window: SnapshotWindow, error: TooManyPages) -> None:
        parts = halves(DayRange(window.start, window.end))
        if parts is None:
            self._fail_window(window, error)
            return
        with transaction.atomic():
            self.lease.renew()
            self._close_window(window, status=WindowStatus.SPLIT)
            SnapshotWindow.objects.bulk_create(
                SnapshotWindow(
                    snapshot=self.snapshot,
                    position=window.position,
                    cube=window.cube,
                    tag=window.tag,
                    start=part.start,
                    end=part.end,
                )
                for part in parts
            )
            _publish(self.snapshot)

    def _react(self, window: SnapshotWindow, error: AwsError) -> bool:
        verdict = failures.VERDICTS[error.cause]
        trouble = Trouble(error.code, error.detail, error.remedy, verdict.health)
        attempt = CostSnapshot.objects.values_list("attempts", flat=True).get(pk=self.snapshot.pk) + 1
        exhausted = attempt >= failures.MAX_ATTEMPTS
        # Who may not see tags may still see costs: only this question ends.
        is_tag_denied = window.tag is not None and error.cause in (AwsErrorKind.ACCESS_DENIED, AwsErrorKind.NOT_ENABLED)
        if (verdict.reaction is Reaction.END and not is_tag_denied) or (verdict.reaction is Reaction.WAIT and exhausted):
            self.finish(trouble)
            return False
        if verdict.reaction is Reaction.SKIP or exhausted or is_tag_denied:
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
        """Close the run, tell the source's state, and record it.

        Runs that end at once lock all sources in one order before any of them is written, so that none waits in a circle.
        """
        with transaction.atomic():
            self.lease.renew()
            sources.lock_all()
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
            anomalies.ring(source_id=self.source.pk)
            _publish(self.snapshot)
            budget_evaluations.look_again()
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
        }
        if self._refreshes:
            changes["next_refresh_at"] = self._next_refresh(now)
        if self._refreshes and status == SnapshotStatus.SUCCEEDED:
            changes["fresh_at"] = now
            changes["backfilled_from"] = min(filter(None, (self.source.backfilled_from, self.snapshot.start)))
        CostSource.objects.filter(pk=self.source.pk).update(**changes)
        sources.infer_scope(self.source)

    @property
    def _refreshes(self) -> bool:
        """Whether the run brings the source up to date; one that fetches the history of tags does not."""
        return self.snapshot.trigger != SnapshotTrigger.TAGS

    def _next_refresh(self, now: datetime) -> datetime:
        requests = CostSnapshot.objects.values_list("requests", flat=True).get(pk=self.snapshot.pk)
        asked = len(cubes.refreshed(single=self.source.is_single))
        # The first fetch says nothing of what a refresh costs; two pages for each cube are what most need.
        usual = 2 * asked if self.source.backfilled_from is None else max(requests, asked)
        left = ledger.budget_of(self.source).left
        every = schedule.usual_interval(self._pages(), tags=self._tags()) if self.source.is_single else schedule.EVERY
        return schedule.next_refresh(self.source.pk, now, requests_left=left, requests_each=usual, every=every)

    def _pages(self) -> int:
        """Of a refresh without usage types and tags: what it asks more than once a day. The first fetch has longer answers."""
        asked = len(cubes.refreshed(single=self.source.is_single))
        if self.source.backfilled_from is None:
            return asked
        refreshed = cubes.refreshed(single=self.source.is_single)
        windows = self.snapshot.windows.filter(cube__in=refreshed, status=WindowStatus.STORED)
        return max(asked, windows.aggregate(pages=Sum("pages"))["pages"] or 0)

    def _tags(self) -> int:
        """How many questions about tags a day of a single account brings."""
        return min(self.source.tags.filter(is_chosen=True).count(), tag_requests.SINGLE_DAILY_TAGS)

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
