"""The process: it starts quickly, keeps what it should, and is gone when it should be."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorFailed, SimulatorHandle
from cloudconsole.simulator.tests.conftest import TODAY, Aws

ROLE = "arn:aws:iam::411111111111:role/CloudconsoleReadOnly"


def seconds_of_children() -> float:
    """Processor time of the processes that were started here and have ended: other load on the machine does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def external_ids(simulator: SimulatorHandle) -> dict[str, str]:
    return {role["role_arn"]: role["external_id"] for role in simulator.organization()["roles"]}


def test_it_serves_at_once_and_is_gone_afterwards() -> None:
    before = seconds_of_children()
    with process.running(seed=7, today=TODAY) as simulator:
        assert (simulator.seed, simulator.origin) == (7, TODAY)
    assert seconds_of_children() - before < 6  # 0.4 on a quiet machine
    with pytest.raises(URLError):
        simulator.organization()


def test_keys_are_the_same_on_every_start_and_others_for_another_seed(simulator: SimulatorHandle) -> None:
    with process.running(today=TODAY) as again, process.running(seed=2, today=TODAY) as other:
        assert again.key("development") == simulator.key("development")
        assert again.key("hub") == simulator.key("hub")
        assert other.key("hub") != simulator.key("hub")


def test_sessions_outlive_a_restart(simulator: SimulatorHandle) -> None:
    with process.running(today=TODAY) as again:
        aws = Aws(again)
        who = aws.client("sts", simulator.key("sandbox")).get_caller_identity()
    assert who["Account"] == "444444444444"


def test_its_memory_keeps_origin_and_roles(tmp_path: Path) -> None:
    memory = tmp_path / "var" / "simulator.json"
    with process.running(today=TODAY, memory=memory) as first:
        first.register_role(ROLE, "kept-over-a-restart")
    with process.running(today=date(2027, 1, 5), memory=memory) as second:
        assert second.origin == TODAY
        assert external_ids(second)[ROLE] == "kept-over-a-restart"
    with process.running(today=date(2027, 1, 5)) as forgetful:
        assert forgetful.origin == date(2027, 1, 5)


def test_a_memory_that_is_none_of_ours_stops_the_start(tmp_path: Path) -> None:
    memory = tmp_path / "simulator.json"
    memory.write_text("{}")

    with pytest.raises(SimulatorFailed, match="exit code 1"):
        process.start(memory=memory)


def test_a_port_that_is_taken_stops_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SimulatorFailed, match="exit code 1"):
            process.start(taken.getsockname()[1])


def test_it_ends_when_its_parent_dies() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", "import time; from cloudconsole.simulator import process\n"
         "handle = process.start(); print(handle.pid, flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    watched = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert _ended(watched, within_s=10)


def test_the_clock_moves_on_order(simulator: SimulatorHandle) -> None:
    simulator.set_today(date(2026, 12, 24))
    assert simulator.now().date() == date(2026, 12, 24)
    simulator.reset()
    assert simulator.now().date() == TODAY


def test_nonsense_at_the_control_api_is_answered_plainly(simulator: SimulatorHandle) -> None:
    with pytest.raises(HTTPError) as caught:
        simulator.register_role("arn:aws:iam::999999999999:role/x", "id")
    with caught.value as answer:
        assert answer.code == 400
        assert "999999999999" in json.load(answer)["error"]


def test_what_is_not_simulated_here_is_motos_and_of_the_callers_account(aws: Aws) -> None:
    aws.client("sns", "development").create_topic(Name="of-development")

    def topics(key: str) -> list[str]:
        return [topic["TopicArn"].rpartition(":")[2] for topic in aws.client("sns", key).list_topics()["Topics"]]

    assert topics("development") == ["of-development"]
    assert topics("sandbox") == []


def _ended(watched: int, *, within_s: float) -> bool:
    """Whether the process behind a pidfd ends in time: its descriptor becomes readable then."""
    import select

    try:
        return bool(select.select([watched], [], [], within_s)[0])
    finally:
        os.close(watched)
