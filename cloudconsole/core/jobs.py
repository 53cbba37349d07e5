"""Ask a worker to look. The row is the truth; the message is a doorbell that may be lost, late or doubled."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def enqueue(task: str, **ids: int | str) -> None:
    """Ring for the task called `task` once the current transaction commits. Only ids travel, never data or secrets.

    A broker that is down is logged and otherwise ignored: the next tick finds the row.
    """
    transaction.on_commit(lambda: _send(task, ids))


def enqueue_later(task: str, delay: timedelta, **ids: int | str) -> None:
    """The same, to be heard after `delay`: at most a minute or so, because a worker keeps it in memory until then."""
    transaction.on_commit(lambda: _send(task, ids, delay.total_seconds()))


def _send(task: str, ids: dict[str, int | str], delay_s: float = 0) -> None:
    try:
        current_app.send_task(task, kwargs=ids, retry=False, countdown=delay_s or None)
    except (OperationalError, OSError) as error:
        log.warning("doorbell_lost", task=task, reason=type(error).__name__)
