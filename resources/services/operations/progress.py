"""How far a long operation is, told about once a second, and whether a person has stopped it."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction

from resources.models import Operation
from resources.services.operations import moves
from resources.services.operations.moves import Lease, LeaseLost
from resources.services.operations.watching import Watch

_EVERY_S = 1.0


class Reporter:
    """For one turn. Each report also keeps the calls made so far, and proves to others that the worker is alive.

    `silent_for`: how long it may take until the next one, or until somebody asks whether it is stopped.
    """

    def __init__(self, operation: Operation, lease: Lease, watch: Watch, *, silent_for: timedelta = moves.LEASE) -> None:
        self._operation = operation
        self._lease = lease
        self._watch = watch
        self._silent_for = silent_for
        self._told_at = self._held_at = 0.0
        self._stopped = False

    def report(self, done: int, total: int | None) -> None:
        """Keep `done` of `total` (None: nobody knows how many). Raises LeaseLost when a person stopped it."""
        if done != total and time.monotonic() - self._told_at < _EVERY_S:
            return
        self._told_at = self._held_at = time.monotonic()
        with transaction.atomic():
            self._lease.renew(self._silent_for, progress_done=done, progress_total=total)
            self._watch.store(self._operation)
            moves.publish(self._operation)

    def is_stopped(self) -> bool:
        """Whether to leave: a person stopped it, or another worker has it. Asked of the database once a second."""
        if self._stopped or time.monotonic() - self._held_at < _EVERY_S:
            return self._stopped
        self._held_at = time.monotonic()
        try:
            self._lease.renew(self._silent_for)
        except LeaseLost:
            self._stopped = True
        return self._stopped
