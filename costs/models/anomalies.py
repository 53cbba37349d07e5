"""Unusual costs: one row for each episode, its days, what people said of it, and what is not to be announced."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import ZERO, AmountField
from cloudconsole.core.permissions import Perm
from costs.models.sources import CostSource
from costs.rules.baselines import Sensitivity

SENSITIVITIES = [(one.value, one.value.capitalize()) for one in Sensitivity]


class AnomalyStatus(models.TextChoices):
    OPEN = "open", "Going on"
    CLOSED = "closed", "Over"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AnomalyKind(models.TextChoices):
    SPIKE = "spike", "More than usual"
    NEW = "new", "New"


class FoundBy(models.TextChoices):
    CLOUDCONSOLE = "cloudconsole", "Cloudconsole"
    AWS = "aws", "AWS"
    BOTH = "both", "Cloudconsole and AWS"


class Assessment(models.TextChoices):
    """What a person says of an episode, and what follows from it for the days to come."""

    EXPECTED = "expected", "Expected: the new normal"
    NOT_EXPECTED = "not_expected", "Not expected"
    PLANNED = "planned", "Planned: happens once"


# What the person looked into stays out of the baseline: it shall not become the normal.
LEFT_OUT = (Assessment.NOT_EXPECTED, Assessment.PLANNED)


def _visible(user: User | AnonymousUser, permission: Perm) -> Q:
    """Whose bill it is in, or whose costs they are: as costs themselves are seen."""
    accounts = AwsAccount.objects.visible_to(user, permission)
    return Q(source__account__in=accounts) | Q(account_number__in=accounts.exclude(account_id="").values("account_id"))


class CostAnomalyQuerySet(models.QuerySet["CostAnomaly"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> CostAnomalyQuerySet:
        return self.filter(_visible(user, permission), source__account__deleted_at=None)

    def with_mutes(self, today: date) -> CostAnomalyQuerySet:
        """Adds `is_muted`."""
        return self.annotate(is_muted=_mute_on(today))

    def unmuted(self, today: date) -> CostAnomalyQuerySet:
        return self.filter(~_mute_on(today))

    def muted(self, today: date) -> CostAnomalyQuerySet:
        return self.filter(_mute_on(today))


def _mute_on(today: date) -> Exists:
    """Whether a mute in force names the episode; what it leaves empty means any."""
    names = ("service", "account_number", "region")
    fits = [Q(**{name: OuterRef(name)}) | Q(**{name: ""}) for name in names]
    return Exists(AnomalyMute.objects.in_force(today).filter(*fits))


class CostAnomaly(models.Model):
    """One episode of one account's usage of one service, or of one region's over all accounts (`account_number` empty).

    `actual`, `expected` and `impact` are those of its unusual days together; `peak` is the largest impact of a day. Where AWS
    does not tell exactly what was usage, `actual` is at least that much. Of what only AWS found, the figures are AWS's.
    """

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="anomalies")
    account_number = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=64, blank=True)
    service = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=16, choices=AnomalyKind, default=AnomalyKind.SPIKE)
    status = models.CharField(max_length=16, choices=AnomalyStatus, default=AnomalyStatus.OPEN)
    found_by = models.CharField(max_length=16, choices=FoundBy, default=FoundBy.CLOUDCONSOLE)
    started_on = models.DateField()
    last_day = models.DateField(help_text="Its last unusual day.")
    days = models.PositiveSmallIntegerField(help_text="Its unusual days.")
    actual = AmountField()
    expected = AmountField(null=True)
    impact = AmountField()
    peak = AmountField()
    is_exact = models.BooleanField(default=True)
    assessment = models.CharField(max_length=16, choices=Assessment, blank=True)
    announced_impact = AmountField(default=ZERO, help_text="The impact when it was last announced.")
    announcements = models.PositiveSmallIntegerField(default=0)
    detected_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = CostAnomalyQuerySet.as_manager()

    class Meta:
        verbose_name = "cost anomaly"
        verbose_name_plural = "cost anomalies"
        ordering = ["-last_day", "-pk"]
        constraints = [
            # Two workers that see the same unusual day: the second finds the first's episode.
            models.UniqueConstraint(
                fields=["source", "account_number", "region", "service", "currency"],
                condition=Q(status="open", found_by__in=["cloudconsole", "both"]),
                name="cost_anomaly_one_open_per_series",
            ),
            models.CheckConstraint(condition=Q(started_on__lte=F("last_day")), name="cost_anomaly_starts_before_it_ends"),
            models.CheckConstraint(condition=Q(status__in=AnomalyStatus.values), name="cost_anomaly_status_is_known"),
            models.CheckConstraint(condition=Q(kind__in=AnomalyKind.values), name="cost_anomaly_kind_is_known"),
            models.CheckConstraint(condition=Q(found_by__in=FoundBy.values), name="cost_anomaly_finder_is_known"),
            models.CheckConstraint(condition=Q(assessment__in=["", *Assessment.values]), name="cost_anomaly_assessment_is_known"),
        ]
        indexes = [
            # The page lists the open ones first, then the newest.
            models.Index(fields=["status", "-last_day"], name="cost_anomaly_newest"),
            # Judging a source reads its latest episodes.
            models.Index(fields=["source", "last_day"], name="cost_anomaly_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.service} from {self.started_on}"

    @property
    def is_open(self) -> bool:
        return self.status == AnomalyStatus.OPEN

    @property
    def share(self) -> Decimal | None:
        """The impact as a share of the expected; None where nothing was expected."""
        return self.impact / self.expected if self.expected else None


class CostAnomalyDay(models.Model):
    """One day of an episode, of the days between, or of the days before it. `limit`: from there on a day is unusual."""

    anomaly = models.ForeignKey(CostAnomaly, on_delete=models.CASCADE, related_name="day_rows")
    day = models.DateField()
    actual = AmountField()
    expected = AmountField(null=True, help_text="Empty where too little was known for a verdict.")
    limit = AmountField(null=True)
    is_unusual = models.BooleanField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["anomaly", "day"], name="cost_anomaly_day_once")]

    def __str__(self) -> str:
        return f"{self.anomaly_id} {self.day}"


class AnomalyFeedback(models.Model):
    """What somebody said of an episode; the latest one counts."""

    anomaly = models.ForeignKey(CostAnomaly, on_delete=models.CASCADE, related_name="feedback")
    assessment = models.CharField(max_length=16, choices=Assessment)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "feedback on a cost anomaly"
        verbose_name_plural = "feedback on cost anomalies"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(assessment__in=Assessment.values), name="anomaly_feedback_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.anomaly_id} {self.assessment}"


class AnomalyMuteQuerySet(models.QuerySet["AnomalyMute"]):
    def in_force(self, today: date) -> AnomalyMuteQuerySet:
        return self.filter(Q(until=None) | Q(until__gt=today), lifted_at=None)

    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> AnomalyMuteQuerySet:
        """Those of the reader's accounts, and those of all accounts."""
        accounts = AwsAccount.objects.visible_to(user, permission).exclude(account_id="")
        return self.filter(Q(account_number="") | Q(account_number__in=accounts.values("account_id")))


