"""Billing files: what was sent or found in a bucket, what is in it, and which months' figures it tells."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import ZERO, AmountField
from cloudconsole.core.permissions import Perm
from costs.models.sources import CostSource
from costs.rules.billing_formats import TITLES, Format

FORMATS = [(one.value, TITLES[one]) for one in Format]


class ImportStatus(models.TextChoices):
    RECEIVING = "receiving", "Being received"
    RECEIVED = "received", "Waiting to be read"
    READY = "ready", "Waiting for a decision"
    ACCEPTED = "accepted", "Being stored"
    COMMITTED = "committed", "Stored"
    ROLLED_BACK = "rolled_back", "Taken back"
    DISCARDED = "discarded", "Discarded"
    FAILED = "failed", "Failed"


# What a worker has to do.
WORK = (ImportStatus.RECEIVED, ImportStatus.ACCEPTED)
# The same file again finds one of these.
LIVE = (*WORK, ImportStatus.READY, ImportStatus.COMMITTED)


class Engine(models.TextChoices):
    """What sums an export. `INSTALLATION`: whatever COST_ENGINE says at the time."""

    INSTALLATION = "default", "As set for all buckets"
    DUCKDB = "duckdb", "Read the files here (DuckDB)"
    ATHENA = "athena", "Ask Athena over the bucket"


def engine_for(chosen: Engine) -> Engine:
    """What sums the exports of a bucket that says `chosen`."""
    return Engine(settings.COST_ENGINE) if chosen == Engine.INSTALLATION else chosen


class BillingBucketQuerySet(models.QuerySet["BillingBucket"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> BillingBucketQuerySet:
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def of_athena_without_table(self) -> BillingBucketQuerySet:
        """Those that go by the installation's engine and could not be asked of Athena."""
        return self.filter(Q(database="") | Q(table=""), engine=Engine.INSTALLATION)


class BillingBucket(models.Model):
    """A bucket into which AWS Data Exports writes; looked into by the tick, with the account's credentials."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="billing_buckets")
    bucket = models.CharField(max_length=63)
    region = models.CharField(max_length=32)
    prefix = models.CharField(max_length=512, blank=True, help_text="Where the export lies: its folder of data and metadata.")
    engine = models.CharField(max_length=8, choices=Engine, default=Engine.INSTALLATION)
    by_itself = models.BooleanField(default=True, help_text="Store files without a fault as soon as they are read.")
    database = models.CharField(max_length=255, blank=True, help_text="Athena's database of the export.")
    table = models.CharField(max_length=255, blank=True, help_text="Athena's table of the export.")
    workgroup = models.CharField(
        max_length=128, blank=True, help_text="Athena's workgroup; it limits the bytes that a query scans."
    )
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BillingBucketQuerySet.as_manager()

    class Meta:
        ordering = ["bucket", "prefix"]
        constraints = [
            models.UniqueConstraint(fields=["bucket", "prefix"], name="billing_bucket_once"),
            models.CheckConstraint(condition=Q(engine__in=Engine.values), name="billing_bucket_engine_is_known"),
            models.CheckConstraint(
                condition=~Q(engine=Engine.ATHENA) | (~Q(database="") & ~Q(table="")), name="billing_bucket_athena_has_a_table"
            ),
        ]
        indexes = [
            # The tick reads what is due.
            models.Index(fields=["next_check_at"], name="billing_bucket_due"),
        ]

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def engine_in_use(self) -> Engine:
        return engine_for(Engine(self.engine))

    @property
    def engine_title(self) -> str:
        return str(self.engine_in_use.label)


class CostImportQuerySet(models.QuerySet["CostImport"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> CostImportQuerySet:
        """Their own; those from buckets of accounts they may see; those that tell costs of such an account. Admins see all."""
        if isinstance(user, User) and user.is_admin and user.is_active:
            return self
        accounts = AwsAccount.objects.visible_to(user, permission)
        told = ImportedPeriod.objects.filter(cost_import=models.OuterRef("pk"), source__account__in=accounts)
        return self.filter(Q(requested_by_id=user.pk or 0) | Q(bucket__account__in=accounts) | models.Exists(told))


class CostImport(models.Model):
    """One billing file, or one period of an export in a bucket. A worker holds it by a lease; the row says what is to be done."""

    bucket = models.ForeignKey(BillingBucket, on_delete=models.SET_NULL, null=True, blank=True, related_name="imports")
    name = models.CharField(max_length=1024, help_text="The file's name, or the manifest's key.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes, as sent.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of a file, ETag of a manifest.")
    format = models.CharField(max_length=16, blank=True, choices=FORMATS)
    status = models.CharField(max_length=16, choices=ImportStatus, default=ImportStatus.RECEIVING)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent of the step that is being done.")
    lines = models.PositiveBigIntegerField(default=0)
    faulty = models.PositiveBigIntegerField(default=0, help_text="Lines that could not be read.")
    rounded = AmountField(default=ZERO, help_text="What rounding each line to twelve decimal places changed in total.")
    facts = models.PositiveIntegerField(default=0)
    scanned = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes that Athena scanned; they are paid for.")
    reading = models.PositiveIntegerField(default=1, help_text="How often it was to be read.")
    tag_keys = models.JSONField(default=list, help_text="Tags that its lines carry.")
    query_id = models.CharField(max_length=128, blank=True, help_text="Athena's query, while it runs.")
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CostImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="cost_import_status_is_known"),
            # A manifest is taken up once, whoever finds it.
            models.UniqueConstraint(
                fields=["bucket", "name", "digest"], condition=Q(bucket__isnull=False), name="cost_import_manifest_once"
            ),
        ]
        indexes = [
            # The tick looks for work that nobody holds.
            models.Index(fields=["status", "lease_until"], name="cost_import_claimable"),
            # The same file again is found by its digest.
            models.Index(fields=["digest"], name="cost_import_digest"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} of {self.name}"

    @property
    def is_work(self) -> bool:
        return self.status in WORK

    @property
    def format_title(self) -> str:
        return TITLES[Format(self.format)] if self.format else ""


class Part(models.TextChoices):
    FILE = "file", "The file"
    CHARGES = "charges", "Its charges, summed"


class ImportChunk(models.Model):
    """A piece of a file. In the database, so that any worker on any machine can read it; removed when nothing needs it."""

    cost_import = models.ForeignKey(CostImport, on_delete=models.CASCADE, related_name="chunks")
    part = models.CharField(max_length=8, choices=Part)
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cost_import", "part", "position"], name="import_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.position} of import {self.cost_import_id}"


class Owner(models.TextChoices):
    """Who tells the figures of an account's month."""

    UNDECIDED = "", "Not decided"
    FILE = "file", "This file"
    COST_EXPLORER = "cost_explorer", "Cost Explorer"
    NEWER_FILE = "newer_file", "A newer file"
    NOBODY = "nobody", "Taken back"


