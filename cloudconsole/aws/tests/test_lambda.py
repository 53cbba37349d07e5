"""Functions and invocations, against the simulated Lambda, which really runs them."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from cloudconsole.aws import lambda_
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle

EU, US = "eu-central-1", "us-east-1"


@pytest.fixture
def access(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def invoke(access: Access, name: str, event: object, **more: object) -> lambda_.Invocation:
    return lambda_.invoke(access, EU, name, payload=json.dumps(event).encode(), **more)  # type: ignore[arg-type]


def test_functions_come_with_what_runs_and_without_their_environment(access: Access) -> None:
    [page] = lambda_.functions(access, EU)

    hello = next(function for function in page if function.name == "hello")
    assert (hello.runtime, hello.handler, hello.memory_mb, hello.timeout_s) == ("python3.12", "app.handler", 256, 10)
    assert (hello.state, hello.last_update_status, hello.version) == ("Active", "Successful", "$LATEST")
    assert hello.modified_at.utcoffset() is not None
    assert "sk_live_" not in str([asdict(function) for function in page])


def test_more_functions_than_a_page_holds_come_page_by_page(simulator: SimulatorHandle, access: Access) -> None:
    simulator.functions.make(DEVELOPMENT, EU, 120)

    assert [len(page) for page in lambda_.functions(access, EU)] == [50, 50, 23]


def test_a_function_that_could_not_be_brought_into_service_says_why(access: Access) -> None:
    broken = lambda_.configuration(access, US, "broken-image")

    assert broken.state == "Failed"
    assert "network interface" in broken.state_reason


def test_versions_and_aliases_are_told(access: Access) -> None:
    versions = lambda_.versions(access, EU, "hello")
    [alias] = lambda_.aliases(access, EU, "hello")

    assert [version.version for version in versions] == ["$LATEST", "1", "2"]
    assert (alias.name, alias.version) == ("live", "2")
    assert lambda_.configuration(access, EU, "hello", qualifier="live").version == "2"


def test_the_accounts_limits_are_asked_for(access: Access) -> None:
    limits = lambda_.account_limits(access, EU)

    assert (limits.code_size_unzipped, limits.functions) == (262_144_000, 3)
    assert limits.used_code_size > 0


def test_an_invocation_brings_the_answer_and_the_log(access: Access) -> None:
    done = invoke(access, "hello", {"name": "Ada"})

    assert (done.status_code, done.function_error, done.executed_version) == (200, "", "$LATEST")
    assert json.loads(done.payload) == {"message": "Hello Ada", "version": "2"}
    assert "invoked with ['name']" in done.log_tail
    assert done.billed_ms is not None
    assert done.request_id in done.log_tail


def test_a_version_or_an_alias_can_be_invoked(access: Access) -> None:
    assert json.loads(invoke(access, "hello", {}, qualifier="1").payload)["version"] == "1"
    assert invoke(access, "hello", {}, qualifier="live").executed_version == "2"


def test_a_functions_own_error_is_an_answer_and_says_what_it_is(access: Access) -> None:
    done = invoke(access, "orders-total", {"order": 7})

    assert (done.status_code, done.function_error) == (200, "Unhandled")
    assert json.loads(done.payload)["errorType"] == "KeyError"
    assert "/var/task/app.py" in done.log_tail


def test_a_dry_run_invokes_nothing(simulator: SimulatorHandle, access: Access) -> None:
    done = invoke(access, "hello", {}, invocation_type="DryRun")

    assert (done.status_code, done.payload, done.log_tail) == (204, b"", "")


def test_an_event_is_taken_up_for_later(access: Access) -> None:
    assert invoke(access, "hello", {}, invocation_type="Event").status_code == 202


@pytest.mark.parametrize(
    ("name", "payload", "code", "cause"),
    [
        ("nowhere", b"{}", "ResourceNotFoundException", AwsErrorKind.NOT_FOUND),
        ("hello", b"{x", "InvalidRequestContentException", AwsErrorKind.INVALID_REQUEST),
    ],
)
def test_what_never_reached_a_function_is_a_refusal(
    access: Access, name: str, payload: bytes, code: str, cause: AwsErrorKind
) -> None:
    with pytest.raises(AwsError) as caught:
        lambda_.invoke(access, EU, name, payload=payload)

    assert (caught.value.aws_code, caught.value.cause) == (code, cause)


def test_too_many_invocations_at_once_are_refused_and_not_tried_again(simulator: SimulatorHandle, access: Access) -> None:
    simulator.functions.set_pace(concurrency=0)

    with pytest.raises(AwsError) as caught:
        invoke(access, "hello", {})

    assert caught.value.cause is AwsErrorKind.THROTTLED
    assert "not invoked" in caught.value.detail
    assert [call.operation for call in simulator.calls()] == ["Invoke"]


@pytest.mark.parametrize("fault", [FaultKind.LOST, FaultKind.RESET, FaultKind.HTTP500, FaultKind.THROTTLE])
def test_an_invocation_is_never_sent_twice(simulator: SimulatorHandle, access: Access, fault: FaultKind) -> None:
    simulator.add_faults(Fault("lambda", fault, operation="Invoke"))

    with pytest.raises(AwsError):
        invoke(access, "hello", {})

    assert [call.operation for call in simulator.calls()] == ["Invoke"]


def test_a_list_survives_a_throttle(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(Fault("lambda", FaultKind.THROTTLE, operation="ListFunctions"))

    assert len(next(lambda_.functions(access, EU))) == 3


def test_who_may_only_look_is_told_which_action_is_missing(simulator: SimulatorHandle) -> None:
    with pytest.raises(AwsError) as caught:
        invoke(access_as(simulator, "no-cost-explorer"), "hello", {})

    denial = caught.value.denial
    assert denial is not None
    assert denial.action == "lambda:InvokeFunction"
    assert denial.resource == f"arn:aws:lambda:{EU}:{DEVELOPMENT}:function:hello"
