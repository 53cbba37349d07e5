"""Where cost facts come from: one source for each AWS account whose credentials may ask Cost Explorer."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm


class BillingScope(models.TextChoices):
    """Whose bill the account's Cost Explorer shows."""

    UNKNOWN = "unknown", "Not known yet"
    PAYER = "payer", "Management account: the whole organization"
    MEMBER = "member", "Member account: its own costs"
    STANDALONE = "standalone", "Standalone account"


class SourceStatus(models.TextChoices):
    PENDING = "pending", "No data yet"
    OK = "ok", "Up to date"
    STALE = "stale", "Out of date"
    PARTIAL = "partial", "Partly fetched"
    DENIED = "denied", "Denied"
    NOT_ENABLED = "not_enabled", "Cost Explorer is not enabled"
    COVERED = "covered", "Read from the payer"


# Cost Explorer does not answer this account, and will not by being asked again.
REFUSED = frozenset({SourceStatus.DENIED, SourceStatus.NOT_ENABLED})
# A covered source is asked only while its payer does not answer.
FETCHED_BY_ITSELF = Q(is_imported=False) & (Q(covered_by=None) | Q(covered_by__status__in=REFUSED))


class CostSourceQuerySet(models.QuerySet["CostSource"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> CostSourceQuerySet:
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def counted(self) -> CostSourceQuerySet:
        """Sources that count: a member whose payer is connected is read from the payer, never twice."""
        return self.filter(covered_by=None, account__deleted_at=None)

    def counted_by_themselves(self) -> CostSourceQuerySet:
        """Those whose own Cost Explorer is read and has told a whole history."""
        return self.counted().filter(is_imported=False, backfilled_from__isnull=False)


class CostSource(models.Model):
    """One AWS account's Cost Explorer. `covered_by` names the payer whose facts already hold this account's."""

    id = models.AutoField(primary_key=True)  # four bytes: it stands in every fact
    account = models.OneToOneField(AwsAccount, on_delete=models.CASCADE, related_name="cost_source")
    scope = models.CharField(max_length=16, choices=BillingScope, default=BillingScope.UNKNOWN)
    payer_number = models.CharField(max_length=12, blank=True, help_text="The management account of the account's organization.")
    covered_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="covers")
    status = models.CharField(max_length=16, choices=SourceStatus, default=SourceStatus.PENDING)
    status_code = models.CharField(max_length=64, blank=True)
    status_detail = models.TextField(blank=True)
    status_remedy = models.TextField(blank=True)
    backfilled_from = models.DateField(null=True, blank=True, help_text="The first day for which facts were fetched.")
    fresh_at = models.DateTimeField(null=True, blank=True, help_text="When the last complete refresh ended.")
    next_refresh_at = models.DateTimeField(null=True, blank=True)
    is_imported = models.BooleanField(default=False, help_text="Only billing files tell its costs; Cost Explorer is not asked.")
    monthly_request_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the installation's cap.")

    objects = CostSourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(covered_by=models.F("pk")), name="cost_source_covers_others_only"),
            models.CheckConstraint(condition=Q(scope__in=BillingScope.values), name="cost_source_scope_is_known"),
            models.CheckConstraint(condition=Q(status__in=SourceStatus.values), name="cost_source_status_is_known"),
        ]
        indexes = [
            # The scheduler's tick reads what is due.
            models.Index(fields=["next_refresh_at"], name="cost_source_due"),
        ]

    def __str__(self) -> str:
        return f"costs of {self.account}"

    @property
    def is_single(self) -> bool:
        """Whether its bill is known to hold one account only."""
        return self.scope in {BillingScope.MEMBER, BillingScope.STANDALONE}
