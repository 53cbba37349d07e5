"""What happens by itself: rules that categorise, expenses that recur, budgets and whom they warned."""

from __future__ import annotations

from datetime import date

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import ScaledAmountField
from costs.rules.budget_periods import Every
from expenses.models.workspaces import Category, OwnedQuerySet, PaymentMethod, Workspace
from expenses.rules import recurrence

PERIODS = [(one.value, one.value.capitalize()) for one in (Every.MONTHLY, Every.QUARTERLY, Every.YEARLY)]


class Rule(models.Model):
    """Fills in what nobody filled in: when `conditions` hold (all, or any), `actions` are done. Read in order of `position`.

    `conditions`: [{"field", "operator", "value"}]; `actions`: [{"field", "value"}]: see `rules.categorising`.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    is_on = models.BooleanField(default=True)
    match_any = models.BooleanField(default=False, help_text="One condition is enough.")
    conditions = models.JSONField(default=list)
    actions = models.JSONField(default=list)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: OwnedQuerySet[Rule] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class RecurringExpenseQuerySet(OwnedQuerySet["RecurringExpense"]):
    def due(self, today: date) -> RecurringExpenseQuerySet:
        """Series with a day up to `today` that no expense was made for, and an owner who is still here."""
        return self.filter(is_paused=False, next_on__lte=today, owner__is_active=True)


class RecurringExpense(models.Model):
    """An expense that comes again by an RFC 5545 rule. Every due day becomes one expense, however late somebody looks.

    `next_on` is the first day that no expense was made for; empty when the series has ended.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="recurring")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rrule = models.CharField(max_length=300, help_text="RFC 5545, such as FREQ=MONTHLY;BYMONTHDAY=1.")
    start = models.DateField(help_text="The day from which the rule counts.")
    next_on = models.DateField(null=True, blank=True)
    is_paused = models.BooleanField(default=False)
    last_run_at = models.DateTimeField(null=True, blank=True, help_text="When an expense was last made of it.")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, blank=True, related_name="recurring")
    description = models.CharField(max_length=500, blank=True)
    payee = models.CharField(max_length=200, blank=True)
    cost = ScaledAmountField()
    currency = models.CharField(max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    payment_method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, blank=True, related_name="recurring")
    location = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    account = models.ForeignKey(AwsAccount, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    project = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    rung_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when workers are rung for what is due now; empty when nothing is."
    )

    objects: RecurringExpenseQuerySet = RecurringExpenseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["next_on", "pk"]
        indexes = [
            # The tick looks for series that are due.
            models.Index(fields=["next_on"], condition=Q(is_paused=False) & ~Q(next_on=None), name="recurring_due"),
        ]

    def __str__(self) -> str:
        return f"{self.payee or self.description} ({self.rrule})"

    @property
    def often(self) -> str:
        """The rule in words."""
        return recurrence.in_words(self.rrule)


class ExpenseBudget(models.Model):
    """At most so much for a category and what is below it, or for the whole workspace, in one currency and each period.

    `revision` grows when the amount or what is counted changes, and arms the thresholds again.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="budgets")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True, related_name="budgets")
    currency = models.CharField(max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    every = models.CharField(max_length=16, choices=PERIODS, default=Every.MONTHLY.value)
    amount = ScaledAmountField()
    thresholds = models.JSONField(default=list, help_text="Per cent of the amount at which somebody is told.")
    on_channels = models.BooleanField(default=False, help_text="Channels are told as well, and so whoever reads those.")
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: OwnedQuerySet[ExpenseBudget] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["category", "currency", "every"], name="expense_budget_once_of_a_category"),
            models.UniqueConstraint(
                fields=["workspace", "currency", "every"], condition=Q(category=None), name="expense_budget_once_of_all"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="expense_budget_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.category or self.workspace}: {self.amount} {self.currency}"


class ExpenseBudgetAlert(models.Model):
    """That a threshold was reached: once in each period of each revision, whatever the figures do afterwards."""

    budget = models.ForeignKey(ExpenseBudget, on_delete=models.CASCADE, related_name="alerts")
    revision = models.PositiveIntegerField()
    period_start = models.DateField()
    threshold = models.PositiveIntegerField(help_text="Per cent.")
    figure = ScaledAmountField(help_text="The amount that reached it.")
    reached_at = models.DateTimeField()

    class Meta:
        ordering = ["-reached_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "revision", "period_start", "threshold"], name="expense_budget_alert_once"),
        ]

    def __str__(self) -> str:
        period: date = self.period_start
        return f"{self.budget}: {self.threshold} % in {period}"
