"""What nobody can bring back any more is removed for good."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from cloudconsole.core import clock
from expenses.models import BatchStatus, Edit, EditedExpense, Expense, ImportBatch, Receipt, ReceiptFile
from expenses.services.edits import KEPT_FOR
from expenses.services.importing import batches

AT_ONCE = 1000
WITHOUT_DECISION = (BatchStatus.MAPPING, BatchStatus.READY, BatchStatus.FAILED)


def forget() -> None:
    """Expenses deleted, and edits made, before the time that undoing reaches back; files to import that nobody decided about, and
    those that no receipt has."""
    before = clock.now() - KEPT_FOR
    # An edit of all that matched may have a million rows: its rows go in parts, and it goes when it has none.
    _remove(EditedExpense.objects.filter(edit__created_at__lt=before))
    _remove(Edit.objects.filter(created_at__lt=before))
    _remove(Expense.objects.filter(deleted_at__lt=before))
    _forget_files(before)
    ReceiptFile.objects.filter(created_at__lt=before).exclude(pk__in=Receipt.objects.values("file")).delete()


def _remove(old: QuerySet[Any]) -> None:
    while pks := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        old.model._default_manager.filter(pk__in=pks).delete()


def _forget_files(before: datetime) -> None:
    """A bank's file says more than its expenses: it is not kept for one who never comes back to it."""
    lying = ImportBatch.objects.filter(status__in=WITHOUT_DECISION, created_at__lt=before, created=0, updated=0)
    for batch in lying.order_by("pk"):
        with suppress(batches.NotNow):  # somebody decided at this moment
            batches.discard(batch=batch, by=None)
