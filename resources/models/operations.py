"""What was wanted of AWS, and what became of it. The row is the truth; a message only wakes a worker."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, Environment, User
from cloudconsole.core.permissions import Perm
from resources.rules.actions import ACTIONS, Action, TargetType, title_of
from resources.rules.operations import OPEN, Phase, Place, Status

STATUSES = [
    (Status.AWAITING_APPROVAL.value, "Awaiting approval"),
    (Status.QUEUED.value, "Queued"),
    (Status.RUNNING.value, "Running"),
    (Status.SUCCEEDED.value, "Succeeded"),
    (Status.FAILED.value, "Failed"),
    (Status.UNKNOWN.value, "Outcome unknown"),
    (Status.REJECTED.value, "Rejected"),
    (Status.CANCELLED.value, "Cancelled"),
]
PHASES = [(Phase.NEW.value, "Nothing sent"), (Phase.SENT.value, "Sent"), (Phase.VERIFYING.value, "Verifying")]
TARGET_TYPES = [
    (TargetType.EC2.value, "EC2 instance"),
    (TargetType.S3.value, "S3 bucket"),
    (TargetType.LAMBDA.value, "Lambda function"),
    (TargetType.VOLUME.value, "EBS volume"),
    (TargetType.ADDRESS.value, "Elastic IP address"),
    (TargetType.LOG_GROUP.value, "Log group"),
    (TargetType.QUOTA.value, "Quota"),
]
_OPEN = sorted(status.value for status in OPEN)


class OperationQuerySet(models.QuerySet["Operation"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> OperationQuerySet:
        """Operations in accounts on which `user` holds `permission`."""
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def open(self) -> OperationQuerySet:
        return self.filter(status__in=_OPEN)


class Operation(models.Model):
    """One action on one target. Only `resources.services.operations` writes here, by moves of `resources.rules.operations`."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    action = models.CharField(max_length=64, help_text="For example ec2.stop.")
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="operations")
    region = models.CharField(max_length=32, blank=True)
    target_type = models.CharField(max_length=16, choices=TARGET_TYPES)
    target = models.CharField(max_length=256, help_text="The id or name by which AWS knows it.")
    target_name = models.CharField(max_length=256, blank=True, help_text="What people called it when this was asked for.")
    parameters = models.JSONField(default=dict, blank=True, help_text="Never a secret.")
    dry_run = models.BooleanField(default=False)
    exclusive = models.BooleanField(default=False, editable=False)
    batch = models.UUIDField(null=True, blank=True, help_text="Shared by what was asked for at once.")
    environment = models.CharField(max_length=16, choices=Environment)
    status = models.CharField(max_length=20, choices=STATUSES, default=Status.QUEUED.value)
    phase = models.CharField(max_length=16, choices=PHASES, default=Phase.NEW.value)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="operations")
    by_automation = models.BooleanField(default=False, help_text="A schedule or rule asked, with the rights of its owner.")
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="When it was approved, rejected or cancelled.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is wanted, in the words of who asked.")
    decision_reason = models.CharField(max_length=500, blank=True, help_text="Why it was approved or rejected.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="What is not sent by then never is.")
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(null=True, blank=True)
    outcome_code = models.CharField(max_length=64, blank=True)
    outcome_detail = models.TextField(blank=True)
    outcome_remedy = models.TextField(blank=True)
    aws_code = models.CharField(max_length=128, blank=True)
    aws_message = models.TextField(blank=True, help_text="AWS's own words, without secrets.")
    before_state = models.CharField(max_length=64, blank=True)
    after_state = models.CharField(max_length=64, blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="What it brought, small and without secrets.")
    accepted = models.BooleanField(default=False, help_text="AWS answered that it does it.")
    aws_request_ids = models.JSONField(default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Workers lost and calls that AWS was too busy for.")
    looks = models.PositiveSmallIntegerField(default=0, help_text="How often AWS was asked whether it is as wanted.")
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False, help_text="It rests until then.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[name for name, _ in STATUSES]), name="operation_status_is_known"),
            models.CheckConstraint(condition=Q(phase__in=[name for name, _ in PHASES]), name="operation_phase_is_known"),
            # Two people press stop: the second is told of the first.
            models.UniqueConstraint(
                fields=["account", "region", "target_type", "target"],
                condition=Q(exclusive=True, dry_run=False, status__in=_OPEN),
                name="operation_one_open_per_target",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(requested_by=None) | ~Q(approved_by=models.F("requested_by")),
                name="operation_not_approved_by_its_author",
            ),
        ]
        indexes = [
            # The tick and the pages look for what is open.
            models.Index(fields=["status", "not_before"], condition=Q(status__in=_OPEN), name="operation_open"),
            # The list of an account, and the history on a target's page.
            models.Index(fields=["account", "target_type", "target", "-id"], name="operation_of_target"),
            # What was asked for together.
            models.Index(fields=["batch"], condition=~Q(batch=None), name="operation_of_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.target}"

    @property
    def title(self) -> str:
        """For example “Stop instance”."""
        return title_of(self.action)

    @property
    def kind(self) -> Action | None:
        """What its action is; None for one that is no longer known."""
        return ACTIONS.get(self.action)

    @property
    def label(self) -> str:
        return self.target_name or self.target

    @property
    def asked_by(self) -> str:
        """Who asked for it, for people: a name, “automation, for ada”, or nothing where nobody is known any more."""
        name = self.requested_by.get_username() if self.requested_by else ""
        return " for ".join(filter(None, ("automation", name))) if self.by_automation else name

    @property
    def pill(self) -> str:
        """The state's name among those that pages know: what is unknown here calls for a look."""
        return "outcome_unknown" if self.status == Status.UNKNOWN else self.status

    @property
    def place(self) -> Place:
        return Place(Status(self.status), Phase(self.phase))

    @property
    def is_open(self) -> bool:
        return Status(self.status) in OPEN


class OperationCall(models.Model):
    """One call to AWS that an operation made."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="calls")
    service = models.CharField(max_length=32)
    operation_name = models.CharField(max_length=64)
    account = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=32, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    ms = models.PositiveIntegerField(null=True, blank=True)
    retries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=128, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.service}:{self.operation_name} {self.error or 'ok'}"
