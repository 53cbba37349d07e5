"""What the scheduler's ring leads to for billing files: waiting imports are rung for, buckets that are due are looked into."""

from __future__ import annotations

from datetime import timedelta

from cloudconsole.core import clock, jobs
from costs.models import CostImport, ImportStatus
from costs.services.billing import buckets, chunks, imports, leases

# An upload that has not arrived by then never will: its process is gone.
_ARRIVES_WITHIN = timedelta(hours=12)


def tick() -> None:
    for pk in leases.waiting().order_by("pk").values_list("pk", flat=True):
        jobs.enqueue(imports.RUN, import_id=pk)
    for lost in CostImport.objects.filter(status=ImportStatus.RECEIVING, created_at__lt=clock.now() - _ARRIVES_WITHIN):
        _give_up(lost)
    for bucket in buckets.due():
        buckets.look(bucket=bucket)


def _give_up(lost: CostImport) -> None:
    chunks.remove(of=lost)
    CostImport.objects.filter(pk=lost.pk, status=ImportStatus.RECEIVING).update(
        status=ImportStatus.FAILED,
        error_code="upload_broken_off",
        error_detail="The upload broke off.",
        error_remedy="Send the file again.",
        finished_at=clock.now(),
    )
