"""Forecasts that AWS was asked for: paid requests of people, with what came of them."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import AmountField
from cloudconsole.core.permissions import Perm
from costs.models.sources import CostSource


class ForecastStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Asking"
    SUCCEEDED = "succeeded", "Answered"
    FAILED = "failed", "Failed"


class AwsForecastQuerySet(models.QuerySet["AwsForecast"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> AwsForecastQuerySet:
        return self.filter(source__account__in=AwsAccount.objects.visible_to(user, permission))


class AwsForecast(models.Model):
    """What Cost Explorer expects one whole bill to cost from `start`, the day it was asked, up to, without, `end`."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="aws_forecasts")
    metric = models.CharField(max_length=16)
    start = models.DateField()
    end = models.DateField()
    level = models.PositiveSmallIntegerField(help_text="Percent that the intervals are meant to hold.")
    status = models.CharField(max_length=16, choices=ForecastStatus, default=ForecastStatus.QUEUED)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    amount = AmountField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AwsForecastQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "forecast by AWS"
        constraints = [
            # Asked twice at once, AWS is asked, and paid, once.
            models.UniqueConstraint(
                fields=["source", "metric", "end"],
                condition=Q(status__in=["queued", "running"]),
                name="aws_forecast_one_open",
            ),
            models.CheckConstraint(condition=Q(start__lt=models.F("end")), name="aws_forecast_range_is_half_open"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.start}..{self.end}"

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def is_open(self) -> bool:
        return self.status in {ForecastStatus.QUEUED, ForecastStatus.RUNNING}


class AwsForecastPoint(models.Model):
    """One month of the answer, or the part of it that was asked for."""

    forecast = models.ForeignKey(AwsForecast, on_delete=models.CASCADE, related_name="points")
    start = models.DateField()
    end = models.DateField()
    amount = AmountField()
    low = AmountField(null=True, blank=True)
    high = AmountField(null=True, blank=True)

    class Meta:
        ordering = ["start"]
        verbose_name = "month of a forecast by AWS"
        constraints = [models.UniqueConstraint(fields=["forecast", "start"], name="aws_forecast_point_once")]

    def __str__(self) -> str:
        return f"{self.forecast} {self.start}"
