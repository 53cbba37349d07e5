"""Asking AWS what runs: how often, what each place last answered, and the runs that ask. Rows are the truth."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models.inventory import ResourceQuerySet

GLOBAL = "global"  # the place of a service that is asked once for all regions


class Service(models.TextChoices):
    """What is inventoried. The first three have pages of their own; the others are what savings are looked for in."""

    EC2 = "ec2", "EC2"
    S3 = "s3", "S3"
    LAMBDA = "lambda", "Lambda"
    EBS = "ebs", "Volumes and snapshots"
    ADDRESSES = "addresses", "Elastic IP addresses"
    BALANCERS = "balancers", "Load balancers"
    LOGS = "logs", "Log groups"
    USAGE = "usage", "How busy instances are"


WHAT_RUNS = (Service.EC2, Service.S3, Service.LAMBDA)
# Changes slowly, and CloudWatch charges for figures: asked some times a day.
WHAT_IS_BILLED = (Service.EBS, Service.ADDRESSES, Service.BALANCERS, Service.LOGS, Service.USAGE)


class ScanStatus(models.TextChoices):
    COMPLETE = "complete", "Complete"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class SyncTrigger(models.TextChoices):
    SCHEDULE = "schedule", "Scheduled"
    MANUAL = "manual", "Asked for by a person"


class SyncStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Complete"
    PARTIAL = "partial", "Partly done"
    FAILED = "failed", "Failed"


SYNC_OPEN = (SyncStatus.QUEUED, SyncStatus.RUNNING)


class InventorySource(models.Model):
    """How often one AWS account is asked what runs in it."""

    account = models.OneToOneField(AwsAccount, on_delete=models.CASCADE, related_name="inventory_source")
    interval_s = models.PositiveIntegerField("seconds between scans", default=300)
    next_sync_at = models.DateTimeField(null=True, blank=True)
    next_billed_at = models.DateTimeField(null=True, blank=True, help_text="When it is next asked where money is wasted.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(interval_s__gte=60), name="inventory_source_leaves_aws_alone")]
        indexes = [
            # The scheduler's tick reads what is due.
            models.Index(fields=["next_sync_at"], name="inventory_source_due"),
            models.Index(fields=["next_billed_at"], name="inventory_source_billed_due"),
        ]

    def __str__(self) -> str:
        return f"inventory of {self.account}"


class InventorySyncQuerySet(models.QuerySet["InventorySync"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> InventorySyncQuerySet:
        """Runs that ask at least one account on which `user` holds `permission`."""
        return self.filter(
            Q(
                pk__in=InventorySync.accounts.through.objects.filter(
                    awsaccount__in=AwsAccount.objects.visible_to(user, permission)
                ).values("inventorysync")
            )
        )

    def open(self) -> InventorySyncQuerySet:
        return self.filter(status__in=SYNC_OPEN)


class InventorySync(models.Model):
    """A run that asks AWS. A worker holds it by a lease; when that runs out, another asks what was not answered yet."""

    trigger = models.CharField(max_length=16, choices=SyncTrigger)
    accounts = models.ManyToManyField(AwsAccount, related_name="+")
    services = models.JSONField(default=list, help_text="Values of Service.")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=16, choices=SyncStatus, default=SyncStatus.QUEUED)
    total = models.PositiveIntegerField(default=0, help_text="Places to ask: one service in one region of one account.")
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = InventorySyncQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SyncStatus.values), name="inventory_sync_status_is_known"),
            models.CheckConstraint(condition=Q(trigger__in=SyncTrigger.values), name="inventory_sync_trigger_is_known"),
        ]
        indexes = [
            # The tick looks for open runs whose lease ran out.
            models.Index(fields=["status", "lease_until"], name="inventory_sync_claimable"),
        ]

    def __str__(self) -> str:
        return f"inventory sync {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in SYNC_OPEN


class Scan(models.Model):
    """What one service in one region of one account answered last. `observed_at`: when it last answered completely."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="scans", db_index=False)
    region = models.CharField(max_length=32)
    service = models.CharField(max_length=16, choices=Service)
    status = models.CharField(max_length=16, choices=ScanStatus)
    code = models.CharField(max_length=128, blank=True)
    detail = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    attempted_at = models.DateTimeField()
    observed_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveIntegerField(default=0)
    sync = models.ForeignKey(InventorySync, on_delete=models.SET_NULL, null=True, blank=True, related_name="scans")

    objects = ResourceQuerySet["Scan"].as_manager()

    class Meta:
        ordering = ["account", "region", "service"]
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "service"], name="scan_once"),
            models.CheckConstraint(condition=Q(status__in=ScanStatus.values), name="scan_status_is_known"),
            models.CheckConstraint(condition=Q(service__in=Service.values), name="scan_service_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.service}: {self.status}"
