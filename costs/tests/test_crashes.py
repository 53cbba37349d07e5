"""A worker killed with -9 in the middle: the next tick finishes its run, and nothing is stored or lost twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from costs.rules.windows import refresh
from costs.tests.conftest import NOW, TODAY

ROOT = Path(__file__).resolve().parents[2]
WINDOWS = 6
KILLED_AT = 3  # the worker waits for the answer to this request


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An empty database on the server under test, or a file."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'crash.sqlite3'}"
        return
    import psycopg

    name = f"crash_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Installation:
    """Runs `costs.tests.installation` in processes of its own."""

    def __init__(self, aws: SimulatorHandle, database_url: str, folder: Path) -> None:
        self.aws = aws
        key = aws.key("hub")
        self.given = {
            "now": NOW.isoformat(),
            "account": key.account_id,
            "key": key.access_key_id,
            "secret": key.secret_access_key,
        }
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": "",
            "VAR_DIR": str(folder),
            "AWS_ENDPOINT_URL": aws.url,
            "LOG_LEVEL": "ERROR",
        }

    def start(self, command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "costs.tests.installation", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.environment,
        )
        assert process.stdin
        process.stdin.write(json.dumps(self.given))
        process.stdin.close()
        process.stdin = None
        return process

    def do(self, command: str) -> str:
        process = self.start(command)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return output

    def tell(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.do("tell"))
        return found

    def kill_at_request(self, number: int) -> None:
        """Start a worker and end it while AWS thinks about its request of this number."""
        self.aws.clear_calls()
        worker = self.start("work")
        deadline = time.monotonic() + 60
        while len([call for call in self.aws.calls() if call.service == "ce"]) < number and time.monotonic() < deadline:
            assert worker.poll() is None
        worker.send_signal(signal.SIGKILL)
        worker.communicate()


def test_a_run_whose_worker_was_killed_is_finished_by_the_next_tick(
    aws: SimulatorHandle, database_url: str, tmp_path: Path
) -> None:
    installation = Installation(aws, database_url, tmp_path)
    installation.do("prepare")
    aws.add_faults(Fault("ce", FaultKind.SLOW, after=KILLED_AT - 1, times=1, seconds=2))
    installation.kill_at_request(KILLED_AT)

    killed = installation.tell()
    assert killed["status"] == "running"
    assert killed["windows"].count("stored") <= KILLED_AT
    assert killed["requests"] == KILLED_AT

    installation.do("work")  # the lease still holds: nobody else may go on
    assert installation.tell() == killed

    installation.do("resume")
    done = installation.tell()
    assert (done["status"], done["windows"]) == ("succeeded", ["stored"] * WINDOWS)
    days = refresh(TODAY)
    truth = sum(
        (aws.ledger.totals(days.start + timedelta(days=number), NOW)[()].unblended for number in range(days.days)), Decimal(0)
    )
    assert [Decimal(done[name]) for name in ("total", "fact_total", "month_total")] == [truth] * 3