class ImportedPeriodQuerySet(models.QuerySet["ImportedPeriod"]):
    def owning(self) -> ImportedPeriodQuerySet:
        """Those whose figures are shown."""
        return self.filter(owner=Owner.FILE)

    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> ImportedPeriodQuerySet:
        return self.filter(cost_import__in=CostImport.objects.visible_to(user, permission))


class ImportedPeriod(models.Model):
    """One billing period of one account's bill in a file: its sums, and whether the file or Cost Explorer tells it.

    `accounts`: the linked accounts in it. A linked account that is connected and counted by itself has periods of its own.
    """

    cost_import = models.ForeignKey(CostImport, on_delete=models.CASCADE, related_name="periods")
    number = models.CharField(max_length=12, help_text="The account whose bill these figures become.")
    source = models.ForeignKey(CostSource, on_delete=models.SET_NULL, null=True, blank=True, related_name="imported_periods")
    payer = models.CharField(max_length=12)
    month = models.DateField(help_text="The first day of the billing period.")
    currency = models.CharField(max_length=3)
    lines = models.PositiveBigIntegerField()
    unblended = AmountField()
    amortized = AmountField()
    accounts = models.JSONField(default=list)
    owner = models.CharField(max_length=16, choices=Owner, default=Owner.UNDECIDED, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ImportedPeriodQuerySet.as_manager()

    class Meta:
        ordering = ["month", "number"]
        constraints = [
            # One file at most tells an account's month. Facts are kept apart from Cost Explorer's by looking here.
            models.UniqueConstraint(fields=["source", "month"], condition=Q(owner="file"), name="imported_period_one_owner"),
            models.UniqueConstraint(fields=["cost_import", "number", "month"], name="imported_period_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.month:%Y-%m} of import {self.cost_import_id}"


class ImportRejection(models.Model):
    """A line of a file that could not be read, and why. The first ten thousand are kept."""

    cost_import = models.ForeignKey(CostImport, on_delete=models.CASCADE, related_name="rejections")
    line = models.PositiveBigIntegerField(help_text="Counted from 1 after the header; 0 where it cannot be told.")
    column = models.CharField(max_length=256, blank=True)
    value = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["line", "pk"]
        indexes = [
            # Read by import, in the order of its lines.
            models.Index(fields=["cost_import", "line"], name="import_rejection_by_line"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.column} {self.reason}"
