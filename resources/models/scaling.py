"""Scaling rules: instances that start and stop as a metric of something else goes up and down."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from accounts.models import AwsAccount, User
from resources.models.automation import ScheduleState
from resources.models.inventory import ResourceQuerySet
from resources.rules.automation import Selection
from resources.rules.metrics import METRICS, PERIODS, Kind, Metric, Statistic, in_words
from resources.rules.scaling import Limits, Stops, Terms

KINDS = [
    (Kind.INSTANCE.value, "An instance"),
    (Kind.GROUP.value, "An auto scaling group"),
    (Kind.APPLICATION_BALANCER.value, "An application load balancer"),
    (Kind.TARGET_GROUP.value, "A target group"),
    (Kind.NETWORK_BALANCER.value, "A network load balancer"),
]
METRIC_CHOICES = [(metric.name, f"{metric.title} ({metric.unit})") for metric in METRICS.values()]
STATISTICS = [
    (Statistic.AVERAGE.value, "Average"),
    (Statistic.MAXIMUM.value, "Maximum"),
    (Statistic.MINIMUM.value, "Minimum"),
    (Statistic.SUM.value, "Sum"),
    (Statistic.P90.value, "90th percentile"),
    (Statistic.P95.value, "95th percentile"),
    (Statistic.P99.value, "99th percentile"),
]
PERIOD_CHOICES = list(zip(PERIODS, ("1 minute", "5 minutes", "15 minutes", "1 hour"), strict=True))
STOPS = [
    (Stops.STARTED.value, "Only those that the rule itself started"),
    (Stops.ANY.value, "Any of them that runs"),
]


class ScalingRule(models.Model):
    """When chosen instances of one account and region start and stop, by a metric of something watched there.

    It acts with the rights that its owner has at that moment. `next_at` is when it has to be looked at again; moving it is how
    a scheduler claims that. What happened before `since` was another rule.
    """

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="scaling_rules")
    state = models.CharField(max_length=16, choices=ScheduleState, default=ScheduleState.TRIAL)
    state_reason = models.CharField(max_length=300, blank=True)
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="scaling_rules")
    region = models.CharField(max_length=32)
    kind = models.CharField("what is watched", max_length=32, choices=KINDS)
    watched = models.CharField(max_length=256, help_text="As CloudWatch names it in its dimension.")
    metric = models.CharField(max_length=32, choices=METRIC_CHOICES)
    statistic = models.CharField(max_length=16, choices=STATISTICS)
    period_s = models.PositiveIntegerField("period", choices=PERIOD_CHOICES)
    start_above = models.FloatField(null=True, blank=True)
    stop_below = models.FloatField(null=True, blank=True)
    needed = models.PositiveSmallIntegerField(help_text="Points of the window that have to be beyond a threshold.")
    window = models.PositiveSmallIntegerField(help_text="The newest points that are looked at.")
    cooldown_s = models.PositiveIntegerField(help_text="Seconds of rest after it acted.")
    starts_per_hour = models.PositiveSmallIntegerField()
    at_once = models.PositiveSmallIntegerField(default=1)
    stops = models.CharField("what it stops", max_length=16, choices=STOPS, default=Stops.STARTED.value)
    tags = models.JSONField(default=list, blank=True, help_text="Pairs of key and value; an empty value means any.")
    instances = models.JSONField(default=list, blank=True, help_text="Instance ids.")
    arms_at = models.DateTimeField(null=True, blank=True, help_text="When the trial ends by itself.")
    since = models.DateTimeField(help_text="When it was made, changed or switched last.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Times in a row that its metric could not be read.")
    next_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When its metric was last read.")
    value = models.FloatField(null=True, blank=True, help_text="The newest point; empty where there is none.")
    reading = models.CharField(max_length=300, blank=True, help_text="What the points came to, in words.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ResourceQuerySet["ScalingRule"].as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ScheduleState.values), name="scaling_rule_state_is_known"),
            models.CheckConstraint(condition=Q(kind__in=[name for name, _ in KINDS]), name="scaling_rule_kind_is_known"),
            models.CheckConstraint(
                condition=Q(start_above__isnull=False) | Q(stop_below__isnull=False), name="scaling_rule_has_a_threshold"
            ),
            # Starting and stopping by the same values would go to and fro.
            models.CheckConstraint(
                condition=Q(start_above=None) | Q(stop_below=None) | Q(stop_below__lt=F("start_above")),
                name="scaling_rule_stops_below_its_start",
            ),
            models.CheckConstraint(condition=Q(needed__gte=1, needed__lte=F("window")), name="scaling_rule_needs_some_points"),
            models.CheckConstraint(condition=Q(at_once__gte=1, starts_per_hour__gte=1), name="scaling_rule_does_something"),
        ]
        indexes = [
            # The scheduler's tick reads what is due.
            models.Index(fields=["next_at"], condition=~Q(state="paused"), name="scaling_rule_due"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/automation/scaling/{self.pk}"

    @property
    def watched_label(self) -> str:
        """What people call it: an instance by its name where a selector has read that, a balancer by its part of the ARN."""
        name: str | None = getattr(self, "instance_name", None)
        parts = [] if self.kind == Kind.GROUP else self.watched.split("/")
        return name or (parts[1] if len(parts) == 3 else self.watched)

    @property
    def measure(self) -> Metric:
        return METRICS[self.metric]

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=self.period_s)

    @property
    def terms(self) -> Terms:
        return Terms(self.start_above, self.stop_below, self.needed, self.window, self.measure.unit)

    @property
    def limits(self) -> Limits:
        return Limits(timedelta(seconds=self.cooldown_s), self.starts_per_hour, self.at_once)

    @property
    def selection(self) -> Selection:
        """The instances that it may start and stop."""
        return Selection(
            accounts=frozenset({self.account_id}),
            regions=frozenset({self.region}),
            instances=frozenset(self.instances),
            tags=frozenset((key, value) for key, value in self.tags),
        )

    @property
    def start_words(self) -> str:
        return "" if self.start_above is None else f"above {in_words(self.start_above, self.measure.unit)}"

    @property
    def stop_words(self) -> str:
        return "" if self.stop_below is None else f"below {in_words(self.stop_below, self.measure.unit)}"

    @property
    def value_words(self) -> str:
        return "" if self.value is None else in_words(self.value, self.measure.unit)
