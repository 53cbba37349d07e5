"""Two workers at the same moment: nothing is imported twice and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from accounts.models import User
from expenses.models import BatchStatus, Expense, ImportBatch, ImportRow, Outcome
from expenses.rules.importing.verdicts import Verdict
from expenses.services import workspaces
from expenses.services.importing import batches, runs
from expenses.tests.sending import csv_of, received, said, staged

ROWS = 1_300  # two chunks
FILE = csv_of(*[f"2026-{1 + n % 9:02}-{1 + n % 28:02},Shop {n // 2 % 50},{n % 90 + 1}.50,EUR" for n in range(ROWS)])


def worker(batch: ImportBatch) -> Callable[[], None]:
    return lambda: runs.run(batch_id=batch.pk)


def test_two_workers_at_one_import_judge_and_add_every_row_once(threads: Callable[..., None]) -> None:
    owner = User.objects.create_user("owner")
    batch = received(FILE, owner)
    batches.stage(batch=batch, reading=batch.meaning, source="bank", by=owner)
    threads(worker(batch), worker(batch))
    batch.refresh_from_db()
    assert (batch.status, batch.rows_read, ImportRow.objects.filter(batch=batch).count()) == (BatchStatus.READY, ROWS, ROWS)
    batches.commit(batch=batch, by=owner)
    threads(worker(batch), worker(batch))
    batch.refresh_from_db()
    assert (batch.status, batch.created) == (BatchStatus.COMMITTED, ROWS)
    rows = ImportRow.objects.filter(batch=batch, outcome=Outcome.CREATED)
    assert set(rows.values_list("expense", flat=True)) == set(Expense.objects.kept().values_list("pk", flat=True))
    assert Expense.objects.kept().count() == ROWS


def test_two_imports_of_the_same_rows_at_once_add_them_once(threads: Callable[..., None]) -> None:
    owner = User.objects.create_user("owner")
    first, second = (staged(FILE, owner, into=workspaces.personal(owner)) for _ in range(2))
    for batch in (first, second):
        batches.commit(batch=batch, by=owner)
    threads(worker(first), worker(second))
    for batch in (first, second):
        batch.refresh_from_db()
    assert {first.status, second.status} == {BatchStatus.COMMITTED}
    assert first.created + second.created == ROWS
    assert first.count(Verdict.DUPLICATE) + second.count(Verdict.DUPLICATE) == ROWS
    lines = (line.split(",") for line in FILE.decode().splitlines()[1:])
    assert Counter(said()) == Counter((day, payee, f"{Decimal(cost):.4f}") for day, payee, cost, _ in lines)
