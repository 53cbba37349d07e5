"""Making expenses of rows, a thousand in one transaction. Each chunk looks again at what is there by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import transaction

import audit.services
from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from expenses import verbs
from expenses.models import BatchStatus, Expense, ImportBatch, ImportRow, Outcome, Workspace
from expenses.rules.entries import Entry
from expenses.rules.importing.verdicts import Decision, Known, Verdict
from expenses.rules.statuses import CHANGEABLE, MemberRole
from expenses.selectors import imports, workspaces
from expenses.services import categorising, edits, expenses, inputs
from expenses.services.importing import ledger
from expenses.services.importing.leases import Lease
from expenses.services.inputs import ExpenseInput
from expenses.services.names import Names

CHUNK: Final = 1000
_MEANWHILE: Final = "The same expense was added while the file waited."


class OwnerGone(CloudconsoleError):
    code = "owner_gone"
    title = "Nobody would own the expense"


def commit(batch: ImportBatch, lease: Lease) -> None:
    """Go on behind the last row that is done. Raises LeaseLost."""
    names = Names(batch.workspace)
    while chunk := list(imports.rows(batch).filter(imports.TAKEN, number__gt=batch.done_through)[:CHUNK]):
        with transaction.atomic():
            batch.done_through, batch.done = chunk[-1].number, batch.done + len(chunk)
            lease.renew(done_through=batch.done_through, done=batch.done)
            _import(batch, chunk, names)
            lease.renew(created=batch.created, updated=batch.updated, counts=batch.counts)
    with transaction.atomic():
        lease.give_back(status=BatchStatus.COMMITTED, attempts=0, finished_at=clock.now())
        batch.pieces.all().delete()  # a bank's file says more than what was taken of it, and nothing reads it again
        detail: dict[str, str | int | bool | None] = {
            "workspace": batch.workspace.name,
            "import": batch.pk,
            "created": batch.created,
            "updated": batch.updated,
        }
        audit.services.record(verbs.IMPORT_COMMITTED, actor=None, subject=batch.name, detail=detail)


def _import(batch: ImportBatch, chunk: Sequence[ImportRow], names: Names) -> None:
    # One import at a time may add to a workspace: two files with the same row would else both find it missing.
    Workspace.objects.select_for_update().get(pk=batch.workspace_id)
    before = Counter(row.verdict for row in chunk)
    _look_again(batch, chunk)
    changed = [row for row in chunk if row.verdict == Verdict.CHANGED]
    _create(batch, [row for row in chunk if row.verdict not in (Verdict.CHANGED, Verdict.INVALID) and _is_wanted(row)], names)
    _update(batch, changed)
    _recount(batch, before, Counter(row.verdict for row in chunk))


def _is_wanted(row: ImportRow) -> bool:
    return row.verdict != Verdict.DUPLICATE or (row.decision == Decision.TAKE and row.occurrence is not None)


def _look_again(batch: ImportBatch, chunk: Sequence[ImportRow]) -> None:
    """Rows that nobody decided about, and whose expense came from somewhere else since they were judged, are duplicates now."""
    parsed = [Entry.of_json(row.parsed) for row in chunk]
    there = ledger.known(batch, parsed)
    own = _own(batch, there)
    others = [one for one in there if one.id not in own]
    ids = {one.external_id for one in others if one.source == batch.source and one.external_id}
    counts = _counts(others, batch.source)
    late = [row for row in chunk if row.verdict != Verdict.CHANGED and _came_meanwhile(row, ids, counts)]
    for row in late:
        row.verdict, row.reason = Verdict.DUPLICATE, _MEANWHILE
        row.occurrence = None if row.external_id in ids else row.occurrence
    ImportRow.objects.bulk_update(late, ["verdict", "reason", "occurrence"], batch_size=200)


def _own(batch: ImportBatch, there: Iterable[Known]) -> set[UUID]:
    """Those of them that this import made itself."""
    made = ImportRow.objects.filter(batch=batch, outcome=Outcome.CREATED, expense__in=[one.id for one in there])
    return set(made.values_list("expense", flat=True))


def _counts(others: Iterable[Known], source: str) -> tuple[Counter[str], Counter[str]]:
    """How many there are of each fingerprint: all of them, and those without an id at the source."""
    kept = list(others)
    without_id = Counter(one.fingerprint for one in kept if not (one.source == source and one.external_id))
    return Counter(one.fingerprint for one in kept), without_id


def _came_meanwhile(row: ImportRow, ids: set[str], counts: tuple[Counter[str], Counter[str]]) -> bool:
    if row.external_id and row.external_id in ids:
        return True
    if row.decision == Decision.TAKE or row.occurrence is None:
        return False
    alike = counts[1] if row.external_id else counts[0]
    return row.occurrence < alike[row.fingerprint]


def _create(batch: ImportBatch, rows: Sequence[ImportRow], names: Names) -> None:
    built: dict[int, Expense] = {}
    owner = _owner(batch) if rows else None
    for row in rows:
        try:
            built[row.pk] = _built(batch, row, owner, names)
        except CloudconsoleError as error:
            row.verdict, row.reason = Verdict.INVALID, error.detail[:300]
    categorising.fill_in(built.values(), batch.workspace, names=names)
    expenses.insert(list(built.values()))
    ImportRow.objects.filter(pk__in=built).update(outcome=Outcome.CREATED, revision=1)
    ImportRow.objects.bulk_update([row for row in rows if row.pk not in built], ["verdict", "reason"], batch_size=200)
    batch.created += len(built)


def _owner(batch: ImportBatch) -> User | None:
    """Who sent the file, while they may still enter expenses there."""
    sender = batch.owner
    return sender if sender is not None and workspaces.may(sender, batch.workspace, MemberRole.CONTRIBUTOR) else None


def _built(batch: ImportBatch, row: ImportRow, owner: User | None, names: Names) -> Expense:
    """An expense with the id that the row has had since it was read: it cannot be made a second time."""
    if owner is None:
        raise OwnerGone("Whoever sent the file is gone, or may enter nothing here any more.")
    given = ExpenseInput.of_json(row.parsed)
    expense = expenses.build(names=names, given=given, owner=owner, source=batch.source)
    expense.id = row.expense
    return expense


def _update(batch: ImportBatch, rows: Sequence[ImportRow]) -> None:
    """Write what the source tells now, where whoever sent the file may; only the fields of which it tells something else."""
    wanted = {row.match: row for row in rows if row.match is not None}
    locked = Expense.objects.kept().select_for_update(of=("self",)).filter(pk__in=wanted, workspace=batch.workspace_id)
    found = _allowed(batch, list(locked.order_by("pk")), wanted)
    fields: set[str] = set()
    for expense in found:
        row = wanted[expense.pk]
        row.before = edits.image_of(expense, row.diff)
        fields.update(row.diff)
        write(expense, {name: after for name, (_, after) in row.diff.items()})
        row.expense, row.outcome, row.revision = expense.pk, Outcome.UPDATED, expense.revision + 1
    edits.save_all(found, fields)
    ImportRow.objects.bulk_update([wanted[one.pk] for one in found], ["before", "expense", "outcome", "revision"], batch_size=200)
    batch.updated += len(found)


def _allowed(batch: ImportBatch, found: Sequence[Expense], rows: Mapping[UUID, ImportRow]) -> list[Expense]:
    """Those that the sender of the file may change now, as by any other way; the rows of the others say why not."""
    sender, place = batch.owner, batch.workspace
    may_own, may_all = (
        sender is not None and workspaces.may(sender, place, role) for role in (MemberRole.CONTRIBUTOR, MemberRole.APPROVER)
    )
    refused = []
    for one in found:
        row = rows[one.pk]
        if place.needs_approval and one.status not in CHANGEABLE:
            row.verdict, row.reason = Verdict.INVALID, "It was handed in. Take it back first, then import the change."
        elif not (may_own if one.owner_id == batch.owner_id else may_all):
            row.verdict, row.reason = Verdict.INVALID, "It is somebody else's expense: changing it takes an approver."
        else:
            continue
        refused.append(row)
    ImportRow.objects.bulk_update(refused, ["verdict", "reason"], batch_size=200)
    return [one for one in found if rows[one.pk].verdict != Verdict.INVALID]


def write(expense: Expense, values: dict[str, str]) -> None:
    """Set columns from how they are kept in rows; nothing is saved."""
    for name, value in values.items():
        match name:
            case "date":
                expense.date = date.fromisoformat(value)
            case "cost":
                expense.cost = Decimal(value)
            case _:
                setattr(expense, name, value)
    inputs.derive(expense)


def _recount(batch: ImportBatch, before: Counter[str], after: Counter[str]) -> None:
    counts = Counter({name: int(n) for name, n in batch.counts.items()})
    counts.update(after)
    counts.subtract(before)
    batch.counts = {str(name): n for name, n in counts.items() if n}
