"""Which calls a piece of work made."""

from __future__ import annotations

import pytest

from cloudconsole.aws import ec2, fanout, organizations, sts
from cloudconsole.aws.calls_made import Recorder
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.tests.scripted import Endpoint, Reset, in_turn, json_reply, whoami_reply
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle

EU = "eu-central-1"


def test_an_observed_call_is_one_row_with_awss_request_id(simulator: SimulatorHandle) -> None:
    recorder, instance_id = Recorder(DEVELOPMENT), simulator.ec2.named(DEVELOPMENT, EU, "build-1")
    sent = ec2.stop(access_as(simulator, "development"), EU, instance_id, dry_run=False, observer=recorder)
    [call] = recorder.calls
    assert (call.service, call.operation, call.account, call.region) == ("ec2", "StopInstances", DEVELOPMENT, EU)
    assert (call.request_id, call.retries, call.error) == (sent.request_id, 0, "")
    assert call.milliseconds >= 0


def test_a_refused_call_has_awss_code_and_a_broken_one_its_cause(simulator: SimulatorHandle) -> None:
    recorder, access = Recorder(DEVELOPMENT), access_as(simulator, "development")
    simulator.add_faults(Fault("ec2", FaultKind.RESET, operation="RebootInstances"))
    with recorder.recording():
        for verb in (ec2.start, ec2.reboot):
            with pytest.raises(AwsError):
                verb(access, EU, "i-0123456789abcdef0", dry_run=False)
    assert [(call.operation, call.error) for call in recorder.calls] == [
        ("StartInstances", "InvalidInstanceID.NotFound"),
        ("RebootInstances", "unreachable"),
    ]
    assert [bool(call.request_id) for call in recorder.calls] == [True, False]


def test_a_dry_run_that_succeeds_is_no_error(simulator: SimulatorHandle) -> None:
    recorder, instance_id = Recorder(DEVELOPMENT), simulator.ec2.named(DEVELOPMENT, EU, "build-1")
    ec2.stop(access_as(simulator, "development"), EU, instance_id, dry_run=True, observer=recorder)
    assert [call.error for call in recorder.calls] == [""]


def test_retries_are_counted_and_not_rows_of_their_own(simulator: SimulatorHandle) -> None:
    recorder, access = Recorder(DEVELOPMENT), access_as(simulator, "development")
    simulator.add_faults(Fault("ec2", FaultKind.RESET, times=2))
    with recorder.recording():
        list(ec2.instances(access, EU))
    assert [(call.operation, call.retries, call.error) for call in recorder.calls] == [("DescribeInstances", 2, "")]


def test_the_pages_of_one_call_are_no_retries(endpoint: Endpoint, access: Access) -> None:
    first, second = (json_reply({"Accounts": [], "NextToken": token}) for token in ("t1", "t2"))
    endpoint.script = in_turn(first, second, Reset(), json_reply({"Accounts": []}))
    recorder = Recorder("111111111111")
    with recorder.recording():
        organizations.list_accounts(access)
    assert [(call.operation, call.retries) for call in recorder.calls] == [("ListAccounts", 1)]


def test_everything_inside_is_recorded_once_in_threads_too(endpoint: Endpoint, access: Access) -> None:
    recorder = Recorder("111111111111")
    with recorder.recording():
        fanout.run(range(20), lambda _: sts.whoami(access), concurrency=8, deadline_s=20)
    sts.whoami(access)
    assert len(recorder.calls) == 20


def test_a_call_that_is_observed_inside_a_recording_counts_once(simulator: SimulatorHandle) -> None:
    recorder, instance_id = Recorder(DEVELOPMENT), simulator.ec2.named(DEVELOPMENT, EU, "build-1")
    with recorder.recording():
        ec2.reboot(access_as(simulator, "development"), EU, instance_id, dry_run=False, observer=recorder)
    assert len(recorder.calls) == 1


def test_what_was_never_sent_is_no_call(simulator: SimulatorHandle) -> None:
    recorder = Recorder(DEVELOPMENT)
    with recorder.recording(), pytest.raises(AwsError):
        ec2.stop(access_as(simulator, "development"), EU, 7, dry_run=False)  # type: ignore[arg-type]
    assert recorder.calls == []


def test_a_reset_and_a_second_try_are_one_call(endpoint: Endpoint, access: Access) -> None:
    lost = [Reset()]
    endpoint.script = lambda request: lost.pop() if lost else whoami_reply(request)
    recorder = Recorder("111111111111")
    with recorder.recording():
        sts.whoami(access)
    assert [(call.operation, call.retries, call.request_id) for call in recorder.calls] == [("GetCallerIdentity", 1, "r-whoami")]
