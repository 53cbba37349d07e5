"""Limits that AWS sets, how much of them was used when, and wishes for higher ones."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.models import AwsAccount
from cloudconsole.aws.service_quotas import UsageMetric
from cloudconsole.core.money import AmountField
from resources.models.inventory import ResourceQuerySet
from resources.models.operations import Operation
from resources.rules.quota_names import Measure, Profile
from resources.rules.quotas import Kind, Level, Limits, Method, State, Thresholds

KINDS = [
    (Kind.BEDROCK.value, "Bedrock"),
    (Kind.METRIC.value, "With a usage metric"),
    (Kind.COUNTED.value, "Counted"),
]
PROFILES = [
    (Profile.ON_DEMAND.value, "On demand"),
    (Profile.CROSS_REGION.value, "Cross-region"),
    (Profile.GLOBAL.value, "Global"),
    (Profile.REGIONAL.value, "On demand and cross-region"),
]
MEASURES = [
    (Measure.TOKENS_PER_MINUTE.value, "Tokens per minute"),
    (Measure.REQUESTS_PER_MINUTE.value, "Requests per minute"),
    (Measure.TOKENS_PER_DAY.value, "Tokens per day"),
]
METHODS = [
    (Method.ESTIMATE.value, "AWS's own estimate (EstimatedTPMQuotaUsage)"),
    (Method.TOKENS.value, "An estimate: input, cache writes, and output by the model's burndown factor"),
    (Method.INVOCATIONS.value, "Invocations that CloudWatch counted"),
    (
        Method.DAY_OF_TOKENS.value,
        "Tokens of the last 24 hours; cross-region calls count half, because AWS doubles the limit for them",
    ),
    (Method.METRIC.value, "The usage metric that AWS names for the quota"),
    (Method.RATE.value, "The usage metric that AWS names for the quota, the mean of each five minutes"),
    (Method.INVENTORY.value, "Counted in the inventory"),
]
STATES = [
    (State.OK.value, "Enough left"),
    (State.WARNING.value, "Warning"),
    (State.CRITICAL.value, "Critical"),
    (State.NOT_ENABLED.value, "Not enabled"),
    (State.UNKNOWN.value, "Unknown"),
]
LEVELS = [(one.value, one.name.capitalize()) for one in Level]


class QuotaPlace(models.Model):
    """One region of one account: what is asked there next, and how it answered last.

    Moving a `next_…` moment is how a worker claims that work. `minutes_until`: minutes before are stored for good.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="quota_places", db_index=False)
    region = models.CharField(max_length=32)
    only_global = models.BooleanField(
        default=False, help_text="Only quotas of the whole account are read here: the region is none of the account's."
    )
    next_limits_at = models.DateTimeField(null=True, blank=True)
    next_series_at = models.DateTimeField(
        null=True, blank=True, help_text="When CloudWatch is next asked which series there are."
    )
    next_minutes_at = models.DateTimeField(null=True, blank=True)
    next_metrics_at = models.DateTimeField(null=True, blank=True)
    limits_at = models.DateTimeField(null=True, blank=True, help_text="When the limits were last read completely.")
    round_at = models.DateTimeField(null=True, blank=True, help_text="When the present reading of the limits began.")
    services_left = models.JSONField(default=list, blank=True, help_text="Services that are still to be asked in this reading.")
    limits_code = models.CharField(max_length=128, blank=True)
    limits_detail = models.TextField(blank=True)
    limits_remedy = models.TextField(blank=True)
    usage_at = models.DateTimeField(null=True, blank=True, help_text="When CloudWatch last answered.")
    usage_code = models.CharField(max_length=128, blank=True)
    usage_detail = models.TextField(blank=True)
    usage_remedy = models.TextField(blank=True)
    minutes_until = models.DateTimeField(null=True, blank=True)
    model_series = models.JSONField(
        default=dict, blank=True, help_text="Ids of Bedrock's models that were called lately, with the metrics there are of each."
    )
    used = models.JSONField(default=list, blank=True, help_text="Quotas whose usage metric got data lately: service and code.")

    objects = ResourceQuerySet["QuotaPlace"].as_manager()

    class Meta:
        ordering = ["account", "region"]
        constraints = [models.UniqueConstraint(fields=["account", "region"], name="quota_place_once")]
        indexes = [
            # Four ticks read what is due.
            models.Index(fields=["next_limits_at"], name="quota_place_limits_due"),
            models.Index(fields=["next_series_at"], name="quota_place_series_due"),
            models.Index(fields=["next_minutes_at"], name="quota_place_minutes_due"),
            models.Index(fields=["next_metrics_at"], name="quota_place_metrics_due"),
        ]

    def __str__(self) -> str:
        return f"quotas of {self.account} in {self.region}"

    @property
    def label(self) -> str:
        return f"{self.region} (quotas of the whole account)" if self.only_global else self.region


