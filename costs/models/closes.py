"""Closed months: what a month cost when its invoice was final, frozen, and how AWS changed it afterwards."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import EXACT, AmountField
from cloudconsole.core.permissions import Perm
from costs.models.facts import CUBE_CHOICES, Amounts, DimensionValue
from costs.models.sources import CostSource


class MonthCloseQuerySet(models.QuerySet["MonthClose"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> MonthCloseQuerySet:
        return self.filter(source__account__in=AwsAccount.objects.visible_to(user, permission))


class MonthClose(models.Model):
    """One source's month as it was frozen. Never changed: what AWS tells later is a MonthRestatement."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="closes")
    month = models.DateField(help_text="The first day of the month.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over the month's figures in canonical form.")
    facts = models.PositiveIntegerField(help_text="How many daily costs the digest is made of.")
    frozen_at = models.DateTimeField()
    snapshot = models.ForeignKey("costs.CostSnapshot", on_delete=models.SET_NULL, null=True, related_name="+")
    is_checked = models.BooleanField(default=True, help_text="False: days of it were stored again and are to be compared.")

    objects = MonthCloseQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "source"]
        verbose_name = "closed month"
        constraints = [
            # Two schedulers close a month once.
            models.UniqueConstraint(fields=["source", "month"], name="month_close_once"),
        ]
        indexes = [
            # The tick reads what is to be compared.
            models.Index(fields=["is_checked"], condition=Q(is_checked=False), name="month_close_to_check"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.month:%Y-%m} closed"


class MonthFigure(Amounts):
    """A frozen sum: of one cube, and of one service within it where `service` is set. The TOTAL cube is the control total."""

    close = models.ForeignKey(MonthClose, on_delete=models.CASCADE, related_name="figures")
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    service = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    rows = models.PositiveIntegerField(help_text="How many daily costs it is the sum of.")

    class Meta:
        ordering = ["close", "cube", "service"]
        verbose_name = "frozen figure"
        constraints = [
            models.UniqueConstraint(
                fields=["close", "cube", "currency"], condition=Q(service=None), name="month_figure_of_cube_once"
            ),
            models.UniqueConstraint(
                fields=["close", "cube", "service", "currency"],
                condition=~Q(service=None),
                name="month_figure_of_service_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.close} {self.get_cube_display()} {self.service or ''}".strip()


class MonthRestatement(models.Model):
    """A closed month told otherwise than it was frozen. One row for each way in which it was told."""

    close = models.ForeignKey(MonthClose, on_delete=models.CASCADE, related_name="restatements")
    digest = models.CharField(max_length=64)
    detected_at = models.DateTimeField()
    snapshot = models.ForeignKey("costs.CostSnapshot", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-detected_at", "-pk"]
        verbose_name = "restated month"
        constraints = [models.UniqueConstraint(fields=["close", "digest"], name="month_restatement_once")]

    def __str__(self) -> str:
        return f"{self.close} restated"


class MonthDifference(models.Model):
    """What a restatement changed: of the control total, or of one service. Only what differs has a row."""

    restatement = models.ForeignKey(MonthRestatement, on_delete=models.CASCADE, related_name="differences")
    service = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    currency = models.CharField(max_length=3)
    unblended_before = AmountField()
    unblended_after = AmountField()

    class Meta:
        ordering = ["restatement", "pk"]
        verbose_name = "difference"

    def __str__(self) -> str:
        return f"{self.restatement}: {self.service or 'total'}"

    @property
    def difference(self) -> Decimal:
        return EXACT.subtract(self.unblended_after, self.unblended_before)
