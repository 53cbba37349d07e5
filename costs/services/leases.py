"""Who works on a run: a token with an end. Every write of a worker proves first that the run is still its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q

from cloudconsole.core import clock
from costs.models import CostSnapshot, SnapshotStatus
from costs.models.snapshots import CostSnapshotQuerySet

# Renewed before each request and with each stored window. Longer than one request with its connect and read timeouts,
# short enough that a killed worker's run goes on soon.
LEASE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another worker has the run, or a person cancelled it: this worker stops without a trace."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one run."""

    snapshot_id: int
    token: uuid.UUID

    def renew(self) -> None:
        """Hold on to the run. In a transaction it also locks the run against everybody else until the commit.

        Raises LeaseLost.
        """
        if not self._mine().update(lease_until=clock.now() + LEASE):
            raise LeaseLost(f"snapshot {self.snapshot_id} is no longer ours")

    def give_back(self, **changes: object) -> None:
        """Let the run go with `changes` to its row. Raises LeaseLost."""
        if not self._mine().update(lease_token=None, lease_until=None, **changes):
            raise LeaseLost(f"snapshot {self.snapshot_id} is no longer ours")

    def _mine(self) -> CostSnapshotQuerySet:
        return CostSnapshot.objects.filter(pk=self.snapshot_id, lease_token=self.token, status=SnapshotStatus.RUNNING)


def claim(snapshot_id: int) -> Lease | None:
    """Take the run if it waits, or if its worker is gone; None when another has it or it is over."""
    now = clock.now()
    token = uuid.uuid4()
    waits = Q(status=SnapshotStatus.QUEUED) & (Q(not_before=None) | Q(not_before__lte=now))
    abandoned = Q(status=SnapshotStatus.RUNNING, lease_until__lt=now)
    held = {"status": SnapshotStatus.RUNNING, "lease_token": token, "lease_until": now + LEASE, "not_before": None}
    run = CostSnapshot.objects.filter(pk=snapshot_id)
    if run.filter(waits).update(**held) or run.filter(abandoned).update(**held, attempts=F("attempts") + 1):
        return Lease(snapshot_id, token)
    return None
