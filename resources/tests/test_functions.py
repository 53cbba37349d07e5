"""Deploying, invoking and rolling back functions, through the API and against the simulated Lambda, which runs them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from accounts.services import credentials
from audit.models import AuditEvent
from cloudconsole.aws import lambda_
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Function, Operation
from resources.rules import packages
from resources.services import operations
from resources.tests.conftest import Connected

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db
NAME, REGION = "greeter", "eu-central-1"

HELLO = "def handler(event, context):\n    print('greeting')\n    return {'hello': event.get('name', 'world')}\n"
BROKEN = "def handler(event, context):\n    raise ValueError('no greeting today')\n"


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


def zipped(code: str, name: str = "main.py") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, code)
    return stream.getvalue()


def deploy(client: APIClient, account: AwsAccount, code: str | bytes = HELLO, **more: Any) -> Any:
    package = zipped(code) if isinstance(code, str) else code
    new = {"runtime": "python3.12", "handler": "main.handler", "role_arn": f"arn:aws:iam::{account.account_id}:role/lambda-basic"}
    body = {
        "account": account.alias,
        "region": REGION,
        "name": NAME,
        "zip": SimpleUploadedFile("code.zip", package),
        **new,
        **more,
    }
    return client.post("/api/lambda/deploy", body, format="multipart")


def invoke(client: APIClient, payload: Any = None, **more: Any) -> Any:
    return client.post(f"/api/lambda/invoke/{NAME}", {**({"payload": payload} if payload else {}), **more}, format="json")


def test_a_function_is_created_waited_for_and_runs(client: APIClient, account: AwsAccount) -> None:
    package = zipped(HELLO)
    made = deploy(client, account, package)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["created"], told["version"], told["previous_version"]) == (True, "1", "")
    assert told["code_sha256"] == packages.read(io.BytesIO(package)).code_sha256
    assert Function.objects.get(name=NAME).runtime == "python3.12"
    answer = invoke(client, {"name": "Ada"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["payload"] == {"hello": "Ada"}
    assert (answer.json()["status_code"], answer.json()["function_error"]) == (200, "")
    assert "greeting" in answer.json()["log_tail"]
    assert answer.json()["billed_ms"] >= 1


def test_a_function_that_fails_is_an_answer_and_not_a_failure_of_ours(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account, BROKEN)
    answer = invoke(client)
    assert (answer.status_code, answer.json()["function_error"]) == (200, "Unhandled")
    assert answer.json()["payload"]["errorMessage"] == "no greeting today"
    done = Operation.objects.get(action="lambda.invoke")
    assert (done.status, done.after_state) == ("succeeded", "function_error")


def test_new_code_keeps_the_old_as_a_version_and_going_back_brings_it_again(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account)
    changed = deploy(client, account, BROKEN)
    assert (changed.status_code, changed.json()["created"]) == (200, False), changed.content
    assert (changed.json()["previous_version"], changed.json()["version"]) == ("1", "2")
    assert invoke(client).json()["function_error"] == "Unhandled"
    asked = client.post(f"/api/lambda/roll-back/{NAME}", {"version": "1"}, format="json")
    assert asked.status_code == 202, asked.content
    operations.run(operation_id=asked.json()["id"])
    done = Operation.objects.get(pk=asked.json()["id"])
    assert done.status == "succeeded", done.outcome_detail
    assert (done.result["code_of"], done.result["version"]) == ("1", "3")
    assert invoke(client).json()["payload"] == {"hello": "world"}
    assert invoke(client, qualifier="2").json()["function_error"] == "Unhandled"


def test_what_was_never_published_is_published_before_it_is_replaced(client: APIClient, account: AwsAccount) -> None:
    assert deploy(client, account, publish="false").json()["version"] == "$LATEST"
    changed = deploy(client, account, BROKEN).json()
    assert (changed["previous_version"], changed["version"]) == ("1", "2")
    assert invoke(client, qualifier="1").json()["payload"] == {"hello": "world"}


def test_settings_come_with_the_code_and_go_back_with_it(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account, memory_mb=128, timeout_s=3)
    deploy(client, account, BROKEN, memory_mb=512, timeout_s=30)
    changed = Function.objects.get(name=NAME)
    assert (changed.memory_mb, changed.timeout_s) == (512, 30)
    asked = client.post(f"/api/lambda/roll-back/{NAME}", {"version": "1"}, format="json").json()
    operations.run(operation_id=asked["id"])
    back = Function.objects.get(name=NAME)
    assert (back.memory_mb, back.timeout_s) == (128, 3)


def test_a_function_is_not_deployed_while_something_else_changes_it(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account)
    Operation.objects.update(status="running", finished_at=None)
    busy = deploy(client, account, BROKEN)
    assert (busy.status_code, busy.json()["code"]) == (409, "operation_in_progress")
    assert AuditEvent.objects.filter(action="operation.refused").count() == 1


def test_the_version_in_use_is_not_gone_back_to(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account)
    refused = client.post(f"/api/lambda/roll-back/{NAME}", {"version": "1"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "version_in_use")
    unknown = client.post(f"/api/lambda/roll-back/{NAME}", {"version": "99"}, format="json")
    assert unknown.status_code == 404
    assert client.post(f"/api/lambda/roll-back/{NAME}", {"version": "$LATEST"}, format="json").status_code == 400


@pytest.mark.parametrize(
    ("wish", "attr"),
    [
        ({"zip": SimpleUploadedFile("code.zip", b"no zip")}, "zip"),
        ({"zip": SimpleUploadedFile("code.zip", zipped("x", "../main.py"))}, "zip"),
        ({"name": "no spaces"}, "name"),
        ({"runtime": ""}, "runtime"),
        ({"role_arn": "nobody"}, "role_arn"),
        ({"region": "mars-north-1"}, "region"),
        ({"memory_mb": 64}, "memory_mb"),
        ({"timeout_s": 901}, "timeout_s"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused_at_its_field(
    client: APIClient, account: AwsAccount, wish: dict[str, Any], attr: str
) -> None:
    if "zip" in wish:
        wish["zip"].seek(0)
    refused = deploy(client, account, **wish)
    assert refused.status_code == 400, refused.content
    assert refused.json()["errors"][0]["attr"] == attr
    assert not Function.objects.filter(name=NAME).exists()


def test_a_package_without_its_handler_is_refused_before_anything_changes(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    refused = deploy(client, account, zipped(HELLO, "other.py"))
    assert (refused.status_code, refused.json()["code"]) == (400, "handler_missing"), refused.content
    assert "has no file main.py" in refused.json()["detail"]
    assert deploy(client, account).status_code == 201
    simulator.clear_calls()
    assert deploy(client, account, zipped(HELLO, "other.py"), handler="").json()["code"] == "handler_missing"
    assert not {"UpdateFunctionCode", "PublishVersion"} & {call.operation for call in simulator.calls()}


def test_aliases_that_still_mean_other_code_are_told(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle, admin: User
) -> None:
    assert deploy(client, account).json()["aliases_behind"] == []
    access = credentials.access_for(account, admin)
    lambda_.point_alias(access, REGION, NAME, alias="live", version="1")
    again = deploy(client, account, BROKEN).json()
    assert again["aliases_behind"] == [{"name": "live", "version": "1"}]


def test_a_package_without_its_handler_is_deployed_where_that_is_meant(client: APIClient, account: AwsAccount) -> None:
    made = deploy(client, account, zipped(HELLO, "other.py"), handler_elsewhere=True)
    assert made.status_code == 201
    assert "main.py" in made.json()["warning"]
    assert invoke(client).json()["function_error"]


def test_a_role_that_lambda_may_not_assume_is_aws_refusal(client: APIClient, account: AwsAccount) -> None:
    refused = deploy(client, account, role_arn=f"arn:aws:iam::{account.account_id}:role/nobody")
    assert refused.status_code == 400, refused.content
    assert refused.json()["aws"]["code"] == "InvalidParameterValueException"
    assert Operation.objects.get(action="lambda.deploy").status == "failed"


def test_neither_payload_nor_answer_nor_log_is_kept_anywhere(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account, "def handler(event, context):\n    print(event['token'])\n    return event\n")
    assert invoke(client, {"token": "canary-5d1c"}).json()["payload"] == {"token": "canary-5d1c"}
    rows = str(list(Operation.objects.values())) + str(list(AuditEvent.objects.values()))
    assert "canary-5d1c" not in rows
    assert "payload_bytes" in rows


def test_a_dry_run_asks_only_whether_it_would_be_allowed(client: APIClient, account: AwsAccount) -> None:
    deploy(client, account)
    answer = invoke(client, invocation_type="DryRun")
    assert (answer.status_code, answer.json()["status_code"], answer.json()["payload"]) == (200, 204, None)
    assert Operation.objects.get(action="lambda.invoke").dry_run is True


def test_payloads_over_the_limit_are_refused_before_aws_is_asked(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    deploy(client, account)
    simulator.clear_calls()
    late = invoke(client, "x" * 1_100_000, invocation_type="Event")
    assert (late.status_code, late.json()["code"]) == (413, "payload_too_large")
    assert simulator.calls() == []
    large = invoke(client, {"name": "x" * 3_000_000})
    assert large.status_code == 200, large.content[:2000]


def test_a_viewer_may_neither_invoke_nor_deploy_and_a_stranger_finds_nothing(
    api: Api, admin: User, viewer: User, stranger: User, account: AwsAccount
) -> None:
    deploy(api(admin), account)
    assert invoke(api(viewer)).status_code == 403
    assert deploy(api(viewer), account).status_code == 403
    assert api(viewer).post(f"/api/lambda/roll-back/{NAME}", {"version": "1"}, format="json").status_code == 403
    assert invoke(api(stranger)).status_code == 404
    assert deploy(api(stranger), account).status_code == 404


def test_an_answer_that_was_lost_is_not_asked_for_again(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    deploy(client, account)
    simulator.clear_calls()
    simulator.add_faults(Fault("lambda", FaultKind.LOST, "Invoke"))
    lost = invoke(client)
    assert lost.status_code == 502, lost.content
    assert [call.operation for call in simulator.calls()].count("Invoke") == 1
    assert Operation.objects.get(action="lambda.invoke").status == "unknown"


def test_an_invocation_whose_answer_was_lost_is_not_made_again_under_its_key(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    deploy(client, account)
    simulator.add_faults(Fault("lambda", FaultKind.LOST, "Invoke"))
    simulator.clear_calls()
    path, key = f"/api/lambda/invoke/{NAME}", {"Idempotency-Key": "once"}
    first, second = (client.post(path, {"payload": 1}, format="json", headers=key) for _ in range(2))

    assert (first.status_code, first.json()["code"]) == (502, "aws_unreachable")
    assert (second.status_code, second.content, second["Idempotent-Replayed"]) == (502, first.content, "true")
    assert [call.operation for call in simulator.calls()].count("Invoke") == 1
    assert Operation.objects.get(action="lambda.invoke").status == "unknown"


def test_an_invocation_that_never_reached_aws_is_made_under_the_same_key(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    deploy(client, account)
    simulator.add_faults(Fault("lambda", FaultKind.THROTTLE, "Invoke"))
    path, key = f"/api/lambda/invoke/{NAME}", {"Idempotency-Key": "once"}
    answers = [client.post(path, {"payload": 1}, format="json", headers=key).status_code for _ in range(2)]

    assert answers == [503, 200]