class AnomalyMute(models.Model):
    """Episodes that are listed but not announced. Empty fields mean any; at least one says something."""

    service = models.CharField(max_length=255, blank=True)
    account_number = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=64, blank=True)
    until = models.DateField(null=True, blank=True, help_text="The first day on which it is heard again; empty for good.")
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = AnomalyMuteQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "account_number", "region"], condition=Q(lifted_at=None), name="anomaly_mute_once"
            ),
            models.CheckConstraint(
                condition=~Q(service="", account_number="", region=""), name="anomaly_mute_says_what_it_is_about"
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.service, self.account_number, self.region)))


class AnomalyRule(models.Model):
    """From where on a day is unusual, in one currency: for one account, or for all that have none of their own."""

    account_number = models.CharField(max_length=12, blank=True)
    currency = models.CharField(max_length=3)
    floor = AmountField(help_text="Money a day above the expected, at least.")
    percent = models.PositiveSmallIntegerField(help_text="Percent above the expected, at least.")
    sensitivity = models.CharField(max_length=8, choices=SENSITIVITIES)
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True, blank=True, help_text="Since then what holds for all accounts holds again.")

    class Meta:
        ordering = ["account_number", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["account_number", "currency"], name="anomaly_rule_once"),
            models.CheckConstraint(
                condition=Q(sensitivity__in=[one.value for one in Sensitivity]), name="anomaly_rule_sensitivity_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_number or 'all accounts'} {self.currency}"


class AnomalyWatch(models.Model):
    """How far one source has been judged. Two numbers instead of a flag, so that no change is lost while somebody judges."""

    source = models.OneToOneField(CostSource, on_delete=models.CASCADE, related_name="anomaly_watch")
    judged_through = models.DateField(null=True, help_text="The newest complete day that was judged.")
    judged_at = models.DateTimeField(null=True)
    asked = models.PositiveIntegerField(default=1, help_text="How often something changed that verdicts depend on.")
    answered = models.PositiveIntegerField(default=0, help_text="Up to which of these changes was judged.")

    def __str__(self) -> str:
        return f"watch of {self.source}"
