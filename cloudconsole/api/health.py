"""Whether the installation works, part by part. Says which part fails and nothing else: anybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Literal

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cloudconsole.core import clock
from cloudconsole.core.tasks import HEARTBEAT

State = Literal["ok", "failing"]
BEAT_EVERY = timedelta(seconds=15)
LATE_AFTER = BEAT_EVERY * 4

log = structlog.get_logger(__name__)


def readiness() -> dict[str, State]:
    """Every part's state. A part that cannot even be asked is failing."""
    return {name: "ok" if _works(name, check) else "failing" for name, check in _PARTS.items()}


def _works(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, OperationalError, RedisError, OSError) as error:
        log.warning("part_failing", part=name, reason=type(error).__name__)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker() -> bool:
    with closing(current_app.connection_for_write()) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return True


def _worker_and_scheduler() -> bool:
    """The beat comes from the scheduler through the broker to a worker: a fresh one proves all three."""
    beat = cache.get(HEARTBEAT)
    return beat is not None and clock.now() - datetime.fromisoformat(beat) < LATE_AFTER


_PARTS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker": _worker_and_scheduler,
    "scheduler": _worker_and_scheduler,
}
