"""Runs that fetch costs: what is asked, how far it is, what it cost. The row is the truth, the broker a doorbell."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.aws.errors import in_words
from cloudconsole.core.permissions import Perm
from costs.models.facts import CUBE_CHOICES
from costs.models.sources import CostSource
from costs.models.tags import TagKey
from costs.rules.cubes import CUBES, Cube

REQUEST_PRICE = Decimal("0.01")  # USD for each page of each Cost Explorer request (AWS price list, USE1-APIRequest)


class SnapshotTrigger(models.TextChoices):
    BACKFILL = "backfill", "First fetch of thirteen months"
    SCHEDULE = "schedule", "Scheduled refresh"
    MANUAL = "manual", "Asked for by a person"
    TAGS = "tags", "History of chosen tags"


class SnapshotStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Complete"
    PARTIAL = "partial", "Partly fetched"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN = (SnapshotStatus.QUEUED, SnapshotStatus.RUNNING)


class WindowStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    STORED = "stored", "Stored"
    FAILED = "failed", "Failed"
    SPLIT = "split", "Split into smaller windows"


class CostSnapshotQuerySet(models.QuerySet["CostSnapshot"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> CostSnapshotQuerySet:
        return self.filter(source__account__in=AwsAccount.objects.visible_to(user, permission))

    def open(self) -> CostSnapshotQuerySet:
        return self.filter(status__in=OPEN)

    def with_progress(self) -> CostSnapshotQuerySet:
        """Adds `windows_done` (`windows_stored` and `windows_failed`) and `windows_total`; a split window counts as its parts."""
        asked = ~Q(windows__status=WindowStatus.SPLIT)
        return self.annotate(
            windows_total=models.Count("windows", filter=asked),
            windows_done=models.Count("windows", filter=asked & ~Q(windows__status=WindowStatus.WAITING)),
            windows_stored=models.Count("windows", filter=Q(windows__status=WindowStatus.STORED)),
            windows_failed=models.Count("windows", filter=Q(windows__status=WindowStatus.FAILED)),
        )


class CostSnapshot(models.Model):
    """A run over one source. A worker holds it by a lease; when that runs out, another goes on where it stopped."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="snapshots")
    trigger = models.CharField(max_length=16, choices=SnapshotTrigger)
    status = models.CharField(max_length=16, choices=SnapshotStatus, default=SnapshotStatus.QUEUED)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    start = models.DateField(help_text="First day asked for.")
    end = models.DateField(help_text="The day after the last one asked for.")
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False, help_text="A throttled run waits until then.")
    attempts = models.PositiveSmallIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    paid = models.PositiveIntegerField(default=0, help_text="Requests that AWS charges: refused ones are free.")
    rows = models.PositiveIntegerField(default=0)
    restated = models.PositiveIntegerField(default=0, help_text="Settled days that AWS changed.")
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CostSnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # Two snapshots started at once: the second finds the first.
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(status__in=["queued", "running"]),
                name="cost_snapshot_one_open_per_source",
            ),
            models.CheckConstraint(condition=Q(start__lt=models.F("end")), name="cost_snapshot_range_is_half_open"),
            models.CheckConstraint(condition=Q(status__in=SnapshotStatus.values), name="cost_snapshot_status_is_known"),
        ]
        indexes = [
            # The worker's tick looks for open runs whose lease ran out.
            models.Index(fields=["status", "lease_until"], name="cost_snapshot_claimable"),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.pk} of {self.source}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def price(self) -> Decimal:
        """What the run's requests cost, in USD."""
        return self.paid * REQUEST_PRICE


class SnapshotWindowQuerySet(models.QuerySet["SnapshotWindow"]):
    def waiting(self) -> SnapshotWindowQuerySet:
        return self.filter(status=WindowStatus.WAITING)


class SnapshotWindow(models.Model):
    """One question of a run: a cube over a range of days. Stored windows are not asked again after a crash."""

    snapshot = models.ForeignKey(CostSnapshot, on_delete=models.CASCADE, related_name="windows")
    position = models.PositiveSmallIntegerField(default=1, help_text="Control totals come first.")
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    tag = models.ForeignKey(
        TagKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Of a tag's cube."
    )
    start = models.DateField()
    end = models.DateField()
    status = models.CharField(max_length=16, choices=WindowStatus, default=WindowStatus.WAITING)
    pages = models.PositiveSmallIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    payload_hash = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SnapshotWindowQuerySet.as_manager()

    class Meta:
        # The control totals first, then the newest days: what people look at is there soonest.
        ordering = ["position", "-start", "cube"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "cube", "start", "end"], name="snapshot_window_once"),
            models.CheckConstraint(condition=Q(start__lt=models.F("end")), name="snapshot_window_range_is_half_open"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.start}..{self.end}"

    @property
    def asked(self) -> Cube:
        """The cube that it asks for."""
        if self.tag is None:
            return CUBES[self.cube]
        cubes = self.tag.cubes
        return cubes.by_service if self.cube == cubes.by_service else cubes.by_account

    @property
    def title(self) -> str:
        return self.asked.title

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)


class CostExplorerRequest(models.Model):
    """The ledger of paid requests: written before each page is asked, closed with its outcome, never deleted."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+")
    snapshot = models.ForeignKey(CostSnapshot, on_delete=models.SET_NULL, null=True, blank=True, related_name="ledger")
    operation = models.CharField(max_length=64)
    page = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(
        max_length=64, default="sent", help_text="'sent' until the answer came; then 'ok' or what went wrong."
    )
    charged = models.BooleanField(default=True, help_text="Failed requests are not charged; one without an answer may be.")
    aws_request_id = models.CharField(max_length=128, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "Cost Explorer request"
        indexes = [
            # The monthly cap counts an account's charged requests of the month before each request.
            models.Index(fields=["account", "at"], name="cost_request_by_month"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.outcome}"

    @property
    def outcome_in_words(self) -> str:
        return in_words(self.outcome)
