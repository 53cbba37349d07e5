"""A worker killed with -9 while CloudWatch is asked, and two schedulers: the spare instance is started once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.services.automation.slots import LEASE
from resources.tests.operating import REGION
from resources.tests.scaling import CPU
from resources.tests.test_operation_crashes import Operating, running_instance


@pytest.fixture
def installation(simulator: SimulatorHandle, database_url: str, tmp_path: Path) -> Iterator[Operating]:
    """A rule is armed, and what it watches is busy for an hour."""
    simulator.set_now(datetime.now(UTC))
    instance = running_instance(simulator)
    made = Operating(simulator, database_url, tmp_path, instance)
    made.do("prepare_rule")
    since = made.now - timedelta(hours=1)
    simulator.put_metric(made.given()["account"], REGION, CPU, {"InstanceId": instance}, value=95, since=since)
    made.later(timedelta(minutes=10))
    simulator.clear_calls()
    yield made
    simulator.reset()


def test_a_worker_killed_while_it_asks_has_decided_nothing_and_its_successor_decides_once(installation: Operating) -> None:
    aws = installation.aws
    installation.do("beat")
    aws.add_faults(Fault("cloudwatch", FaultKind.TIMEOUT, seconds=5))
    installation.kill_when(lambda: bool(installation.calls("GetMetricData")), "read")
    aws.clear_faults()
    assert installation.told("tell_rule")["operations"] == []
    installation.do("read")  # the dead one's lease still holds
    assert installation.told("tell_rule")["operations"] == []
    installation.later(LEASE + timedelta(seconds=20))
    for command in ("read", "read"):
        installation.do(command)
    found = installation.told("tell_rule")
    assert (found["operations"], found["decisions"]) == (["ec2.start"], 1)
    assert [status for status, _ in found["slots"]] == ["done"]


def test_two_schedulers_and_workers_of_their_own_start_it_once(installation: Operating) -> None:
    for command in ("beat", "read"):
        processes = [installation.start(command) for _ in range(2)]
        for process in processes:
            assert process.wait() == 0
    found = installation.told("tell_rule")
    assert (found["operations"], found["decisions"], len(found["slots"])) == (["ec2.start"], 1, 1)
