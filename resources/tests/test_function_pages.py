"""The pages about functions, as they work without any script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AwsAccount, User
from accounts.services import credentials
from cloudconsole.aws import lambda_
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Function, Operation
from resources.services import operations
from resources.tests.conftest import Connected
from resources.tests.test_functions import BROKEN, HELLO, NAME, REGION, zipped

pytestmark = pytest.mark.django_db
Browser = Callable[[User], Client]


@pytest.fixture
def browser() -> Browser:
    def signed_in(user: User) -> Client:
        client = Client(raise_request_exception=True)
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


def text_of(answer: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))


def create(client: Client, account: AwsAccount, code: str = HELLO, **more: str) -> Any:
    wish = {"account": str(account.pk), "region": REGION, "name": NAME, "publish": "on"}
    wish |= {
        "runtime": "python3.12",
        "handler": "main.handler",
        "role_arn": f"arn:aws:iam::{account.account_id}:role/lambda-basic",
    }
    return client.post("/lambda/create", {**wish, **more, "zip": SimpleUploadedFile("code.zip", zipped(code))})


def page_of(account: AwsAccount, what: str) -> str:
    return f"/lambda/{account.pk}/{REGION}/{NAME}/{what}"


def test_a_function_is_created_by_a_form_which_leads_to_its_versions(browser: Browser, admin: User, account: AwsAccount) -> None:
    made = create(browser(admin), account)
    assert made["Location"] == page_of(account, "versions")
    assert Function.objects.get(name=NAME).state == "Active"


@pytest.mark.parametrize(
    ("field", "value"), [("name", "a b"), ("role_arn", "nobody"), ("runtime", ""), ("memory_mb", "1"), ("region", "mars-north-1")]
)
def test_what_cannot_be_is_said_at_its_field(browser: Browser, admin: User, account: AwsAccount, field: str, value: str) -> None:
    refused = create(browser(admin), account, **{field: value})
    assert refused.status_code == 400
    assert refused.context["form"].errors[field]


def test_aws_refusal_is_told_with_its_own_words(browser: Browser, admin: User, account: AwsAccount) -> None:
    refused = create(browser(admin), account, role_arn=f"arn:aws:iam::{account.account_id}:role/nobody")
    assert refused.status_code == 400
    assert "The role defined for the function cannot be assumed by Lambda." in text_of(refused)
    assert "InvalidParameterValueException" in text_of(refused)


def test_an_answer_with_its_log_is_on_the_page(browser: Browser, admin: User, account: AwsAccount) -> None:
    create(browser(admin), account)
    answer = browser(admin).post(
        page_of(account, "invoke"), {"payload": '{"name": "<b>Ada</b>"}', "invocation_type": "RequestResponse"}
    )
    page = answer.content.decode()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada" not in page
    assert "greeting" in text_of(answer)
    assert answer["Cache-Control"] == "no-store"


def test_a_functions_own_error_is_told_as_such(browser: Browser, admin: User, account: AwsAccount) -> None:
    create(browser(admin), account, BROKEN)
    answer = browser(admin).post(page_of(account, "invoke"), {"payload": "", "invocation_type": "RequestResponse"})
    assert answer.status_code == 200
    assert "The function failed" in text_of(answer)
    assert "no greeting today" in text_of(answer)


def test_a_payload_that_is_not_json_is_sent_nowhere(
    browser: Browser, admin: User, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    create(browser(admin), account)
    simulator.clear_calls()
    answer = browser(admin).post(page_of(account, "invoke"), {"payload": "{", "invocation_type": "RequestResponse"})
    assert answer.status_code == 400
    assert "Nothing was sent" in text_of(answer)
    assert "Invoke" not in [call.operation for call in simulator.calls()]


def test_an_answer_that_was_lost_says_so(browser: Browser, admin: User, account: AwsAccount, simulator: SimulatorHandle) -> None:
    create(browser(admin), account)
    simulator.add_faults(Fault("lambda", FaultKind.LOST, "Invoke"))
    answer = browser(admin).post(page_of(account, "invoke"), {"payload": "{}", "invocation_type": "RequestResponse"})
    assert answer.status_code == 502
    assert "its answer was lost" in text_of(answer)


def test_going_back_shows_both_sides_and_asks_for_it(browser: Browser, admin: User, account: AwsAccount) -> None:
    client = browser(admin)
    create(client, account)
    deployed = client.post(page_of(account, "deploy"), {"zip": SimpleUploadedFile("c.zip", zipped(BROKEN)), "publish": "on"})
    assert deployed["Location"] == page_of(account, "versions")
    versions = client.get(page_of(account, "versions")).content.decode()
    assert page_of(account, "roll-back?version=1") in versions
    assert page_of(account, "roll-back?version=2") not in versions
    assert "Go back to version 1" in text_of(client.get(page_of(account, "roll-back"), {"version": "1"}))
    assert 'value="" checked' in client.get(page_of(account, "roll-back"), {"version": "1"}).content.decode()
    asked = client.post(page_of(account, "roll-back"), {"version": "1", "alias": "", "reason": "it fails"})
    operation = Operation.objects.get(action="lambda.roll_back")
    assert asked["Location"] == f"/operations/{operation.pk}"
    operations.run(operation_id=operation.pk)
    assert Operation.objects.get(pk=operation.pk).status == "succeeded"


def test_an_alias_is_pointed_back_and_the_newest_code_stays(browser: Browser, admin: User, account: AwsAccount) -> None:
    """Of the story's function “hello”, whose alias “live” means version 2."""
    client = browser(admin)
    now = client.get("/api/accounts").json()["results"][0]
    assert now["id"] == account.pk
    Function.objects.create(
        account=account, region=REGION, name="hello", arn="-", observed_at=account.created_at, first_seen_at=account.created_at
    )
    path = f"/lambda/{account.pk}/{REGION}/hello/roll-back"
    before = client.get(f"/lambda/{account.pk}/{REGION}/hello/versions").context["latest"].code_sha256
    asked = client.post(path, {"version": "1", "alias": "live"})
    assert asked.status_code == 302, text_of(asked)
    operations.run(operation_id=Operation.objects.get(action="lambda.roll_back").pk)
    done = Operation.objects.get(action="lambda.roll_back")
    assert (done.status, done.before_state, done.after_state) == ("succeeded", "version 2", "version 1")
    shown = client.get(f"/lambda/{account.pk}/{REGION}/hello/versions")
    assert shown.context["latest"].code_sha256 == before
    assert [row.aliases for row in shown.context["rows"]] == [[], ["live"]]


