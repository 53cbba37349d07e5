"""What an organization looks like from one of its accounts, and adopting many of its accounts at once."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models.aws_account import AwsAccount, make_external_id
from accounts.models.people import User
from cloudconsole.core.permissions import Perm


class Discovery(models.Model):
    """The last look at an organization from `account`, its management account or a delegated administrator."""

    account = models.OneToOneField(AwsAccount, on_delete=models.CASCADE, related_name="discovery")
    organization_id = models.CharField(max_length=34)
    management_number = models.CharField(max_length=12)
    observed_at = models.DateTimeField()
    gaps = models.JSONField(default=list, help_text="What could not be read: {part, code, detail, remedy} for each.")

    class Meta:
        verbose_name_plural = "discoveries"

    def __str__(self) -> str:
        return f"{self.organization_id} seen from {self.account}"


class OrganizationMember(models.Model):
    """One account of an organization. Its external id is made before anybody adopts it, and never changes."""

    discovery = models.ForeignKey(Discovery, on_delete=models.CASCADE, related_name="members")
    number = models.CharField(max_length=12)
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=32, help_text="PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE or CLOSED.")
    unit_path = models.CharField(max_length=1024, blank=True, help_text="Names from the root down; empty where not known.")
    tags = models.JSONField(null=True, help_text="Null where they could not be read.")
    external_id = models.CharField(max_length=64, default=make_external_id, editable=False, unique=True)
    is_present = models.BooleanField(default=True, help_text="Whether the last look still saw it.")

    class Meta:
        ordering = ["unit_path", "name", "number"]
        constraints = [models.UniqueConstraint(fields=["discovery", "number"], name="organization_member_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class AdoptionStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being connected"
    SUCCEEDED = "succeeded", "Connected"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ADOPTION_OPEN = (AdoptionStatus.QUEUED, AdoptionStatus.RUNNING)


class AdoptionBatchQuerySet(models.QuerySet["AdoptionBatch"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> AdoptionBatchQuerySet:
        return self.filter(hub__in=AwsAccount.objects.visible_to(user, permission))

    def with_progress(self) -> AdoptionBatchQuerySet:
        """Adds `total`, `done` (whatever the outcome), `connected` and `failed`."""
        return self.annotate(
            total=models.Count("adoptions"),
            done=models.Count("adoptions", filter=~Q(adoptions__status__in=ADOPTION_OPEN)),
            connected=models.Count("adoptions", filter=Q(adoptions__status=AdoptionStatus.SUCCEEDED)),
            failed=models.Count("adoptions", filter=Q(adoptions__status=AdoptionStatus.FAILED)),
        )


class AdoptionBatch(models.Model):
    """One wish to adopt accounts: each becomes a row of its own, and the failure of one stops no other."""

    hub = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="adoption_batches")
    role_name = models.CharField(max_length=576, help_text="Name of the role in every account, with its path.")
    capabilities = models.JSONField(default=list)
    environment = models.CharField(max_length=16)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AdoptionBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "adoption batches"

    def __str__(self) -> str:
        return f"adoption {self.pk} through {self.hub}"


class Adoption(models.Model):
    """One account to be adopted. A worker holds it by a lease; when that runs out, another takes it up."""

    batch = models.ForeignKey(AdoptionBatch, on_delete=models.CASCADE, related_name="adoptions")
    number = models.CharField(max_length=12)
    name = models.CharField(max_length=255)
    alias = models.CharField(max_length=63)
    external_id = models.CharField(max_length=64, editable=False)
    status = models.CharField(max_length=16, choices=AdoptionStatus, default=AdoptionStatus.QUEUED)
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    account = models.ForeignKey(AwsAccount, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    error_code = models.CharField(max_length=64, blank=True)
    error_aws_code = models.CharField(max_length=128, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="adoption_once_per_batch"),
            # The same account asked for twice at once: the second wish is refused.
            models.UniqueConstraint(
                fields=["number"], condition=Q(status__in=["queued", "running"]), name="adoption_one_open_per_account"
            ),
            models.CheckConstraint(condition=Q(status__in=AdoptionStatus.values), name="adoption_status_is_known"),
        ]
        indexes = [
            # The scheduler's tick looks for adoptions that nobody works on.
            models.Index(fields=["status", "lease_until"], name="adoption_claimable"),
        ]

    def __str__(self) -> str:
        return f"adoption of {self.number}"
