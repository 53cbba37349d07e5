"""Stored billing files read once more: tags were chosen since, or accounts connected, so their figures are told anew."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

import audit.services
from accounts.models import User
from cloudconsole import realtime
from cloudconsole.core import jobs
from costs import verbs
from costs.models import CostImport, CostSource, Engine, ImportChunk, ImportedPeriod, ImportStatus, Part
from costs.models.imports import CostImportQuerySet
from costs.services.billing import imports
from costs.services.billing.imports import NotNow


def readable() -> CostImportQuerySet:
    """Stored files that are still there to be read: kept here, or lying in a bucket that is known."""
    kept = ImportChunk.objects.filter(cost_import=OuterRef("pk"), part=Part.FILE)
    owning = ImportedPeriod.objects.owning().filter(cost_import=OuterRef("pk"))
    return CostImport.objects.filter(
        Exists(owning), Q(bucket__isnull=False) | Exists(kept), status=ImportStatus.COMMITTED
    ).select_related("bucket")


@transaction.atomic
def of_source(*, source: CostSource, by: User) -> int:
    """Read those again that tell months of the source; how many. Not what Athena would ask money for."""
    found = readable().filter(periods__in=ImportedPeriod.objects.owning().filter(source=source)).distinct().order_by("pk")
    free = [row for row in found if row.bucket is None or row.bucket.engine_in_use != Engine.ATHENA]
    return sum(_ring(row, by) for row in free)


@transaction.atomic
def apply(*, cost_import: CostImport, by: User) -> CostImport:
    """Read the file again, and store its figures as they are divided and tagged now. Raises NotNow, ForeignAccount."""
    row = readable().filter(pk=cost_import.pk).first()
    if row is None:
        raise NotNow("Only a stored file that is still there can be read again.")
    for period in row.periods.owning():
        imports.require(by, period)
    if not _ring(row, by):
        raise NotNow("Something else is being done with the file.")
    row.refresh_from_db()
    return row


def _ring(row: CostImport, by: User) -> bool:
    """False where somebody else was first."""
    changed = CostImport.objects.filter(pk=row.pk, status=ImportStatus.COMMITTED).update(
        status=ImportStatus.RECEIVED, reading=F("reading") + 1, progress=0, attempts=0, **imports.NO_ERROR, finished_at=None
    )
    if changed:
        realtime.publish("import", row.pk)
        jobs.enqueue(imports.RUN, import_id=row.pk)
        audit.services.record(verbs.IMPORT_APPLIED_AGAIN, actor=by, subject=row.name, detail={"import": row.pk})
    return bool(changed)
