"""Doing what an import waits for. The row says what; a worker that dies leaves it for the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction

import audit.services
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import BatchStatus, ImportBatch
from expenses.services.importing import batches, committing, leases, rollbacks, staging
from expenses.services.importing.leases import Lease, LeaseLost

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 5
# An upload that has not arrived by then never will: its process is gone.
ARRIVES_WITHIN: Final = timedelta(hours=12)

_STEPS: Final[dict[str, Callable[[ImportBatch, Lease], None]]] = {
    BatchStatus.STAGING: staging.stage,
    BatchStatus.COMMITTING: committing.commit,
    BatchStatus.ROLLING_BACK: rollbacks.roll_back,
}


class WorkerLost(CloudconsoleError):
    kind = Kind.UNAVAILABLE
    code = "worker_lost"
    title = "Workers ended several times over the file"


def run(*, batch_id: int) -> None:
    """Do the step that the import waits for. Safe to call at any time."""
    lease = leases.claim(batch_id)
    if lease is None:
        return
    batch = ImportBatch.objects.select_related("workspace", "owner").get(pk=batch_id)
    try:
        _step(batch, lease)
    except LeaseLost:
        log.info("lease_lost", expense_import=batch_id)


def _step(batch: ImportBatch, lease: Lease) -> None:
    if batch.attempts > MAX_ATTEMPTS:
        _fail(batch, lease, WorkerLost("Workers ended several times while they worked on the file. See the worker's log."))
        return
    try:
        _STEPS[batch.status](batch, lease)
    except CloudconsoleError as error:
        _fail(batch, lease, error)


def _fail(batch: ImportBatch, lease: Lease, error: CloudconsoleError) -> None:
    """What was done before stays done, and the step can be tried again."""
    with transaction.atomic():
        lease.give_back(
            status=BatchStatus.FAILED,
            failed_step=batch.status,
            error_code=error.code,
            error_detail=error.detail,
            finished_at=clock.now(),
        )
        detail: dict[str, str | int | bool | None] = {"import": batch.pk, "code": error.code}
        audit.services.record(verbs.IMPORT_FAILED, actor=None, subject=batch.name, outcome="failure", detail=detail)


def tick() -> None:
    """Ring for imports that nobody works on, and let go of uploads that broke off."""
    for pk in leases.waiting().order_by("pk").values_list("pk", flat=True):
        jobs.enqueue(batches.RUN, batch_id=pk)
    ImportBatch.objects.filter(status=BatchStatus.RECEIVING, created_at__lt=clock.now() - ARRIVES_WITHIN).delete()
