"""Who works on a run: a token with an end. Every write of a worker proves first that the run is still its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q

from cloudconsole.core import clock
from resources.models import InventorySync, SyncStatus
from resources.models.scans import InventorySyncQuerySet

LEASE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another worker has the run: this one stops without a trace."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one run."""

    sync_id: int
    token: uuid.UUID

    def renew(self, **changes: object) -> None:
        """Hold on to the run, with `changes` to its row. Raises LeaseLost."""
        if not self._mine().update(lease_until=clock.now() + LEASE, **changes):
            raise LeaseLost(f"sync {self.sync_id} is no longer ours")

    def give_back(self, **changes: object) -> None:
        """Let the run go with `changes` to its row. Raises LeaseLost."""
        if not self._mine().update(lease_token=None, lease_until=None, **changes):
            raise LeaseLost(f"sync {self.sync_id} is no longer ours")

    def _mine(self) -> InventorySyncQuerySet:
        return InventorySync.objects.filter(pk=self.sync_id, lease_token=self.token, status=SyncStatus.RUNNING)


def claimable() -> Q:
    """Runs whose bell was lost, or whose worker is gone."""
    return Q(status=SyncStatus.QUEUED) | Q(status=SyncStatus.RUNNING, lease_until__lt=clock.now())


def claim(sync_id: int) -> Lease | None:
    """Take the run if it waits, or if its worker is gone; None when another has it or it is over."""
    token = uuid.uuid4()
    held = {"status": SyncStatus.RUNNING, "lease_token": token, "lease_until": clock.now() + LEASE}
    taken = InventorySync.objects.filter(claimable(), pk=sync_id).update(**held, attempts=F("attempts") + 1)
    return Lease(sync_id, token) if taken else None
