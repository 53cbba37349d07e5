"""Who works on an import: a token with an end. Every write of a worker proves first that it still holds it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from cloudconsole import realtime
from cloudconsole.core import clock
from expenses.models import WORK, ImportBatch

LEASE: Final = timedelta(seconds=60)
LIVE: Final = "expense-import"


class LeaseLost(Exception):
    """Another worker has the import, or a person ended it: this worker stops without a trace."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one import."""

    batch_id: int
    token: uuid.UUID
    owner_id: int | None = None

    def renew(self, **changes: object) -> None:
        """Hold on to it, with `changes` to its row. In a transaction it also locks the row until the commit. Raises LeaseLost."""
        self._write(lease_until=clock.now() + LEASE, **changes)

    def give_back(self, **changes: object) -> None:
        """Let it go with `changes` to its row. Raises LeaseLost."""
        self._write(lease_token=None, lease_until=None, **changes)

    def _write(self, **changes: object) -> None:
        mine = ImportBatch.objects.filter(pk=self.batch_id, lease_token=self.token, status__in=WORK)
        if not mine.update(**changes):
            raise LeaseLost(f"import {self.batch_id} is no longer ours")
        told(self.batch_id, self.owner_id)


def waiting() -> QuerySet[ImportBatch]:
    """Imports with work that nobody does."""
    return ImportBatch.objects.filter(Q(lease_until=None) | Q(lease_until__lt=clock.now()), status__in=WORK)


def claim(batch_id: int) -> Lease | None:
    """Take it if it waits, or if its worker is gone; None when another has it or there is nothing to do."""
    token, now = uuid.uuid4(), clock.now()
    held = {"lease_token": token, "lease_until": now + LEASE}
    mine = waiting().filter(pk=batch_id)
    fresh, abandoned = mine.filter(lease_until=None), mine.filter(lease_until__lt=now)
    if fresh.update(**held) or abandoned.update(**held, attempts=F("attempts") + 1):
        owner = ImportBatch.objects.values_list("owner_id", flat=True).get(pk=batch_id)
        return Lease(batch_id, token, owner)
    return None


def told(batch_id: int, owner_id: int | None) -> None:
    """Let the pages of whoever sent the file show how far it is."""
    if owner_id is not None:
        realtime.publish_to(LIVE, batch_id, owner_id)