class Quota(models.Model):
    """One limit of one account in one region, and its use as of `usage_at`.

    A model that was called and for which AWS names no quota has a row too, without a limit: then `is_listed` is False.
    `pressure` is the highest percentage of the last hour, by which the list is sorted; `level` is what was last told.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="quotas", db_index=False)
    region = models.CharField(max_length=32)
    service_code = models.CharField(max_length=64)
    service_name = models.CharField(max_length=128, blank=True)
    code = models.CharField(max_length=128)
    name = models.CharField(max_length=256)
    kind = models.CharField(max_length=16, choices=KINDS)
    unit = models.CharField(max_length=64, blank=True)
    adjustable = models.BooleanField(default=False)
    is_global = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=True)
    default_value = AmountField(null=True, blank=True)
    applied_value = AmountField(null=True, blank=True)
    period_s = AmountField(null=True, blank=True, help_text="Seconds in which the quota counts; empty: what there is.")
    metric = models.JSONField(null=True, blank=True, help_text="Namespace, name, dimensions and statistic of its usage metric.")
    model = models.CharField(max_length=64, blank=True)
    model_title = models.CharField(max_length=64, blank=True)
    profile = models.CharField(max_length=16, choices=PROFILES, blank=True)
    measure = models.CharField(max_length=32, choices=MEASURES, blank=True)
    usage = AmountField(null=True, blank=True)
    usage_at = models.DateTimeField(null=True, blank=True, help_text="The minute or moment that the usage is of.")
    peak_1h = AmountField(null=True, blank=True)
    peak_24h = AmountField(null=True, blank=True)
    peak_at = models.DateTimeField(null=True, blank=True)
    throttles_24h = models.PositiveBigIntegerField(null=True, blank=True)
    method = models.CharField(max_length=32, choices=METHODS, blank=True)
    burndown = models.PositiveSmallIntegerField(null=True, blank=True, help_text="What one output token takes from the quota.")
    at_least = models.BooleanField(default=False, help_text="The inventory does not hold all that counts.")
    per_day = models.FloatField(null=True, blank=True)
    days_to_limit = models.PositiveIntegerField(null=True, blank=True)
    warning_percent = models.PositiveSmallIntegerField(default=75)
    critical_percent = models.PositiveSmallIntegerField(default=90)
    state = models.CharField(max_length=16, choices=STATES, default=State.UNKNOWN.value)
    reason = models.CharField(max_length=300, blank=True, help_text="Why the state is what it is, where that needs words.")
    pressure = models.FloatField(null=True, blank=True)
    rank = models.FloatField(default=-2, editable=False, help_text="The pressure; below 0 where there is none.")
    level = models.PositiveSmallIntegerField(choices=LEVELS, default=Level.NONE.value)
    searched = models.TextField(editable=False, default="")
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When AWS last told the limit.")
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = ResourceQuerySet["Quota"].as_manager()

    class Meta:
        ordering = ["account", "region", "service_code", "code"]
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "service_code", "code"], name="quota_once"),
            models.CheckConstraint(condition=Q(state__in=[one.value for one in State]), name="quota_state_is_known"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in Kind]), name="quota_kind_is_known"),
            models.CheckConstraint(
                condition=Q(warning_percent__gte=1) & Q(warning_percent__lt=F("critical_percent")),
                name="quota_thresholds_in_order",
            ),
        ]
        indexes = [
            # The list's first page: those under most pressure.
            models.Index(fields=["-rank", "id"], condition=Q(gone_at=None), name="quota_by_rank"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.region})"

    @property
    def limits(self) -> Limits:
        return Limits(self.applied_value, self.default_value)

    @property
    def limit(self) -> Decimal | None:
        return self.limits.in_force

    @property
    def usage_metric(self) -> UsageMetric | None:
        if self.metric is None:
            return None
        namespace, name, dimensions, statistic = self.metric
        return UsageMetric(namespace, name, tuple((str(one), str(value)) for one, value in dimensions), statistic)

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.warning_percent, self.critical_percent)

    @property
    def label(self) -> str:
        """What it is called on pages: the model and how it is called, or AWS's own name."""
        if not self.model:
            return self.name
        return f"{self.model_title}, {self.get_profile_display().lower()}"

    @property
    def reach(self) -> str:
        """Where it counts, in words: its region, or everywhere."""
        return "all regions" if self.is_global else self.region

    @property
    def service(self) -> str:
        """The short name of the service: "Amazon EC2"."""
        name = self.service_name or self.service_code
        return name.rpartition("(")[2].rstrip(")") if name.endswith(")") else name

    @property
    def headroom(self) -> Decimal | None:
        """What is left of the limit at the peak of the last hour."""
        used = self.usage if self.peak_1h is None else self.peak_1h
        return None if self.limit is None or used is None else max(Decimal(0), self.limit - used)

    @property
    def is_bedrock(self) -> bool:
        return self.kind == Kind.BEDROCK


