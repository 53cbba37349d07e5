"""What importing expenses takes: seconds for ten thousand rows, and memory as the file grows.

Run it with `python -m bench.expense_imports [lines]`. Each size has a process of its own, with a database of its own in a
temporary folder, whose largest resident size is what counts. The first tenth comes a second time, and is compared row by row.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from bench.aws_clients import Result

SMALL, LARGE = 10_000, 1_000_000
MOST_SECONDS = 30.0
MOST_GROWTH_MB = 100


@dataclass(frozen=True)
class Import:
    """Seconds until all rows are judged, and until they are imported; the largest size of the process in MB; is all there?"""

    staged_seconds: float
    committed_seconds: float
    megabytes: float
    exact: bool

    @property
    def seconds(self) -> float:
        return self.staged_seconds + self.committed_seconds


def main(large_rows: int = LARGE) -> list[Result]:
    small, large = _in_its_own_process(SMALL), _in_its_own_process(large_rows)
    growth = large.megabytes - small.megabytes
    return [
        Result(
            f"import of {SMALL:,} expenses in the background",
            f"{small.seconds:.1f} s ({small.staged_seconds:.1f} s to judge, {small.committed_seconds:.1f} s to add)",
            f"at most {MOST_SECONDS:.0f} s",
            small.seconds <= MOST_SECONDS and small.exact,
        ),
        Result(
            f"its memory: {SMALL:,} beside {large_rows:,} rows",
            f"{small.megabytes:.0f} MB and {large.megabytes:.0f} MB at the peak, {large.seconds:.0f} s",
            f"at most {MOST_GROWTH_MB} MB more",
            growth <= MOST_GROWTH_MB and large.exact,
        ),
    ]


def _in_its_own_process(rows: int) -> Import:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "REDIS_URL": ""}
        command = [sys.executable, "-m", "bench.expense_imports", "measure", str(rows), folder]
        told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        return Import(**json.loads(told.splitlines()[-1]))


def make_file(path: Path, rows: int) -> None:
    """Nine years of a card, oldest first; every tenth purchase stands there twice."""
    with path.open("w") as file:
        file.write("Date,Payee,Amount,Currency,Category\n")
        for number in range(rows):
            purchase = number - number % 10 % 9 // 8
            day = f"{2017 + purchase * 9 // rows}-{1 + purchase * 108 // rows % 12:02}-{1 + purchase % 28:02}"
            file.write(f"{day},Shop {purchase % 997},{1 + purchase % 400}.{purchase % 100:02},EUR,Kind {purchase % 30}\n")


def measure(rows: int, folder: Path) -> Import:
    """Import the file, then its first tenth again: each of its rows is compared with what is there, and none is added."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from accounts.models import User
    from expenses.models import Expense, ImportBatch
    from expenses.services import workspaces
    from expenses.services.importing import batches, runs

    make_file(folder / "card.csv", rows)
    with (folder / "card.csv").open() as whole, (folder / "again.csv").open("w") as again:
        again.writelines(islice(whole, 1 + rows // 10))
    owner = User.objects.create_user("bench")

    def imported(name: str) -> tuple[float, float]:
        with (folder / name).open("rb") as file:
            batch = batches.receive(workspace=workspaces.personal(owner), name=name, file=file, by=owner).batch
        started = time.perf_counter()
        batches.stage(batch=batch, reading=batch.meaning, source="card", by=owner)
        runs.run(batch_id=batch.pk)
        staged = time.perf_counter()
        batches.commit(batch=ImportBatch.objects.get(pk=batch.pk), by=owner)
        runs.run(batch_id=batch.pk)
        return staged - started, time.perf_counter() - staged

    staged, committed = imported("card.csv")
    imported("again.csv")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Import(staged, committed, megabytes, Expense.objects.kept().count() == rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(asdict(measure(int(sys.argv[2]), Path(sys.argv[3])))))
    else:
        from bench.__main__ import print_table

        print_table(main(int(sys.argv[1]) if sys.argv[1:] else LARGE))
