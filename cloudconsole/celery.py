"""The worker's application and the one table of periodic work. Beat only rings; each tick finds in the database what is due."""

from __future__ import annotations

import os
from dataclasses import dataclass

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")


@dataclass(frozen=True)
class Periodic:
    """A task that beat rings every `seconds`."""

    task: str
    seconds: int
    purpose: str


PERIODIC = (
    Periodic("costs.tick", 30, "Start cost refreshes that are due and take up runs whose worker is gone"),
    Periodic("costs.billing_tick", 30, "Look into billing buckets that are due and take up imports whose worker is gone"),
    Periodic("costs.watch_anomalies", 120, "Look for unusual costs where newer ones were fetched, or settings changed"),
    Periodic("costs.close_months", 120, "Freeze months whose invoice is final and compare closed ones that AWS told again"),
    Periodic("costs.forecast_tick", 60, "Ring for forecasts that AWS is to be asked for and end those whose worker is gone"),
    Periodic("costs.evaluate_budgets", 60, "Look at budgets that are due, and tell of thresholds that were reached"),
    Periodic("expenses.tick", 60, "Make recurring expenses that are due, and tell of thresholds of their budgets"),
    Periodic("expenses.forget", 3600, "Remove expenses that were deleted a month ago, and the way back to what was edited then"),
    Periodic("resources.tick", 30, "Ask AWS what runs where that is due, and take up runs whose worker is gone"),
    Periodic("resources.sweep_operations", 15, "Take up operations that nobody works on and end those that waited too long"),
    Periodic("resources.automation_tick", 20, "Claim what schedules have to do now, and take up what nobody works on"),
    Periodic("resources.scaling_tick", 20, "Claim scaling rules whose metric has a new point, and take up what nobody works on"),
    Periodic(
        "resources.quota_tick", 30, "Find where quotas are to be read, ring for limits that are due, and forget old figures"
    ),
    Periodic("resources.sample_quota_minutes", 20, "Ask CloudWatch for the minutes of Bedrock's models where they are due"),
    Periodic("resources.sample_quota_metrics", 60, "Ask CloudWatch how much of other quotas is used where that is due"),
    Periodic("costs.tick_savings", 60, "Look for savings in accounts of which something new is known, and ask AWS's own hub"),
    Periodic("expenses.import_tick", 30, "Take up imports of expenses whose worker is gone"),
    Periodic("expenses.rates_tick", 30, "Store the rates of currencies that came with a new release of the product"),
    Periodic("accounts.tick", 60, "Check accounts that are due, announce credentials that run out, take up waiting adoptions"),
    Periodic("accounts.sweep_deliveries", 15, "Send alerts that are due, and take up or end messages whose worker is gone"),
    Periodic("gateway.tick", 300, "Remind of API keys that run out, and erase old secrets whose time is over"),
    Periodic("gateway.tend_rate_limits", 60, "Fill up limits kept by hand whose time is over, and forget old ones"),
    Periodic(
        "gateway.forget_requests", 3600, "Sum up days of requests, and remove those from the log that are older than it is kept"
    ),
    Periodic("accounts.forget_alerts", 3600, "Remove alerts and messages that are older than they are kept"),
    Periodic("audit.checkpoint", 300, "Note outside the database how far the audit trail has come"),
    Periodic("audit.forget_answers", 3600, "Remove answers to idempotency keys that are older than a day"),
    Periodic("cloudconsole.heartbeat", 15, "Prove that scheduler, broker and worker work together; /readyz reads it"),
)

app = Celery("cloudconsole")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    entry.task: {"task": entry.task, "schedule": entry.seconds, "options": {"expires": entry.seconds * 2}} for entry in PERIODIC
}
