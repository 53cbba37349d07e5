"""Who works on an import: a token with an end, as for snapshots. Every write of a worker proves first that it still holds it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q

from cloudconsole import realtime
from cloudconsole.core import clock
from costs.models import WORK, CostImport
from costs.models.imports import CostImportQuerySet

LEASE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another worker has the import, or a person ended it: this worker stops without a trace."""


@dataclass(frozen=True, slots=True)
class Lease:
    import_id: int
    token: uuid.UUID

    def renew(self, progress: int | None = None) -> None:
        """Hold on to it, and say how far it is in percent. Raises LeaseLost."""
        changes: dict[str, object] = {} if progress is None else {"progress": progress}
        if not self._mine().update(lease_until=clock.now() + LEASE, **changes):
            raise LeaseLost(f"import {self.import_id} is no longer ours")
        if progress is not None:
            realtime.publish("import", self.import_id)

    def give_back(self, **changes: object) -> None:
        """Let it go with `changes` to its row. Raises LeaseLost."""
        if not self._mine().update(lease_token=None, lease_until=None, **changes):
            raise LeaseLost(f"import {self.import_id} is no longer ours")
        realtime.publish("import", self.import_id)

    def _mine(self) -> CostImportQuerySet:
        return CostImport.objects.filter(pk=self.import_id, lease_token=self.token, status__in=WORK)


def waiting() -> CostImportQuerySet:
    """Imports with work that nobody does."""
    now = clock.now()
    rested = Q(not_before=None) | Q(not_before__lte=now)
    return CostImport.objects.filter(rested, Q(lease_until=None) | Q(lease_until__lt=now), status__in=WORK)


def claim(import_id: int) -> Lease | None:
    """Take it if it waits, or if its worker is gone; None when another has it or there is nothing to do."""
    token, now = uuid.uuid4(), clock.now()
    held = {"lease_token": token, "lease_until": now + LEASE, "not_before": None}
    mine = waiting().filter(pk=import_id)
    if mine.filter(lease_until=None).update(**held) or mine.filter(lease_until__lt=now).update(
        **held, attempts=F("attempts") + 1
    ):
        return Lease(import_id, token)
    return None
