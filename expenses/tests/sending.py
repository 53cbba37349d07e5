"""Sending files in tests, as people and workers do it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from accounts.models import User
from expenses.models import Expense, ImportBatch, ImportRow, Workspace
from expenses.rules.importing.readings import Reading
from expenses.services import workspaces
from expenses.services.importing import batches, runs

HEADER = "Date,Payee,Amount,Currency\n"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return (header + "".join(f"{row}\n" for row in rows)).encode()


def coffees(count: int, day: str = "2026-01-05") -> bytes:
    return csv_of(*[f"{day},Café,3.50,EUR"] * count)


def received(data: bytes, by: User, *, name: str = "bank.csv", into: Workspace | None = None) -> ImportBatch:
    return batches.receive(workspace=into or workspaces.personal(by), name=name, file=io.BytesIO(data), by=by).batch


def staged(data: bytes, by: User, *, name: str = "bank.csv", into: Workspace | None = None, **told: object) -> ImportBatch:
    """Sent, and judged by a worker; `told` replaces parts of what was recognised of the columns."""
    batch = received(data, by, name=name, into=into)
    reading = Reading.of_json({**batch.reading, **told})
    batches.stage(batch=batch, reading=reading, source=batch.source, by=by)
    return worked(batch)


def committed(data: bytes, by: User, *, name: str = "bank.csv", into: Workspace | None = None, **told: object) -> ImportBatch:
    return imported(staged(data, by, name=name, into=into, **told), by)


def imported(batch: ImportBatch, by: User) -> ImportBatch:
    batches.commit(batch=batch, by=by)
    return worked(batch)


def taken_back(batch: ImportBatch, by: User, *, takes_edited: bool = False) -> ImportBatch:
    batches.roll_back(batch=batch, by=by, takes_edited=takes_edited)
    return worked(batch)


def worked(batch: ImportBatch) -> ImportBatch:
    runs.run(batch_id=batch.pk)
    batch.refresh_from_db()
    return batch


def verdicts_of(batch: ImportBatch) -> list[str]:
    return list(ImportRow.objects.filter(batch=batch).order_by("number").values_list("verdict", flat=True))


def said(expenses: Iterable[Expense] | None = None) -> list[tuple[str, str, str]]:
    """Day, payee and cost of all expenses there are."""
    found = Expense.objects.kept() if expenses is None else expenses
    return sorted((str(one.date), one.payee or one.description, f"{one.cost:f}") for one in found)
