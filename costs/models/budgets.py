"""What was promised to be spent at most: budgets, how each stood day by day, and the thresholds it reached."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.alerts import Severity
from accounts.models import Alert, AwsAccount, Grant, User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.money import AmountField
from cloudconsole.core.permissions import Perm
from costs.rules import budget_periods
from costs.rules.budget_periods import Every
from costs.rules.budgets import Kind, Limit, Standing, Unit
from costs.rules.windows import DayRange

EVERY = [(one.value, one.value.capitalize()) for one in Every]
STANDINGS = [(one.value, one.value.replace("_", " ").capitalize()) for one in Standing]
KINDS = [(one.value, one.value.capitalize()) for one in Kind]
UNITS = [(one.value, one.value.capitalize()) for one in Unit]
SEVERITIES = [(one.value, one.value.capitalize()) for one in Severity]
METRIC_CHOICES = [(one.value, one.value.replace("_", " ").capitalize()) for one in Metric]


class BudgetQuerySet(models.QuerySet["Budget"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> BudgetQuerySet:
        """Budgets whose every account `user` holds `permission` on, and one's own; to admins all.

        Of an own one that is not `told_to` its owner, who may not see all of its accounts any more, no figure is shown.
        """
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self if user.is_admin else self.filter(Q(owner=user) | Q(pk__in=Budget.objects.told_to(user, permission)))

    def told_to(self, user: User, permission: Perm) -> BudgetQuerySet:
        """Those on whose every account `user` holds `permission`. A disconnected account is still in the figures of its time."""
        if user.is_admin:
            return self
        grants = Grant.carrying(user, permission)
        counted = BudgetAccount.objects.filter(budget=OuterRef("pk"))
        missing = counted.exclude(account__in=grants.exclude(account=None).values("account"))
        return self.filter(Exists(counted) & (Exists(grants.filter(account=None)) | ~Exists(missing)))

    def kept(self) -> BudgetQuerySet:
        """Those that nobody archived."""
        return self.filter(archived_at=None)


class Budget(models.Model):
    """At most so much for what `filters` narrow costs to, in each period. Evaluated with the rights of `owner` as they are.

    `revision` grows with every edit and re-arms the thresholds; figures from before
    `scope_revision` were of other costs. `standing`, `reason`, `share` and `current` are as of `evaluated_at`.
    """

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="budgets")
    owner_name = models.CharField(max_length=150, help_text="Stays when the person is gone.")
    filters = models.JSONField(default=list, blank=True, help_text="Names and values, as in the explorer's address.")
    charge_types = models.JSONField(default=list, blank=True, help_text="Empty: all of them.")
    metric = models.CharField(max_length=16, choices=METRIC_CHOICES, default=Metric.UNBLENDED.value)
    currency = models.CharField(max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    every = models.CharField(max_length=16, choices=EVERY, default=Every.MONTHLY.value)
    amount = AmountField(help_text="Of each period that has no amount of its own.")
    start = models.DateField(help_text="The first day of the first period.")
    end = models.DateField(null=True, blank=True, help_text="The day after the last. Empty: without an end.")
    muted_until = models.DateTimeField(null=True, blank=True, help_text="Until then nobody is told.")
    revision = models.PositiveIntegerField(default=1)
    scope_revision = models.PositiveIntegerField(default=1)
    accounts = models.ManyToManyField(AwsAccount, through="BudgetAccount", related_name="budgets")
    standing = models.CharField(max_length=24, choices=STANDINGS, default=Standing.UNKNOWN.value)
    reason = models.TextField(blank=True, help_text="Why it cannot be evaluated, or what is missing.")
    share = models.DecimalField(max_digits=24, decimal_places=6, null=True, blank=True, help_text="Used up: 1 is all of it.")
    current = models.ForeignKey("BudgetEvaluation", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    evaluated_at = models.DateTimeField(null=True, blank=True)
    next_evaluation_at = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True, editable=False, help_text="Whose evaluation may be written.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = BudgetQuerySet.as_manager()

    # Whether its figures are kept from whoever asked for it: see `selectors.budgets`.
    is_hidden: bool = False

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(every__in=[one.value for one in Every]), name="budget_period_is_known"),
            models.CheckConstraint(condition=Q(standing__in=[one.value for one in Standing]), name="budget_standing_is_known"),
            models.CheckConstraint(condition=Q(end=None) | Q(end__gt=F("start")), name="budget_ends_after_it_starts"),
        ]
        indexes = [
            # The scheduler's tick looks for budgets that are due.
            models.Index(fields=["next_evaluation_at"], condition=Q(archived_at=None), name="budget_due"),
            # The list opens with what is used up most.
            models.Index(fields=["-share"], condition=Q(archived_at=None), name="budget_share"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def period(self) -> Every:
        return Every(self.every)

    def amount_of(self, days: DayRange) -> Decimal:
        """What was planned for the period. Reads `planned`."""
        planned: dict[date, Decimal] = {one.period_start: one.amount for one in self.planned.all()}
        amount: Decimal = self.amount
        return planned.get(days.start, amount)

    def covers(self, days: DayRange) -> bool:
        """Whether the period lies between start and end."""
        return days.end > self.start and (self.end is None or days.start < self.end)

    def is_muted(self, at: datetime) -> bool:
        return self.muted_until is not None and self.muted_until > at


class BudgetAccount(models.Model):
    """That the figures of a budget hold an account's costs."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="covered")
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["budget", "account"], name="budget_account_once")]

    def __str__(self) -> str:
        return f"{self.budget}: {self.account}"


