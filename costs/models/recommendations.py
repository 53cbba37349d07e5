"""Where money could be saved: what was found, what people decided about it, and what AWS itself recommends."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import AmountField
from cloudconsole.core.permissions import Perm
from costs.rules.findings import KINDS, Confidence, Kind
from costs.rules.recommendation_life import Status

STATUSES = [
    (Status.OPEN.value, "Open"),
    (Status.DISMISSED.value, "Dismissed"),
    (Status.FIXED.value, "Fixed"),
    (Status.GONE.value, "No longer so"),
]
CONFIDENCES = [(Confidence.HIGH.value, "High"), (Confidence.MEDIUM.value, "Medium"), (Confidence.LOW.value, "Low")]
KIND_CHOICES = [(kind.name, kind.title) for kind in KINDS.values()]
OURS, AWS = "cloudconsole", "aws"


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> RecommendationQuerySet:
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def open(self) -> RecommendationQuerySet:
        return self.filter(status=Status.OPEN)


class Recommendation(models.Model):
    """One thing in one account on which money could be saved. Only `costs.services.recommendations` writes here.

    `amount` is the month's money at stake, empty where `unpriced` says why it is not known; of one that AWS alone
    recommends it is AWS's figure. `aws_*` hold what Cost Optimization Hub says of the same thing, if it does.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="recommendations", db_index=False)
    kind = models.CharField(max_length=32, choices=KIND_CHOICES)
    region = models.CharField(max_length=32, blank=True)
    resource_id = models.CharField(max_length=512)
    name = models.CharField(max_length=512, blank=True)
    status = models.CharField(max_length=16, choices=STATUSES, default=Status.OPEN.value)
    amount = AmountField(null=True, blank=True, help_text="A month's money at stake; empty is not known.")
    currency = models.CharField(max_length=3, blank=True)
    rank = models.BigIntegerField(default=-1, editable=False, help_text="The amount in millionths, to sort by; -1: unknown.")
    unpriced = models.CharField(max_length=255, blank=True, help_text="Why the amount is not known.")
    confidence = models.CharField(max_length=8, choices=CONFIDENCES)
    why_sure = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    evidence = models.JSONField(default=list, help_text="Pairs of what was looked at and what it showed.")
    parameters = models.JSONField(default=dict, blank=True, help_text="For the operation that mends it.")
    observed_at = models.DateTimeField(help_text="When AWS was asked for the evidence.")
    sources = models.JSONField(default=list, help_text="cloudconsole, aws, or both.")
    aws_id = models.CharField(max_length=128, blank=True)
    aws_amount = AmountField(null=True, blank=True)
    aws_currency = models.CharField(max_length=3, blank=True)
    aws_told = models.TextField(blank=True, help_text="What AWS recommends, in one sentence.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    mended_by = models.PositiveBigIntegerField(null=True, blank=True, help_text="The operation that mended it, if one did.")
    dismissed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_reason = models.CharField(max_length=500, blank=True)
    dismissed_until = models.DateTimeField(null=True, blank=True)
    dismissed_amount = AmountField(null=True, blank=True, help_text="What was at stake when it was dismissed.")

    objects = RecommendationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # Never two about the same thing: their money would be counted twice.
            models.UniqueConstraint(fields=["account", "region", "resource_id"], name="recommendation_once"),
            models.CheckConstraint(condition=Q(status__in=[name for name, _ in STATUSES]), name="recommendation_status_is_known"),
            models.CheckConstraint(condition=Q(amount=None) | ~Q(currency=""), name="recommendation_money_has_a_currency"),
        ]
        indexes = [
            # The page: what is open, of the accounts in scope.
            models.Index(fields=["status", "-rank", "-id"], name="recommendation_by_money"),
            # Dismissals that run out.
            models.Index(fields=["dismissed_until"], condition=Q(status=Status.DISMISSED.value), name="recommendation_dismissed"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.label}"

    @property
    def described(self) -> Kind | None:
        """What its kind is; None for one that is no longer known."""
        return KINDS.get(self.kind)

    @property
    def title(self) -> str:
        if self.by_aws_alone and self.aws_told:
            return self.aws_told
        kind = self.described
        return kind.title if kind else self.kind

    @property
    def label(self) -> str:
        return self.name or self.resource_id

    @property
    def by_aws_alone(self) -> bool:
        return list(self.sources) == [AWS]


class HubStatus(models.TextChoices):
    """How Cost Optimization Hub answered last."""

    UNKNOWN = "unknown", "Not asked yet"
    OK = "ok", "Read"
    OFF = "off", "Switched off here"
    NOT_ENROLLED = "not_enrolled", "Not enrolled"
    FAILED = "failed", "Failed"


class SavingsSource(models.Model):
    """One account as a place to look for savings: up to when it was judged, and what AWS's hub said when asked."""

    account = models.OneToOneField(AwsAccount, on_delete=models.CASCADE, related_name="savings_source")
    judged_at = models.DateTimeField(null=True, blank=True, help_text="What was known up to then has been looked through.")
    hub_status = models.CharField(max_length=16, choices=HubStatus, default=HubStatus.UNKNOWN)
    hub_detail = models.TextField(blank=True)
    hub_remedy = models.TextField(blank=True)
    hub_read_at = models.DateTimeField(null=True, blank=True, help_text="When the hub last told everything.")
    next_hub_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(hub_status__in=HubStatus.values), name="savings_hub_status_is_known")]

    def __str__(self) -> str:
        return f"savings in {self.account}"


class HubItem(models.Model):
    """One recommendation of AWS, as the hub last told it. `source` is the account that was asked; `account` whom it is about."""

    source = models.ForeignKey(SavingsSource, on_delete=models.CASCADE, related_name="items", db_index=False)
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=12, help_text="The account that it is about, connected or not.")
    aws_id = models.CharField(max_length=128)
    region = models.CharField(max_length=32, blank=True)
    resource_id = models.CharField(max_length=512)
    resource_type = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    current = models.TextField(blank=True)
    recommended = models.TextField(blank=True)
    saving = AmountField()
    currency = models.CharField(max_length=3)
    effort = models.CharField(max_length=32, blank=True)
    restart_needed = models.BooleanField(default=False)
    rollback_possible = models.BooleanField(default=False)
    lookback_days = models.PositiveIntegerField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    detail = models.JSONField(default=list, blank=True, help_text="What AWS's figure rests on, as pairs; empty: not asked.")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "aws_id"], name="hub_item_once")]

    def __str__(self) -> str:
        return f"{self.action} {self.resource_id}"
