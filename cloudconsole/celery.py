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
    Periodic("accounts.tick", 60, "Check accounts that are due, announce credentials that run out, take up waiting adoptions"),
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