class BudgetAmount(models.Model):
    """What was planned for one period."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="planned")
    period_start = models.DateField()
    amount = AmountField()

    class Meta:
        ordering = ["period_start"]
        constraints = [models.UniqueConstraint(fields=["budget", "period_start"], name="budget_amount_once")]

    def __str__(self) -> str:
        return f"{self.budget}: {self.period_start}"


class BudgetThreshold(models.Model):
    """When somebody is told."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="thresholds")
    kind = models.CharField(max_length=16, choices=KINDS)
    unit = models.CharField(max_length=16, choices=UNITS)
    value = AmountField()
    severity = models.CharField(max_length=16, choices=SEVERITIES, default=Severity.WARNING.value)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "kind", "unit", "value"], name="budget_threshold_once"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in Kind]), name="budget_threshold_kind_is_known"),
            models.CheckConstraint(condition=Q(unit__in=[one.value for one in Unit]), name="budget_threshold_unit_is_known"),
            models.CheckConstraint(
                condition=Q(severity__in=[one.value for one in Severity]), name="budget_threshold_severity_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.limit.key

    @property
    def limit(self) -> Limit:
        return Limit(Kind(self.kind), Unit(self.unit), self.value)


class BudgetEvaluation(models.Model):
    """How one period stood at the end of a day, or as far as that day has come: the last look of the day is kept.

    `actual` holds every known day; `settled` those before `complete_until`, and `expected` what those should have cost.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="evaluations")
    revision = models.PositiveIntegerField()
    period_start = models.DateField()
    period_end = models.DateField(help_text="Exclusive.")
    day = models.DateField()
    amount = AmountField(help_text="What was promised.")
    actual = AmountField(null=True)
    settled = AmountField(null=True)
    expected = AmountField(null=True)
    forecast = AmountField(null=True)
    low = AmountField(null=True)
    high = AmountField(null=True)
    method = models.CharField(max_length=40, blank=True)
    share = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    standing = models.CharField(max_length=24, choices=STANDINGS)
    reason = models.TextField(blank=True)
    complete_until = models.DateField(null=True)
    missing_days = models.PositiveIntegerField(default=0)
    misses_accounts = models.BooleanField(default=False)
    as_of = models.DateTimeField(null=True, help_text="When the oldest of the figures was fetched.")
    evaluated_at = models.DateTimeField()

    class Meta:
        ordering = ["-period_start", "-day", "-revision"]
        constraints = [
            # The page reads a budget's periods by their days.
            models.UniqueConstraint(fields=["budget", "period_start", "day", "revision"], name="budget_evaluation_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.budget}: {self.period_start}"

    @property
    def days(self) -> DayRange:
        return DayRange(self.period_start, self.period_end)

    @property
    def title(self) -> str:
        return budget_periods.title(self.budget.period, self.days)

    @property
    def last_day(self) -> date:
        return self.period_end - timedelta(days=1)

    @property
    def left(self) -> Decimal | None:
        """What may still be spent; negative when the budget is over."""
        return None if self.actual is None else self.amount - self.actual

    @property
    def ahead(self) -> Decimal | None:
        """By how much the complete days cost more than they should have; negative for less."""
        return None if self.settled is None or self.expected is None else self.settled - self.expected


class BudgetAlert(models.Model):
    """A threshold reached: once in each period of each revision, whatever the figures do afterwards.

    `below_since`: AWS changed the figures and they are below again; the alert stays, and the threshold stays fired.
    `alert` is what people were told; None while the budget was muted.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="alerts")
    revision = models.PositiveIntegerField()
    period_start = models.DateField()
    period_end = models.DateField(help_text="Exclusive.")
    threshold = models.CharField(max_length=80, help_text="Kind, unit and value.")
    kind = models.CharField(max_length=16, choices=KINDS)
    unit = models.CharField(max_length=16, choices=UNITS)
    value = AmountField()
    severity = models.CharField(max_length=16, choices=SEVERITIES)
    figure = AmountField(help_text="The amount that reached it.")
    amount = AmountField(help_text="What was promised.")
    as_of = models.DateTimeField(null=True)
    reached_at = models.DateTimeField()
    below_since = models.DateTimeField(null=True, blank=True)
    alert = models.ForeignKey(Alert, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-reached_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "revision", "period_start", "threshold"], name="budget_alert_once_in_a_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget}: {self.threshold} in {self.period_start}"

    @property
    def limit(self) -> Limit:
        return Limit(Kind(self.kind), Unit(self.unit), self.value)

    @property
    def days(self) -> DayRange:
        return DayRange(self.period_start, self.period_end)

    @property
    def title(self) -> str:
        return budget_periods.title(self.budget.period, self.days)
