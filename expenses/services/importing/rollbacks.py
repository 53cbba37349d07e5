"""Taking an import back: what it made goes, what it changed gets its former values, what was there before is not touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

import audit.services
from cloudconsole.core import clock
from expenses import verbs
from expenses.models import BatchStatus, Expense, ImportBatch, ImportRow, Outcome
from expenses.rules.statuses import CHANGEABLE
from expenses.selectors import imports
from expenses.services import edits
from expenses.services.importing import committing
from expenses.services.importing.leases import Lease

CHUNK: Final = 1000


def roll_back(batch: ImportBatch, lease: Lease) -> None:
    """Go on behind the last row that is done. Raises LeaseLost."""
    while chunk := list(imports.made(batch).filter(number__gt=batch.done_through).order_by("number")[:CHUNK]):
        with transaction.atomic():
            batch.done_through, batch.done = chunk[-1].number, batch.done + len(chunk)
            lease.renew(done_through=batch.done_through, done=batch.done)
            batch.kept += _take_back(batch, chunk)
            lease.renew(kept=batch.kept)
    with transaction.atomic():
        lease.give_back(status=BatchStatus.ROLLED_BACK, attempts=0, finished_at=clock.now())
        detail: dict[str, str | int | bool | None] = {
            "workspace": batch.workspace.name,
            "import": batch.pk,
            "count": batch.done - batch.kept,
        }
        audit.services.record(verbs.IMPORT_ROLLED_BACK, actor=None, subject=batch.name, detail=detail)


def _take_back(batch: ImportBatch, chunk: Sequence[ImportRow]) -> int:
    """How many stay as they are, because somebody edited them since. They can be taken back later, as they are then."""
    rows = {row.expense: row for row in chunk}
    locked = Expense.objects.kept().select_for_update(of=("self",)).filter(pk__in=rows, workspace=batch.workspace_id)
    there = list(locked.order_by("pk"))
    kept = [one for one in there if not _may_go(batch, one, rows[one.pk])]
    going = [one for one in there if one not in kept]
    _delete([one for one in going if rows[one.pk].outcome == Outcome.CREATED])
    _restore([one for one in going if rows[one.pk].outcome == Outcome.UPDATED], rows)
    done = [row.pk for pk, row in rows.items() if pk not in {one.pk for one in kept}]
    ImportRow.objects.filter(pk__in=done).update(outcome=Outcome.UNDONE)
    return len(kept)


def _may_go(batch: ImportBatch, expense: Expense, row: ImportRow) -> bool:
    if batch.workspace.needs_approval and expense.status not in CHANGEABLE:
        return False  # it was handed in: others rely on it
    return batch.takes_edited or expense.revision == row.revision


def _delete(expenses: Sequence[Expense]) -> None:
    now = clock.now()
    for one in expenses:
        one.deleted_at = now
    edits.save_all(expenses, ["deleted_at"])


def _restore(expenses: Sequence[Expense], rows: Mapping[UUID, ImportRow]) -> None:
    for one in expenses:
        committing.write(one, rows[one.pk].before)
    edits.save_all(expenses, {name for one in expenses for name in rows[one.pk].before})
