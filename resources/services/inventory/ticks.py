"""What the scheduler's ring leads to: everything due is found in the database, so a ring more or less changes nothing."""

from __future__ import annotations

from datetime import timedelta

from cloudconsole.core import clock, jobs
from resources.models import SYNC_OPEN, WHAT_IS_BILLED, WHAT_RUNS, InventorySync, SyncTrigger
from resources.services.inventory import leases, sources, syncs

# Runs are told of on pages while they matter; what they found is in scans and rows.
_KEPT = timedelta(days=2)


def tick() -> None:
    """Start what is due, ring for runs nobody works on, and forget old ones."""
    sources.ensure()
    due = sources.claim_due(clock.now())
    if due:
        syncs.request(accounts=due, services=WHAT_RUNS, trigger=SyncTrigger.SCHEDULE, by=None)
    billed = sources.claim_billed(clock.now())
    if billed:
        syncs.request(accounts=billed, services=WHAT_IS_BILLED, trigger=SyncTrigger.SCHEDULE, by=None)
    for pk in InventorySync.objects.filter(leases.claimable()).order_by("pk").values_list("pk", flat=True):
        jobs.enqueue(syncs.RUN, sync_id=pk)
    InventorySync.objects.exclude(status__in=SYNC_OPEN).filter(created_at__lt=clock.now() - _KEPT).delete()