class ModelMinute(models.Model):
    """What CloudWatch told of one model id in one minute: kept longer than AWS does. A minute without any call has no row."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=32)
    model_id = models.CharField(max_length=256)
    at = models.DateTimeField()
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    invocations = models.BigIntegerField(default=0)
    throttles = models.BigIntegerField(default=0)
    estimate_sum = models.BigIntegerField(null=True)
    estimate_max = models.BigIntegerField(null=True)

    objects = ResourceQuerySet["ModelMinute"].as_manager()

    class Meta:
        constraints = [
            # Asked again, a minute is written over; charts and the sampler read a place's minutes in order.
            models.UniqueConstraint(fields=["account", "region", "at", "model_id"], name="model_minute_once"),
        ]
        indexes = [
            # Retention removes the oldest.
            models.Index(fields=["at"], name="model_minute_at"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.at:%Y-%m-%d %H:%M}"


class QuotaSample(models.Model):
    """The use of a quota of another kind at one moment."""

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="samples", db_index=False)
    at = models.DateTimeField()
    usage = AmountField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["quota", "at"], name="quota_sample_once")]
        indexes = [
            # Retention removes the oldest.
            models.Index(fields=["at"], name="quota_sample_at"),
        ]

    def __str__(self) -> str:
        return f"{self.quota_id}: {self.usage} at {self.at:%Y-%m-%d %H:%M}"


class QuotaHour(models.Model):
    """The highest use of a quota in one hour. `total`: the sum of its minutes, for what is counted by the day."""

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()
    peak = AmountField()
    peak_at = models.DateTimeField()
    total = AmountField()
    throttles = models.PositiveBigIntegerField(default=0)
    limit = AmountField(null=True, blank=True, help_text="The limit in force then.")

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["quota", "hour"], name="quota_hour_once")]
        indexes = [
            # Retention removes the oldest.
            models.Index(fields=["hour"], name="quota_hour_at"),
        ]

    def __str__(self) -> str:
        return f"{self.quota_id}: {self.peak} in {self.hour:%Y-%m-%d %H:00}"


class QuotaIncrease(models.Model):
    """A request for a higher limit as AWS tells of it, made here (by `operation`) or elsewhere."""

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="increases", db_index=False)
    aws_id = models.CharField(max_length=128)
    case_id = models.CharField(max_length=128, blank=True)
    desired = AmountField()
    status = models.CharField(max_length=32)
    requester = models.TextField(blank=True)
    operation = models.ForeignKey(Operation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["quota", "aws_id"], name="quota_increase_once")]

    def __str__(self) -> str:
        return f"{self.quota}: {self.desired} ({self.status})"

    @property
    def is_open(self) -> bool:
        return self.status in ("PENDING", "CASE_OPENED")

    @property
    def words(self) -> str:
        return INCREASE_WORDS.get(self.status, self.status.replace("_", " ").capitalize())


INCREASE_WORDS = {
    "PENDING": "Waiting for AWS",
    "CASE_OPENED": "AWS Support is looking at it",
    "APPROVED": "Granted",
    "DENIED": "Denied",
    "NOT_APPROVED": "Not granted",
    "CASE_CLOSED": "Closed by AWS Support",
    "INVALID_REQUEST": "Not a valid request",
}
