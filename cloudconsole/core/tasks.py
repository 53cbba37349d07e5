from __future__ import annotations

from celery import shared_task
from django.core.cache import cache

from cloudconsole.core import clock

HEARTBEAT = "heartbeat"
HEARTBEAT_LASTS = 3600


@shared_task(name="cloudconsole.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """Rung by beat, carried by the broker, run by a worker: a fresh one proves all three."""
    cache.set(HEARTBEAT, clock.now().isoformat(), HEARTBEAT_LASTS)
