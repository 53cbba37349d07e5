"""Workers killed with -9 while AWS is asked about quotas, and several at once: nothing is stored or told twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.tests.quotas import US
from resources.tests.test_operation_crashes import Operating

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
TOKENS = "L-F4DDD3EB"
VCPUS = ("AWS/Usage", "ResourceCount", {"Service": "EC2", "Resource": "vCPU", "Type": "Resource", "Class": "P/OnDemand"})
MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=4, seconds=20)  # and what a slow machine takes to begin


class Watching(Operating):
    """Its quotas are read in one region."""

    def given(self) -> Mapping[str, str]:
        return {**super().given(), "region": US}

    def read(self, *commands: str) -> None:
        """One after the other, each when what the one before led to is due."""
        for command in commands:
            self.later(timedelta(seconds=30))
            self.do(command)


@pytest.fixture
def installation(simulator: SimulatorHandle, database_url: str, tmp_path: Path) -> Iterator[Watching]:
    """A model that is close to its limit, and machines that are not; nothing was read yet."""
    simulator.set_now(datetime.now(UTC))
    made = Watching(simulator, database_url, tmp_path, instance_id="", QUOTA_SERVICES="bedrock,ec2")
    account = made.given()["account"]
    made.do("prepare_quotas")
    minute = made.now.replace(second=0, microsecond=0) + MINUTE
    made.later(minute - made.now)  # a turn that begins at the end of one may well end in the next, which is due then
    for back in (2, 3):
        simulator.quotas.minute(account, US, SONNET, minute - back * MINUTE, input_tokens=190_000 - back, invocations=1)
    at = minute - timedelta(minutes=minute.minute % 5 + 5)
    simulator.quotas.usage(account, US, VCPUS, at, 8)
    simulator.clear_calls()
    yield made
    simulator.reset()


def test_a_worker_killed_while_it_reads_limits_is_succeeded_by_one_that_reads_all(installation: Watching) -> None:
    installation.aws.add_faults(Fault("servicequotas", FaultKind.TIMEOUT, seconds=5, after=2))
    installation.kill_when(lambda: len(installation.calls("ListAWSDefaultServiceQuotas")) == 2, "limits")
    installation.aws.clear_faults()
    installation.do("limits")  # the dead one's place is still claimed
    assert not installation.told("tell_quotas")["read"]
    installation.later(LEASE)
    installation.do("limits")
    found = installation.told("tell_quotas")
    assert (found["read"], found["left"]) == (True, [])
    assert found["quotas"] > 30


def test_a_worker_killed_while_it_asks_for_minutes_leaves_none_out_and_doubles_none(installation: Watching) -> None:
    installation.read("limits", "series")
    installation.later(MINUTE)
    installation.aws.add_faults(Fault("cloudwatch", FaultKind.TIMEOUT, seconds=5))
    installation.kill_when(lambda: bool(installation.calls("GetMetricData")), "minutes")
    installation.aws.clear_faults()
    installation.do("minutes")  # the dead one's place is still claimed
    assert installation.told("tell_quotas")["minutes"] == []
    installation.later(LEASE)
    for _ in range(2):
        installation.do("minutes")
    found = installation.told("tell_quotas")
    assert (found["minutes"], found["alerts"]) == ([189_997, 189_998], ["critical"])


def test_workers_at_once_store_every_point_once_and_tell_people_once(installation: Watching) -> None:
    for command in ("limits", "series", "minutes", "metrics"):
        installation.later(timedelta(seconds=30))
        processes = [installation.start(command) for _ in range(2)]
        for process in processes:
            assert process.wait() == 0
    found = installation.told("tell_quotas")
    assert (found["minutes"], found["samples"], found["alerts"]) == ([189_997, 189_998], [8], ["critical"])
    assert TOKENS in found["used"]
    assert len(installation.calls("GetMetricData")) == 2  # of minutes and of metrics: one worker each
