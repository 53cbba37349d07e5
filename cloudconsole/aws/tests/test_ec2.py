"""Instances through the AWS layer, against the simulator over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cloudconsole.aws import ec2
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.scripted import Endpoint, Reply
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT, SANDBOX
from cloudconsole.simulator.process import SimulatorHandle

EU = "eu-central-1"
UNKNOWN = "i-0123456789abcdef0"
XML = "text/xml"


@pytest.fixture
def development(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def named(simulator: SimulatorHandle, name: str, region: str = EU) -> str:
    return simulator.ec2.named(DEVELOPMENT, region, name)


def failing(call: Callable[[], object]) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call()
    return caught.value


# --- reading


def test_an_instance_arrives_with_everything_that_aws_tells_of_it(simulator: SimulatorHandle, development: Access) -> None:
    instance_id = named(simulator, "ben-workstation")
    found = ec2.describe(development, EU, [instance_id])[instance_id]
    assert (found.name, found.state, found.instance_type) == ("ben-workstation", "stopped", "t3.xlarge")
    assert (found.zone, found.platform, found.lifecycle) == ("eu-central-1b", "Linux/UNIX", "on-demand")
    assert found.tags == {"Name": "ben-workstation", "team": "shop", "environment": "development"}
    assert (found.state_reason_code, found.root_device_type) == ("Client.UserInitiatedShutdown", "ebs")
    assert found.transition_reason.startswith("User initiated (")
    assert found.private_dns == f"ip-{found.private_ip.replace('.', '-')}.eu-central-1.compute.internal"
    assert found.launched_at is not None
    assert found.first_attached_at is not None
    assert found.first_attached_at <= found.launched_at < datetime.now(UTC)
    assert found.launched_at.tzinfo is UTC


def test_windows_and_spot_are_told_apart(simulator: SimulatorHandle, development: Access) -> None:
    windows = ec2.describe(development, "us-east-1", [named(simulator, "windows-signing", "us-east-1")])
    assert [found.platform for found in windows.values()] == ["Windows"]
    spot = simulator.ec2.named(SANDBOX, "us-east-1", "kubernetes-lab")
    assert ec2.describe(access_as(simulator, "sandbox"), "us-east-1", [spot])[spot].lifecycle == "spot"


def test_a_terminated_instance_has_no_network_and_is_still_told(simulator: SimulatorHandle, development: Access) -> None:
    instance_id = named(simulator, "build-2")
    ec2.terminate(development, EU, instance_id, dry_run=False)
    found = ec2.describe(development, EU, [instance_id])[instance_id]
    assert (found.state, found.vpc_id, found.private_ip, found.first_attached_at) == ("terminated", "", "", None)


def test_all_pages_arrive_and_each_is_one_request(simulator: SimulatorHandle, development: Access) -> None:
    made = simulator.ec2.make(DEVELOPMENT, "us-west-2", 1_200)
    pages = list(ec2.instances(development, "us-west-2"))
    assert [len(page) for page in pages] == [500, 500, 200]
    assert [facts.instance_id for page in pages for facts in page] == made
    assert [call.operation for call in simulator.calls()] == ["DescribeInstances"] * 3


def test_an_empty_region_is_one_page_without_instances(development: Access) -> None:
    assert list(ec2.instances(development, "sa-east-1")) == [[]]


def test_a_failure_on_a_later_page_is_a_failure_and_no_end(simulator: SimulatorHandle, development: Access) -> None:
    simulator.ec2.make(DEVELOPMENT, "us-west-2", 600)
    simulator.add_faults(Fault("ec2", FaultKind.DENIED, after=1))
    pages = ec2.instances(development, "us-west-2")
    assert len(next(pages)) == 500
    assert failing(lambda: next(pages)).cause is AwsErrorKind.ACCESS_DENIED


def test_what_aws_does_not_know_is_absent_and_harms_no_other(simulator: SimulatorHandle, development: Access) -> None:
    known = named(simulator, "build-1")
    assert ec2.describe(development, EU, [UNKNOWN, known, "not-an-id"]).keys() == {known}
    assert ec2.describe(development, EU, []) == {}


def test_more_ids_than_a_filter_takes_are_asked_in_parts(simulator: SimulatorHandle, development: Access) -> None:
    made = simulator.ec2.make(DEVELOPMENT, "us-west-2", 450)
    assert list(ec2.describe(development, "us-west-2", made)) == made
    assert len(simulator.calls()) == 3


def test_protection_is_told(simulator: SimulatorHandle, development: Access) -> None:
    instance_id = named(simulator, "build-1")
    simulator.ec2.protect(DEVELOPMENT, EU, instance_id, termination=False, stop=True)
    assert not ec2.is_termination_protected(development, EU, instance_id)
    assert ec2.is_stop_protected(development, EU, instance_id)


def test_hostile_tags_arrive_as_they_are(simulator: SimulatorHandle, development: Access) -> None:
    instance_id = named(simulator, "build-1")
    hostile = {"Name": "<img src=x onerror=alert(1)>", "=1+1": "\u202e&'\""}
    simulator.ec2.tag(DEVELOPMENT, EU, instance_id, hostile)
    found = ec2.describe(development, EU, [instance_id])[instance_id]
    assert (found.name, found.tags) == (hostile["Name"], hostile)


def test_a_region_that_is_not_enabled_is_told_from_a_wrong_key(development: Access) -> None:
    error = failing(lambda: list(ec2.instances(development, "af-south-1")))
    assert error.cause is AwsErrorKind.REGION_DISABLED


@pytest.mark.parametrize("body", [b"<DescribeInstancesResponse/>", b"<html>proxy</html>", b""])
def test_an_answer_without_a_list_is_garbled_and_not_empty(endpoint: Endpoint, access: Access, body: bytes) -> None:
    endpoint.script = lambda _: Reply(body=body, content_type=XML)
    assert failing(lambda: list(ec2.instances(access, EU))).cause is AwsErrorKind.GARBLED


def test_a_page_token_that_repeats_ends_the_list_as_garbled(endpoint: Endpoint, access: Access) -> None:
    again = b"<DescribeInstancesResponse><reservationSet/><nextToken>same</nextToken></DescribeInstancesResponse>"
    endpoint.script = lambda _: Reply(body=again, content_type=XML)
    assert failing(lambda: list(ec2.instances(access, EU))).cause is AwsErrorKind.GARBLED
    assert len(endpoint.requests) == 2


# --- changing


def test_a_stop_says_what_was_and_what_is_and_under_which_request(simulator: SimulatorHandle, development: Access) -> None:
    sent = ec2.stop(development, EU, named(simulator, "build-1"), dry_run=False)
    assert (sent.previous_state, sent.current_state) == ("running", "stopping")
    assert len(sent.request_id) == 36


def test_each_verb_does_what_it_says(simulator: SimulatorHandle, development: Access) -> None:
    simulator.ec2.set_pace(transition_s=0)
    instance_id = named(simulator, "build-2")
    assert ec2.start(development, EU, instance_id, dry_run=False).current_state == "pending"
    assert simulator.ec2.state(DEVELOPMENT, EU, instance_id) == "running"
    rebooted = ec2.reboot(development, EU, instance_id, dry_run=False)
    assert (rebooted.previous_state, rebooted.current_state) == ("", "")
    assert rebooted.request_id
    assert ec2.terminate(development, EU, instance_id, dry_run=False).previous_state == "running"
    assert simulator.ec2.state(DEVELOPMENT, EU, instance_id) == "terminated"


@pytest.mark.parametrize("verb", [ec2.start, ec2.stop, ec2.reboot, ec2.terminate])
def test_a_dry_run_changes_nothing_and_needs_no_exception(
    simulator: SimulatorHandle, development: Access, verb: Callable[..., ec2.Sent]
) -> None:
    instance_id = named(simulator, "build-1")
    sent = verb(development, EU, instance_id, dry_run=True)
    assert (bool(sent.request_id), sent.previous_state, sent.current_state) == (True, "", "")
    assert simulator.ec2.state(DEVELOPMENT, EU, instance_id) == "running"


def test_a_dry_run_that_is_denied_is_denied(simulator: SimulatorHandle) -> None:
    auditor = access_as(simulator, "no-cost-explorer")
    error = failing(lambda: ec2.terminate(auditor, EU, named(simulator, "build-1"), dry_run=True))
    assert error.cause is AwsErrorKind.ACCESS_DENIED
    assert error.denial is not None
    assert error.denial.action == "ec2:TerminateInstances"
    assert "Encoded" not in error.aws_message


def test_an_endpoint_that_takes_a_dry_run_for_real_is_not_believed(endpoint: Endpoint, access: Access) -> None:
    changed = (
        b"<StopInstancesResponse><requestId>r-1</requestId><instancesSet><item><instanceId>i-0123456789abcdef0</instanceId>"
        b"<currentState><name>stopping</name></currentState><previousState><name>running</name></previousState></item>"
        b"</instancesSet></StopInstancesResponse>"
    )
    endpoint.script = lambda _: Reply(body=changed, content_type=XML)
    assert failing(lambda: ec2.stop(access, EU, UNKNOWN, dry_run=True)).cause is AwsErrorKind.GARBLED
    assert ec2.stop(access, EU, UNKNOWN, dry_run=False) == ec2.Sent("r-1", "running", "stopping")


@pytest.mark.parametrize(
    ("verb", "name", "code", "cause", "words"),
    [
        (ec2.reboot, "build-2", "IncorrectInstanceState", AwsErrorKind.CONFLICT, "not in a state"),
        (ec2.terminate, "build-1", "OperationNotPermitted", AwsErrorKind.CONFLICT, "Termination protection"),
        (ec2.stop, "build-1", "OperationNotPermitted", AwsErrorKind.CONFLICT, "Stop protection"),
    ],
)
def test_a_refusal_says_what_stands_in_the_way(
    simulator: SimulatorHandle,
    development: Access,
    verb: Callable[..., ec2.Sent],
    name: str,
    code: str,
    cause: AwsErrorKind,
    words: str,
) -> None:
    simulator.ec2.protect(DEVELOPMENT, EU, named(simulator, "build-1"), termination=True, stop=True)
    error = failing(lambda: verb(development, EU, named(simulator, name), dry_run=False))
    assert (error.aws_code, error.cause) == (code, cause)
    assert words in error.meaning


@pytest.mark.parametrize(
    ("instance_id", "code", "cause"),
    [
        (UNKNOWN, "InvalidInstanceID.NotFound", AwsErrorKind.NOT_FOUND),
        ("web-1", "InvalidInstanceID.Malformed", AwsErrorKind.INVALID_REQUEST),
    ],
)
def test_an_id_that_leads_nowhere_says_so(development: Access, instance_id: str, code: str, cause: AwsErrorKind) -> None:
    error = failing(lambda: ec2.start(development, EU, instance_id, dry_run=False))
    assert (error.aws_code, error.cause) == (code, cause)


def test_missing_capacity_is_not_an_outage_of_aws(simulator: SimulatorHandle, development: Access) -> None:
    gpu = named(simulator, "training-gpu", "eu-west-1")
    error = failing(lambda: ec2.start(development, "eu-west-1", gpu, dry_run=False))
    assert (error.aws_code, error.cause, error.retryable) == ("InsufficientInstanceCapacity", AwsErrorKind.CONFLICT, False)


def test_a_spot_instance_that_cannot_be_stopped_says_so(simulator: SimulatorHandle) -> None:
    spot = simulator.ec2.named(SANDBOX, "us-east-1", "kubernetes-lab")
    error = failing(lambda: ec2.stop(access_as(simulator, "sandbox"), "us-east-1", spot, dry_run=False))
    assert error.cause is AwsErrorKind.CONFLICT
    assert "cannot be stopped" in error.meaning


@pytest.mark.parametrize("kind", [FaultKind.HTTP500, FaultKind.RESET, FaultKind.LOST, FaultKind.THROTTLE, FaultKind.GARBAGE])
def test_what_changes_an_instance_is_sent_once_whatever_happens(
    simulator: SimulatorHandle, development: Access, kind: FaultKind
) -> None:
    simulator.add_faults(Fault("ec2", kind, operation="StopInstances"))
    failing(lambda: ec2.stop(development, EU, named(simulator, "build-1"), dry_run=False))
    assert [call.operation for call in simulator.calls()] == ["StopInstances"]


def test_reading_is_tried_again(simulator: SimulatorHandle, development: Access) -> None:
    simulator.add_faults(Fault("ec2", FaultKind.RESET), Fault("ec2", FaultKind.HTTP500, after=1))
    assert ec2.describe(development, EU, [named(simulator, "build-1")])
    assert len(simulator.calls()) == 3


def test_whether_instances_may_be_seen_is_asked_without_seeing_any(simulator: SimulatorHandle, development: Access) -> None:
    ec2.may_describe(development, EU)
    assert failing(lambda: ec2.may_describe(access_as(simulator, "no-cost-explorer"), EU)).cause is AwsErrorKind.ACCESS_DENIED


def test_an_unheard_of_state_of_things_is_kept_as_told(endpoint: Endpoint, access: Access) -> None:
    """AWS may add members and leave out what is not true of an instance; only its id, state and type are always there."""
    least = (
        b"<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>"
        b"<instanceState><code>99</code><name>hibernating</name></instanceState><instanceType>x9.huge</instanceType>"
        b"<somethingNew>1</somethingNew></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
    )
    endpoint.script = lambda _: Reply(body=least, content_type=XML)
    [[found]] = list(ec2.instances(access, EU))
    assert (found.state, found.name, found.launched_at, found.tags, found.platform) == ("hibernating", "", None, {}, "Linux/UNIX")


@pytest.mark.parametrize("code", ["OptInRequired", "Blocked", "PendingVerification"])
def test_an_account_that_may_not_use_ec2_yet_is_told_so(endpoint: Endpoint, access: Access, code: str) -> None:
    inside = f"<Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID>"
    endpoint.script = lambda _: Reply(status=401, body=f"<Response>{inside}</Response>".encode(), content_type=XML)
    assert failing(lambda: ec2.start(access, EU, UNKNOWN, dry_run=False)).cause is AwsErrorKind.NOT_ENABLED
