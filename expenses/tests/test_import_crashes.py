"""A worker killed with -9 in the middle of a file: the next one goes on, and no row is read, imported or taken back twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudconsole.core import clock
from tests.installations import Installation, kill

ROWS = 3_000


class Importing(Installation):
    def __init__(self, database_url: str, folder: Path, step: str) -> None:
        super().__init__("expenses.tests.installation", database_url=database_url, folder=folder)
        self.step = step

    def given(self) -> Mapping[str, Any]:
        return {"rows": ROWS, "step": self.step, "now": clock.now().isoformat()}

    def kill_behind_the_first_chunk(self) -> None:
        """Start a worker and end it as soon as it says that a part is stored."""
        worker = self.start("work")
        assert worker.stdout.readline().strip()
        kill(worker)


def test_a_file_whose_worker_was_killed_while_it_read_is_judged_once(database_url: str, tmp_path: Path) -> None:
    installation = Importing(database_url, tmp_path, "stage")
    installation.do("prepare")
    installation.kill_behind_the_first_chunk()
    killed = installation.tell()
    assert killed["status"] == "staging"
    assert 0 < killed["rows"] < ROWS
    installation.do("work")  # the lease still holds: nobody else may go on
    assert installation.tell() == killed
    installation.do("resume")
    done = installation.tell()
    assert (done["status"], done["rows"], done["rows_read"]) == ("ready", ROWS, ROWS)


def test_an_import_whose_worker_was_killed_adds_every_row_once_and_goes_back_whole(database_url: str, tmp_path: Path) -> None:
    installation = Importing(database_url, tmp_path, "commit")
    installation.do("prepare")
    installation.kill_behind_the_first_chunk()
    killed = installation.tell()
    assert killed["status"] == "committing"
    assert 0 < killed["expenses"] == killed["created"] < ROWS
    installation.do("resume")
    done = installation.tell()
    assert (done["status"], done["created"], done["expenses"], done["twice"]) == ("committed", ROWS, ROWS, 0)
    installation.do("take_back")
    installation.kill_behind_the_first_chunk()
    assert 0 < installation.tell()["expenses"] < ROWS
    installation.do("resume")
    assert (installation.tell()["status"], installation.tell()["expenses"]) == ("rolled_back", 0)
