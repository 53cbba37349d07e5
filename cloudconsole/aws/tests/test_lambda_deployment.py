"""Deployments against the simulated Lambda: made, changed, published, gone back to."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
import requests

from cloudconsole.aws import lambda_
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind, DeadlineExceeded
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT, PRODUCTION
from cloudconsole.simulator.process import SimulatorHandle

EU = "eu-central-1"
ROLE = f"arn:aws:iam::{DEVELOPMENT}:role/greeter-lambda"


@pytest.fixture
def access(simulator: SimulatorHandle) -> Access:
    simulator.functions.set_pace(transition_s=0)
    return access_as(simulator, "development")


def zipped(source: str, name: str = "app.py") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, source)
    return content.getvalue()


def greeter(words: str) -> bytes:
    return zipped(f"def handler(event, context):\n    return {words!r}\n")


def create(access: Access, name: str = "greeter", **more: object) -> lambda_.FunctionFacts:
    wish = {"code": greeter("hello"), "runtime": "python3.12", "handler": "app.handler", "role_arn": ROLE, **more}
    return lambda_.create_function(access, EU, name, **wish)  # type: ignore[arg-type]


def update(access: Access, words: str, revision_id: str | None = None) -> lambda_.FunctionFacts:
    return lambda_.update_code(access, EU, "greeter", code=greeter(words), revision_id=revision_id)


def publish(access: Access) -> str:
    return lambda_.publish_version(access, EU, "greeter").version


def says(access: Access, qualifier: str | None = None) -> object:
    return json.loads(lambda_.invoke(access, EU, "greeter", payload=b"{}", qualifier=qualifier).payload)


def test_a_new_function_answers_with_its_code(access: Access) -> None:
    made = create(access, memory_mb=256, timeout_s=7)

    assert (made.version, made.memory_mb, made.timeout_s) == ("$LATEST", 256, 7)
    assert says(access) == "hello"


def test_new_code_is_published_and_the_version_before_stays(access: Access) -> None:
    create(access)
    publish(access)

    updated = update(access, "servus")
    version = lambda_.publish_version(access, EU, "greeter", code_sha256=updated.code_sha256)

    assert version.version == "2"
    assert (says(access), says(access, "1"), says(access, "2")) == ("servus", "hello", "servus")


def test_publishing_twice_makes_one_version(access: Access) -> None:
    create(access)

    assert publish(access) == publish(access) == "1"


def test_going_back_brings_the_code_of_the_version_again(access: Access) -> None:
    create(access)
    publish(access)
    update(access, "broken")
    publish(access)

    lambda_.update_code(access, EU, "greeter", code=lambda_.code_of(access, EU, "greeter", version="1"))

    assert says(access) == "hello"


def test_an_alias_is_made_and_moved(access: Access) -> None:
    create(access)
    publish(access)
    update(access, "servus")
    publish(access)

    made = lambda_.point_alias(access, EU, "greeter", alias="live", version="2")
    moved = lambda_.point_alias(access, EU, "greeter", alias="live", version="1")

    assert (made.version, moved.version) == ("2", "1")
    assert says(access, "live") == "hello"


def test_only_what_is_given_of_a_configuration_changes(access: Access) -> None:
    before = create(access)

    after = lambda_.update_configuration(access, EU, "greeter", memory_mb=512)

    assert (after.memory_mb, after.timeout_s, after.handler) == (512, before.timeout_s, before.handler)


def test_a_change_by_somebody_else_is_noticed(access: Access) -> None:
    seen = create(access).revision_id
    lambda_.update_configuration(access, EU, "greeter", memory_mb=512)

    with pytest.raises(AwsError) as caught:
        update(access, "servus", revision_id=seen)

    assert (caught.value.aws_code, caught.value.cause) == ("PreconditionFailedException", AwsErrorKind.CONFLICT)
    assert says(access) == "hello"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"code": b"no zip"}, "cannot unzip"),
        ({"code": zipped("")[:-5]}, "cannot unzip"),
        ({"runtime": "python2.7"}, "does not support this runtime"),
        ({"role_arn": f"arn:aws:iam::{DEVELOPMENT}:role/somebody"}, "cannot assume the function's role"),
        ({"memory_mb": 64}, "refuses the request"),
        ({"timeout_s": 901}, "refuses the request"),
        ({"handler": "a b"}, "refuses the request"),
        ({"name": "no such name"}, "refuses the request"),
    ],
)
def test_what_lambda_does_not_accept_is_said_in_plain_words(access: Access, wish: dict[str, object], words: str) -> None:
    with pytest.raises(AwsError) as caught:
        create(access, **wish)  # type: ignore[arg-type]

    assert caught.value.cause is AwsErrorKind.INVALID_REQUEST
    assert words in caught.value.detail


def test_a_role_of_another_account_cannot_be_passed(access: Access) -> None:
    with pytest.raises(AwsError) as caught:
        create(access, role_arn=f"arn:aws:iam::{PRODUCTION}:role/greeter-lambda")
    assert caught.value.cause is AwsErrorKind.ACCESS_DENIED


def test_a_name_that_is_taken_is_refused(access: Access) -> None:
    with pytest.raises(AwsError) as caught:
        create(access, "hello")
    assert (caught.value.cause, "of this name" in caught.value.detail) == (AwsErrorKind.CONFLICT, True)


def test_a_function_is_waited_for_until_it_is_active(simulator: SimulatorHandle, access: Access) -> None:
    simulator.functions.set_pace(transition_s=60)
    now = clock.now()
    simulator.set_now(now)
    assert create(access).state == "Pending"
    with pytest.raises(AwsError) as caught:
        says(access)
    assert caught.value.cause is AwsErrorKind.CONFLICT
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        simulator.set_now(now + timedelta(seconds=30 * len(pauses)))

    assert lambda_.wait_until_active(access, EU, "greeter", deadline_s=300, pause=pause).state == "Active"
    assert pauses == [0.25, 0.5]


def test_an_update_in_progress_lets_no_other_begin(simulator: SimulatorHandle, access: Access) -> None:
    create(access)
    simulator.set_now(clock.now())
    simulator.functions.set_pace(transition_s=60)
    update(access, "servus")

    with pytest.raises(AwsError) as caught:
        publish(access)

    assert (caught.value.aws_code, caught.value.cause) == ("ResourceConflictException", AwsErrorKind.CONFLICT)


def test_an_update_that_fails_at_aws_says_why(simulator: SimulatorHandle, access: Access) -> None:
    create(access)
    simulator.functions.spoil(DEVELOPMENT, EU, "greeter", "The subnet has no free addresses.")

    with pytest.raises(AwsError) as caught:
        lambda_.wait_until_active(access, EU, "greeter", deadline_s=10)

    assert "no free addresses" in caught.value.detail


def test_waiting_ends_when_the_time_is_up(simulator: SimulatorHandle, access: Access) -> None:
    simulator.set_now(clock.now())
    simulator.functions.set_pace(transition_s=60)
    create(access)

    with pytest.raises(DeadlineExceeded):
        lambda_.wait_until_active(access, EU, "greeter", deadline_s=0)


def deploy(access: Access) -> None:
    create(access)
    update(access, "servus")
    publish(access)
    lambda_.point_alias(access, EU, "greeter", alias="live", version="1")


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionCode", "PublishVersion", "CreateAlias"])
def test_a_change_whose_answer_is_lost_is_not_sent_again(simulator: SimulatorHandle, access: Access, operation: str) -> None:
    simulator.add_faults(Fault("lambda", FaultKind.LOST, operation=operation))

    with pytest.raises(AwsError) as caught:
        deploy(access)

    assert (caught.value.operation, caught.value.cause) == (operation, AwsErrorKind.UNREACHABLE)
    assert [call.operation for call in simulator.calls()].count(operation) == 1


def test_code_that_is_not_what_its_checksum_says_is_not_taken(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = requests.Response()
    altered.status_code, altered.raw = 200, io.BytesIO(greeter("altered on the way"))
    monkeypatch.setattr(requests, "get", lambda *_, **__: altered)

    with pytest.raises(AwsError) as caught:
        lambda_.code_of(access, EU, "hello", version="1")
    assert caught.value.cause is AwsErrorKind.GARBLED
