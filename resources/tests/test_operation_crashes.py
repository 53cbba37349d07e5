"""A worker killed with -9 before, during and after the call that changes something: it is never made twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.services.operations.moves import LEASE
from resources.tests.operating import CHANGING, REGION

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An empty database on the server under test, or a file."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'crash.sqlite3'}"
        return
    import psycopg

    name = f"operations_crash_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Installation:
    """Runs `resources.tests.installation` in processes of its own; its clock is moved from here."""

    def __init__(self, aws: SimulatorHandle, database_url: str, folder: Path, instance_id: str) -> None:
        self.aws = aws
        key = aws.key("development")
        self.now = datetime.now(UTC)
        self.given = {
            "account": key.account_id,
            "key": key.access_key_id,
            "secret": key.secret_access_key,
            "region": REGION,
            "instance": instance_id,
        }
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": "",
            "VAR_DIR": str(folder),
            "AWS_ENDPOINT_URL": aws.url,
            "LOG_LEVEL": "ERROR",
        }

    def later(self, after: timedelta) -> None:
        self.now += after
        self.aws.set_now(self.now)

    def start(self, command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "resources.tests.installation", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.environment,
        )
        assert process.stdin
        process.stdin.write(json.dumps({**self.given, "now": self.now.isoformat()}))
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

    def kill_when(self, reached: Callable[[], bool]) -> None:
        """Start a worker and end it, without a warning, as soon as it came so far.

        Faults that keep the answer back are told of at once, so the worker is still waiting then.
        """
        worker = self.start("work")
        deadline = time.monotonic() + 60
        while not reached() and time.monotonic() < deadline:
            assert worker.poll() is None
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

    def sweep_until_over(self) -> dict[str, Any]:
        self.later(LEASE + timedelta(seconds=1))
        for _ in range(8):
            told: dict[str, Any] = json.loads(self.do("sweep"))
            if told["status"] != "running":
                return told
            self.later(timedelta(seconds=31))
        raise AssertionError(told)

    def calls(self, *names: str) -> list[str]:
        return [call.operation for call in self.aws.calls() if call.operation in names]

    def changes(self) -> list[str]:
        return self.calls(*CHANGING)


@pytest.fixture
def installation(simulator: SimulatorHandle, database_url: str, tmp_path: Path) -> Iterator[Installation]:
    simulator.set_now(datetime.now(UTC))
    made = Installation(simulator, database_url, tmp_path, running_instance(simulator))
    made.do("prepare")
    simulator.clear_calls()
    yield made
    simulator.reset()


def running_instance(aws: SimulatorHandle) -> str:
    """An instance of the simulated fleet that runs."""
    from cloudconsole.aws import clients, ec2
    from cloudconsole.aws.credentials import Access, StaticKey

    key = aws.key("development")
    access = Access("fleet", StaticKey(key.access_key_id, key.secret_access_key))
    found = [one for page in ec2.instances(access, REGION) for one in page if one.state == "running"]
    clients.close()
    return found[0].instance_id


def test_killed_before_the_call_it_is_sent_by_the_next_worker(installation: Installation) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="DescribeInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.calls("DescribeInstances")))
    held = json.loads(installation.do("sweep"))  # the lease still holds: nobody else may go on
    assert (held["status"], held["phase"]) == ("running", "new")
    assert installation.changes() == []

    told = installation.sweep_until_over()
    assert (told["status"], told["attempts"]) == ("succeeded", 1)
    assert installation.changes() == ["StopInstances"]


def test_killed_during_the_call_it_is_looked_at_and_never_sent_again(installation: Installation) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.LOST, operation="StopInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.changes()))
    killed = installation.tell()
    assert (killed["status"], killed["phase"], killed["trail"][-1]) == ("running", "sent", "operation.sent")

    told = installation.sweep_until_over()
    assert (told["status"], told["accepted"]) == ("succeeded", False)
    assert installation.changes() == ["StopInstances"]
    assert told["trail"] == ["operation.requested", "operation.sent", "operation.finished"]


def test_killed_during_a_call_that_never_did_anything_it_ends_as_unknown(installation: Installation) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="StopInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.changes()))
    told = installation.sweep_until_over()
    assert (told["status"], told["outcome_code"]) == ("unknown", "outcome_unknown")
    assert "is running" in told["outcome_detail"]
    assert installation.changes() == ["StopInstances"]


def test_killed_after_the_call_it_is_verified_by_the_next_worker(installation: Installation) -> None:
    installation.do("work")
    assert installation.tell()["phase"] == "verifying"
    installation.later(timedelta(seconds=2))
    installation.aws.clear_calls()
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="DescribeInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.calls("DescribeInstances")))
    told = installation.sweep_until_over()
    assert (told["status"], told["accepted"]) == ("succeeded", True)
    assert installation.changes() == []
