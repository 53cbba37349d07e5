"""Files of expenses: what was sent, how it is read, what each of its rows says, and what became of it."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.models import User
from expenses.models.records import Expense
from expenses.models.workspaces import OwnedQuerySet, Workspace
from expenses.rules.importing.readings import Reading
from expenses.rules.importing.tables import TITLES, Format, Layout
from expenses.rules.importing.verdicts import Decision, Verdict


class BatchStatus(models.TextChoices):
    RECEIVING = "receiving", "Being received"
    MAPPING = "mapping", "Waiting for its columns"
    STAGING = "staging", "Being checked"
    READY = "ready", "Waiting for a decision"
    COMMITTING = "committing", "Being imported"
    COMMITTED = "committed", "Imported"
    ROLLING_BACK = "rolling_back", "Being taken back"
    ROLLED_BACK = "rolled_back", "Taken back"
    DISCARDED = "discarded", "Discarded"
    FAILED = "failed", "Failed"


# What a worker has to do.
WORK = (BatchStatus.STAGING, BatchStatus.COMMITTING, BatchStatus.ROLLING_BACK)


class Outcome(models.TextChoices):
    """What was done with a row."""

    OPEN = "", "Not yet"
    CREATED = "created", "Imported"
    UPDATED = "updated", "Updated"
    UNDONE = "undone", "Taken back"
    KEPT = "kept", "Kept"


VERDICTS = [(one.value, one.value.replace("_", " ").capitalize()) for one in Verdict]
DECISIONS = [(one.value, one.value.capitalize()) for one in Decision]


class ImportBatch(models.Model):
    """One file on its way into a workspace. Nothing touches expenses before it is committed.

    A worker holds it by a lease and notes with every chunk the last row that is done; so whoever comes next goes on there.
    `counts`: rows by verdict. `source`: what the file tells of; ids in it are unique within their source.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="imports")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    owner_name = models.CharField(max_length=150, help_text="Stays when the person is gone.")
    name = models.CharField(max_length=200, help_text="Of the file.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the file.")
    status = models.CharField(max_length=16, choices=BatchStatus, default=BatchStatus.RECEIVING)
    source = models.CharField(max_length=40, blank=True)
    layout = models.JSONField(default=dict, blank=True)
    reading = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=list, blank=True)
    signature = models.CharField(max_length=1200, blank=True, help_text="By which a saved mapping is found.")
    is_known = models.BooleanField(default=False, help_text="Whether a saved mapping was found.")
    rows_read = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    done_through = models.PositiveBigIntegerField(default=0, help_text="The last row with which the present step is done.")
    to_do = models.PositiveBigIntegerField(default=0, help_text="How many rows the present step is about.")
    done = models.PositiveBigIntegerField(default=0, help_text="How many of them are done; of staging: percent.")
    created = models.PositiveBigIntegerField(default=0, help_text="Expenses that it made.")
    updated = models.PositiveBigIntegerField(default=0, help_text="Expenses that it changed.")
    kept = models.PositiveBigIntegerField(
        default=0, help_text="Of those it made or changed, left as they are when it was taken back."
    )
    takes_edited = models.BooleanField(default=False, help_text="Taking back takes also what was edited since.")
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    failed_step = models.CharField(max_length=16, blank=True, help_text="What it was at when it failed.")
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last step ended.")

    objects: OwnedQuerySet[ImportBatch] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "import batches"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=BatchStatus.values), name="expense_import_status_is_known"),
        ]
        indexes = [
            # The tick looks for work that nobody holds.
            models.Index(fields=["status", "lease_until"], name="expense_import_claimable"),
            # The list of a workspace's imports; the same file again.
            models.Index(fields=["workspace", "-id"], name="expense_import_list"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} of {self.name}"

    @property
    def is_work(self) -> bool:
        return self.status in WORK

    @property
    def state(self) -> str:
        """By which name pages know its state."""
        return f"import-{self.status}"

    @property
    def how_read(self) -> Layout:
        return Layout.of_json(self.layout)

    @property
    def meaning(self) -> Reading:
        return Reading.of_json(self.reading)

    @property
    def format_title(self) -> str:
        return TITLES[Format(self.layout["format"])] if self.layout else ""

    def count(self, verdict: Verdict) -> int:
        return int(self.counts.get(verdict.value, 0))


class ImportPiece(models.Model):
    """A piece of a file. In the database, so that any worker on any machine can read it; removed when nothing needs it."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="pieces")
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="expense_import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.position} of import {self.batch_id}"


class ImportRow(models.Model):
    """One row of a file: as it stands there, what it says, the verdict on it and what a person decided.

    `expense`: the id of the expense that it becomes, known before: a row becomes one expense at most. `match`: the expense that
    it is, or may be. `revision`: the one that the import gave an expense; a later one means that somebody edited it since.
    """

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveBigIntegerField(help_text="Its line, row in the sheet, or place among the transactions.")
    raw = models.JSONField()
    parsed = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    occurrence = models.PositiveIntegerField(null=True, blank=True)
    verdict = models.CharField(max_length=24, choices=VERDICTS)
    reason = models.CharField(max_length=300, blank=True)
    match = models.UUIDField(null=True, blank=True)
    near = models.JSONField(default=list, blank=True)
    diff = models.JSONField(default=dict, blank=True)
    decision = models.CharField(max_length=8, choices=DECISIONS, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN, blank=True)
    expense = models.UUIDField(default=uuid.uuid4)
    revision = models.PositiveIntegerField(null=True, blank=True)
    before = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            # Workers and lists go through a file by its rows.
            models.UniqueConstraint(fields=["batch", "number"], name="expense_import_row_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=[one.value for one in Verdict]), name="expense_import_verdict_is_known"
            ),
        ]
        indexes = [
            # How many of the kind came earlier in the file.
            models.Index(fields=["batch", "fingerprint"], name="expense_import_alike"),
            models.Index(fields=["batch", "external_id"], condition=~Q(external_id=""), name="expense_import_ids"),
            # The list by verdict.
            models.Index(fields=["batch", "verdict", "number"], name="expense_import_verdict"),
            # What a source said of an expense last.
            models.Index(fields=["expense"], condition=~Q(outcome=""), name="expense_import_made"),
            models.Index(fields=["match"], condition=~Q(match=None), name="expense_import_match"),
        ]

    # The expense that it is, or may be: see `selectors.imports.matches`.
    matched: Expense | None = None

    def __str__(self) -> str:
        return f"row {self.number} of import {self.batch_id}"

    @property
    def state(self) -> str:
        """By which name pages know what became of it, or is to become."""
        return f"import-{self.outcome or self.decision or self.verdict}"

    @property
    def day(self) -> date | None:
        """What it says; None where it cannot be read."""
        return date.fromisoformat(self.parsed["date"]) if self.parsed else None

    @property
    def cost(self) -> Decimal | None:
        """What it says; None where it cannot be read."""
        return Decimal(self.parsed["cost"]) if self.parsed else None


class ImportMapping(models.Model):
    """How files of one source are read, as somebody confirmed it last; found again by the titles of their columns."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="import_mappings")
    source = models.CharField(max_length=40)
    signature = models.CharField(max_length=1200)
    reading = models.JSONField()
    used_at = models.DateTimeField()

    objects: OwnedQuerySet[ImportMapping] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-used_at"]
        constraints = [
            # A file's columns find their mapping.
            models.UniqueConstraint(fields=["workspace", "signature"], name="import_mapping_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} in {self.workspace}"
