"""What AWS's own Cost Anomaly Detection found, as AWS told it."""

from __future__ import annotations

from django.db import models

from cloudconsole.core.money import AmountField
from costs.models.anomalies import CostAnomaly
from costs.models.sources import CostSource


class AwsAnomaly(models.Model):
    """One anomaly by AWS's id; it grows while it goes on. `episode` is what it belongs to here."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="aws_anomalies")
    episode = models.ForeignKey(CostAnomaly, on_delete=models.CASCADE, related_name="aws_anomalies")
    aws_id = models.CharField(max_length=128)
    monitor = models.CharField(max_length=255, blank=True, help_text="The monitor's name.")
    started_on = models.DateField()
    last_day = models.DateField()
    service = models.CharField(max_length=255)
    region = models.CharField(max_length=64, blank=True)
    account_number = models.CharField(max_length=12, blank=True)
    usage_type = models.CharField(max_length=255, blank=True)
    impact = AmountField()
    peak = AmountField()
    actual = AmountField(null=True)
    expected = AmountField(null=True)
    feedback = models.CharField(max_length=32, blank=True, help_text="YES, NO or PLANNED_ACTIVITY, where AWS was told.")
    first_seen_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "anomaly found by AWS"
        verbose_name_plural = "anomalies found by AWS"
        ordering = ["-last_day", "-pk"]
        constraints = [models.UniqueConstraint(fields=["source", "aws_id"], name="aws_anomaly_once")]

    def __str__(self) -> str:
        return self.aws_id


class AwsAnomalyAnswer(models.Model):
    """When a source's account was last asked for AWS's own anomalies, and how that went. One row for each source."""

    source = models.OneToOneField(CostSource, on_delete=models.CASCADE, related_name="aws_anomaly_answer")
    asked_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    monitors = models.PositiveSmallIntegerField(null=True, help_text="Empty: never answered. None: detection is not switched on.")
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)

    class Meta:
        indexes = [
            # The scheduler's tick reads what is due.
            models.Index(fields=["next_at"], name="aws_anomaly_answer_due"),
        ]

    def __str__(self) -> str:
        return f"AWS's anomalies of {self.source}"
