"""An installation of its own in other processes, which a test may kill. Commands: prepare, work, resume, take_back, tell."""

from __future__ import annotations

import io
import json
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import time_machine
from django.db.models import Count

from accounts.models import User
from expenses.models import Expense, ImportBatch, ImportRow
from expenses.services import workspaces
from expenses.services.importing import batches, runs


def main(command: str, given: dict[str, Any]) -> None:
    if command == "resume":
        with time_machine.travel(datetime.fromisoformat(given["now"]) + timedelta(hours=1), tick=True):
            _work(given)
        return
    {"prepare": _prepare, "work": _work, "take_back": _take_back, "tell": _tell}[command](given)


def _prepare(given: dict[str, Any]) -> None:
    owner = User.objects.create_user("owner")
    batch = batches.receive(
        workspace=workspaces.personal(owner), name="bank.csv", file=io.BytesIO(_file(given["rows"])), by=owner
    )
    batches.stage(batch=batch.batch, reading=batch.batch.meaning, source="bank", by=owner)
    if given["step"] == "commit":
        runs.run(batch_id=batch.batch.pk)
        batches.commit(batch=batch.batch, by=owner)


def _file(rows: int) -> bytes:
    lines = (f"2026-{1 + n % 9:02}-{1 + n % 28:02},Shop {n // 2},{n % 90 + 1}.50,EUR\n" for n in range(rows))
    return ("Date,Payee,Amount,Currency\n" + "".join(lines)).encode()


def _work(given: dict[str, Any]) -> None:
    """Says with each stored chunk how far it is, so that its parent knows when to kill it."""
    threading.Thread(target=_report, daemon=True).start()
    runs.run(batch_id=ImportBatch.objects.get().pk)


def _report() -> None:
    told = 0
    while True:
        done = ImportBatch.objects.get().done_through
        if done != told:
            told = done
            print(done, flush=True)  # noqa: T201 - the parent reads it
        time.sleep(0.02)


def _take_back(given: dict[str, Any]) -> None:
    batches.roll_back(batch=ImportBatch.objects.get(), by=User.objects.get())


def _tell(given: dict[str, Any]) -> None:
    batch = ImportBatch.objects.get()
    print(  # noqa: T201 - the parent reads it
        json.dumps(
            {
                "status": batch.status,
                "rows": ImportRow.objects.count(),
                "rows_read": batch.rows_read,
                "created": batch.created,
                "expenses": Expense.objects.kept().count(),
                "twice": Expense.objects.kept().values("date", "payee", "cost").annotate(n=Count("pk")).filter(n__gt=1).count(),
                "attempts": batch.attempts,
            }
        )
    )
