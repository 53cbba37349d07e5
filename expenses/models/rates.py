"""What money of one currency is worth in another, month by month."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import User
from cloudconsole.core.money import AmountField


class RateSource(models.TextChoices):
    ECB = "ecb", "European Central Bank"
    MANUAL = "manual", "Set here"


class MonthlyRate(models.Model):
    """How much of `currency` one euro was worth in a month: the average of the central bank's days, or what an admin set.

    Both can be there for a month; the one that was set counts.
    """

    currency = models.CharField(max_length=3)
    month = models.DateField(help_text="Its first day.")
    source = models.CharField(max_length=8, choices=RateSource)
    per_euro = AmountField()
    days = models.PositiveSmallIntegerField(default=0, help_text="How many days the average is of.")
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    set_by_name = models.CharField(max_length=150, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["-month", "currency"]
        constraints = [
            # Reports read some currencies over some months.
            models.UniqueConstraint(fields=["currency", "month", "source"], name="monthly_rate_once"),
            models.CheckConstraint(condition=Q(source__in=RateSource.values), name="monthly_rate_source_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: 1 EUR = {self.per_euro} {self.currency}"


class RateRelease(models.Model):
    """A history of the central bank that was stored: whose version, and until which month it is whole."""

    version = models.CharField(max_length=40, unique=True)
    through = models.DateField(help_text="The first day of its last whole month.")
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.version
