"""Whether the installation works, part by part. Says which part fails and nothing else: anybody may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Literal

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cloudconsole.core import clock
from cloudconsole.core.tasks import HEARTBEAT

# degraded: it works, but something that it needs at times does not.
State = Literal["ok", "degraded", "failing"]
BEAT_EVERY = timedelta(seconds=15)
LATE_AFTER = BEAT_EVERY * 4

log = structlog.get_logger(__name__)


def readiness() -> dict[str, State]:
    """Every part's state. A part that cannot even be asked is failing."""
    others = {name: import_string(path) for name, path in settings.READINESS_PARTS.items()}
    return {name: _asked(name, check) for name, check in {**_PARTS, **others}.items()}


def overall(states: Iterable[State]) -> State:
    """The worst of them."""
    return max(states, key=("ok", "degraded", "failing").index)


def _asked(name: str, check: Callable[[], State]) -> State:
    try:
        return check()
    except (DatabaseError, OperationalError, RedisError, OSError) as error:
        log.warning("part_failing", part=name, reason=type(error).__name__)
        return "failing"


def _database() -> State:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> State:
    executor = MigrationExecutor(connection)
    return "failing" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _broker() -> State:
    with closing(current_app.connection_for_write()) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return "ok"


def _worker_and_scheduler() -> State:
    """The beat comes from the scheduler through the broker to a worker: a fresh one proves all three."""
    beat = cache.get(HEARTBEAT)
    is_fresh = beat is not None and clock.now() - datetime.fromisoformat(beat) < LATE_AFTER
    return "ok" if is_fresh else "failing"


_PARTS: dict[str, Callable[[], State]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker": _worker_and_scheduler,
    "scheduler": _worker_and_scheduler,
}
