"""A worker killed with -9 before, during and after the call that changes something: it is never made twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.services.operations.moves import LEASE
from resources.tests.operating import CHANGING, REGION
from tests.installations import Installation


class Operating(Installation):
    """Its clock is moved from here. Faults that keep an answer back are told of at once, so a killed worker was waiting then."""

    def __init__(self, aws: SimulatorHandle, database_url: str, folder: Path, instance_id: str, **environment: str) -> None:
        environment["AWS_ENDPOINT_URL"] = aws.url
        super().__init__("resources.tests.installation", database_url=database_url, folder=folder, **environment)
        self.aws, self.instance_id, self.now = aws, instance_id, datetime.now(UTC)

    def given(self) -> Mapping[str, str]:
        key = self.aws.key("development")
        return {
            "account": key.account_id,
            "key": key.access_key_id,
            "secret": key.secret_access_key,
            "region": REGION,
            "instance": self.instance_id,
            "now": self.now.isoformat(),
        }

    def later(self, after: timedelta) -> None:
        self.now += after
        self.aws.set_now(self.now)

    def sweep_until_over(self) -> dict[str, Any]:
        self.later(LEASE + timedelta(seconds=20))
        for _ in range(8):
            told = self.told("sweep")
            if told["status"] != "running":
                return told
            self.later(timedelta(seconds=31))
        raise AssertionError(told)

    def calls(self, *names: str) -> list[str]:
        return [call.operation for call in self.aws.calls() if call.operation in names]

    def changes(self) -> list[str]:
        return self.calls(*CHANGING)


@pytest.fixture
def installation(simulator: SimulatorHandle, database_url: str, tmp_path: Path) -> Iterator[Operating]:
    simulator.set_now(datetime.now(UTC))
    made = Operating(simulator, database_url, tmp_path, running_instance(simulator))
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


def test_killed_before_the_call_it_is_sent_by_the_next_worker(installation: Operating) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="DescribeInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.calls("DescribeInstances")))
    held = installation.told("sweep")  # the lease still holds: nobody else may go on
    assert (held["status"], held["phase"]) == ("running", "new")
    assert installation.changes() == []

    told = installation.sweep_until_over()
    assert (told["status"], told["attempts"]) == ("succeeded", 1)
    assert installation.changes() == ["StopInstances"]


def test_killed_during_the_call_it_is_looked_at_and_never_sent_again(installation: Operating) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.LOST, operation="StopInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.changes()))
    killed = installation.tell()
    assert (killed["status"], killed["phase"], killed["trail"][-1]) == ("running", "sent", "operation.sent")

    told = installation.sweep_until_over()
    assert (told["status"], told["accepted"]) == ("succeeded", False)
    assert installation.changes() == ["StopInstances"]
    assert told["trail"] == ["operation.requested", "operation.sent", "operation.finished"]


def test_killed_during_a_call_that_never_did_anything_it_ends_as_unknown(installation: Operating) -> None:
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="StopInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.changes()))
    told = installation.sweep_until_over()
    assert (told["status"], told["outcome_code"]) == ("unknown", "outcome_unknown")
    assert "is running" in told["outcome_detail"]
    assert installation.changes() == ["StopInstances"]


def test_killed_after_the_call_it_is_verified_by_the_next_worker(installation: Operating) -> None:
    installation.do("work")
    assert installation.tell()["phase"] == "verifying"
    installation.later(timedelta(seconds=2))
    installation.aws.clear_calls()
    installation.aws.add_faults(Fault("ec2", FaultKind.TIMEOUT, operation="DescribeInstances", seconds=5))
    installation.kill_when(lambda: bool(installation.calls("DescribeInstances")))
    told = installation.sweep_until_over()
    assert (told["status"], told["accepted"]) == ("succeeded", True)
    assert installation.changes() == []