def test_a_viewer_sees_versions_and_cannot_act(browser: Browser, admin: User, viewer: User, account: AwsAccount) -> None:
    create(browser(admin), account)
    client = browser(viewer)
    shown = client.get(page_of(account, "versions"))
    assert shown.status_code == 200
    assert "roll-back" not in shown.content.decode()
    for path in ("invoke", "deploy", "roll-back?version=1"):
        assert client.get(page_of(account, path)).status_code == 403
    assert client.get("/lambda/create").status_code == 403


def test_a_zip_file_without_the_handler_is_refused_at_its_field_and_aliases_that_stay_behind_are_named(
    browser: Browser, admin: User, account: AwsAccount
) -> None:
    client = browser(admin)
    refused = create(client, account, handler="other.handler")
    assert refused.status_code == 400
    assert "The package has no file other.py, which the handler other.handler names. Nothing was changed." in text_of(refused)
    create(client, account)
    lambda_.point_alias(credentials.access_for(account, admin), REGION, NAME, alias="live", version="1")
    code = SimpleUploadedFile("c.zip", zipped(BROKEN))
    deployed = client.post(page_of(account, "deploy"), {"zip": code, "publish": "on"}, follow=True)
    assert "The alias live still means version 1: whoever calls it does not get the new code." in text_of(deployed)
