"""The pages that edit an account, replace its credentials, make its role by CloudFormation, and let it go."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from accounts.tests.conftest import Connect, key_fields
from audit.models import AuditEvent
from cloudconsole.aws.policy import BY_DEFAULT, CAPABILITIES
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]


@pytest.fixture
def browser(admin: User) -> Client:
    made = Client()
    made.force_login(admin)
    return made


def _fields(account: AwsAccount, **changes: object) -> dict[str, object]:
    kept = {"alias": account.alias, "environment": account.environment, "regions": "", "capabilities": account.capabilities}
    return {**kept, **changes}


def test_the_edit_page_saves_what_does_not_touch_the_policy_at_once(connect: Connect, browser: Client) -> None:
    account = connect("development")
    fields = _fields(account, alias="dev", environment="staging", regions="eu-central-1, us-east-1")
    assert browser.post(f"/accounts/{account.pk}/edit", fields).status_code == 302
    account.refresh_from_db()
    assert (account.alias, account.environment, account.regions) == ("dev", "staging", ["eu-central-1", "us-east-1"])


def test_changed_capabilities_are_shown_as_a_diff_before_they_are_saved(connect: Connect, browser: Client) -> None:
    account = connect("development")
    path, fields = f"/accounts/{account.pk}/edit", _fields(account, capabilities=["identity", "costs", "key_rotation"])
    page = browser.post(path, fields).content.decode()
    assert "<code>iam:CreateAccessKey</code>" in page
    assert "<code>organizations:ListAccounts</code>" in page
    assert 'name="shown" value="identity,costs,key_rotation"' in page
    account.refresh_from_db()
    assert "key_rotation" not in account.capabilities
    assert browser.post(path, {**fields, "shown": "identity,costs"}).status_code == 200  # that was another change
    assert browser.post(path, {**fields, "shown": "identity,costs,key_rotation"}).status_code == 302
    account.refresh_from_db()
    assert account.capabilities == ["identity", "costs", "key_rotation"]


def test_a_preview_saves_nothing_and_says_when_nothing_changes(connect: Connect, browser: Client) -> None:
    account = connect("development")
    page = browser.post(f"/accounts/{account.pk}/edit", _fields(account, alias="dev", preview="yes")).content.decode()
    assert "The policy stays as it is." in page
    account.refresh_from_db()
    assert account.alias == "development"


def test_an_alias_that_is_taken_is_said_at_its_field(connect: Connect, browser: Client) -> None:
    connect("sandbox")
    account = connect("development")
    answer = browser.post(f"/accounts/{account.pk}/edit", _fields(account, alias="sandbox"))
    assert answer.status_code == 409
    assert "Another account is called" in answer.content.decode()


def test_the_policy_of_other_capabilities_can_be_asked_for(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development")
    answer = api(admin).get(f"/api/accounts/{account.pk}/policy?capabilities=costs")
    assert [statement["Sid"] for statement in answer.json()["Statement"]] == ["CloudconsoleCosts"]
    assert api(admin).get(f"/api/accounts/{account.pk}/policy?capabilities=flying").status_code == 400


def test_new_credentials_are_proven_before_they_replace_the_old(
    connect: Connect, simulator: SimulatorHandle, browser: Client
) -> None:
    account = connect("development")
    path = f"/accounts/{account.pk}/credentials"
    refused = browser.post(path, {"auth_method": "access_key", **key_fields(simulator.key("wrong-secret"))})
    assert refused.status_code == 424
    assert "SignatureDoesNotMatch" in refused.content.decode()
    assert "wrongwrong" not in refused.content.decode()
    other = browser.post(path, {"auth_method": "access_key", **key_fields(simulator.key("hub"))})
    assert other.status_code == 409
    account.refresh_from_db()
    assert account.access_key_hint == simulator.key("development").access_key_id[-4:]
    accepted = browser.post(path, {"auth_method": "access_key", **key_fields(simulator.key("no-cost-explorer"))})
    assert accepted.status_code == 302
    account.refresh_from_db()
    assert account.access_key_hint == simulator.key("no-cost-explorer").access_key_id[-4:]


def test_the_template_creates_the_role_with_its_external_id_and_least_policy(
    connect: Connect, connect_role: Connect, admin: User, api: Api
) -> None:
    role = connect_role(connect("hub"))
    answer = api(admin).get(f"/api/accounts/{role.pk}/cloudformation")
    template = answer.json()
    assert answer["Link"].endswith('#/stacks/create>; rel="create-form"')
    assert template["Parameters"]["ExternalId"]["Default"] == role.external_id
    assert template["Parameters"]["TrustedPrincipal"]["Default"] == "arn:aws:iam::111111111111:user/cloudconsole-hub"
    assert template["Parameters"]["RoleName"]["Default"] == "CloudconsoleReadOnly"
    policies = {name: resource for name, resource in template["Resources"].items() if name != "Role"}
    of_roles = [capability for capability in CAPABILITIES.values() if not capability.of_user]
    assert len(policies) == len(of_roles)
    assert {"MayCostsPolicy", "MayEc2ReadPolicy", "MayLambdaOperatePolicy"} < set(policies)
    switches = {name: each["Default"] for name, each in template["Parameters"].items() if name.startswith("May")}
    assert {name for name, default in switches.items() if default == "no"} == {
        "MayEc2Operate", "MayS3Objects", "MayS3Operate", "MayLambdaOperate", "MaySavingsOperate", "MayAnomalyDetection",
        "MayAnomalyFeedback", "MayBillingExports", "MayCostForecasts", "MayQuotasOperate",
    }  # fmt: skip
    assert template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}
    }


def test_the_link_fills_everything_in_where_the_template_is_in_s3(
    connect: Connect, connect_role: Connect, admin: User, api: Api, settings: object
) -> None:
    settings.CLOUDFORMATION_TEMPLATE_URL = "https://templates.s3.amazonaws.com/role.json"  # type: ignore[attr-defined]
    role = connect_role(connect("hub"))
    link = api(admin).get(f"/api/accounts/{role.pk}/cloudformation")["Link"]
    assert "stacks/create/review?templateURL=https%3A%2F%2Ftemplates.s3.amazonaws.com%2Frole.json" in link
    assert f"param_ExternalId={role.external_id}" in link
    assert "param_MayCosts=yes" in link


def test_the_template_is_a_page_and_a_file(connect: Connect, connect_role: Connect, browser: Client) -> None:
    role = connect_role(connect("hub"))
    assert "Download the template" in browser.get(f"/accounts/{role.pk}/cloudformation").content.decode()
    file = browser.get(f"/accounts/{role.pk}/cloudformation.json")
    assert file["Content-Disposition"] == 'attachment; filename="cloudconsole-role-411111111111.json"'
    assert json.loads(file.content)["Resources"]["Role"]["Type"] == "AWS::IAM::Role"


def test_the_remove_page_lists_what_hangs_on_the_account(
    connect: Connect, connect_role: Connect, browser: Client, viewer: User, grant: Callable[..., object]
) -> None:
    hub = connect("hub")
    spoke = connect_role(hub)
    grant(viewer, hub, Role.VIEWER)
    page = browser.get(f"/accounts/{hub.pk}/remove").content.decode()
    assert spoke.alias in page
    assert "<td>Grants</td>" in page
    refused = browser.post(f"/accounts/{hub.pk}/remove", {"confirm": "hub"})
    assert (refused.status_code, "Give these accounts another way in" in refused.content.decode()) == (409, True)


def test_a_disconnected_account_stays_until_it_is_purged_on_purpose(connect: Connect, browser: Client) -> None:
    account = connect("development")
    assert browser.get(f"/disconnected/{account.pk}/purge").status_code == 404
    browser.post(f"/accounts/{account.pk}/remove", {"confirm": "development"})
    assert "development" in browser.get("/accounts/disconnected").content.decode()
    path = f"/disconnected/{account.pk}/purge"
    assert browser.post(path, {"confirm": "dev"}).status_code == 400
    assert AwsAccount.objects.filter(pk=account.pk).exists()
    assert browser.post(path, {"confirm": "development"}).status_code == 302
    assert not AwsAccount.objects.filter(pk=account.pk).exists()
    told = AuditEvent.objects.filter(account_alias="development")
    assert told.filter(action="account.purged").count() == 1
    assert told.filter(action="account.added").count() == 1


def _wizard(simulator: SimulatorHandle, **more: object) -> dict[str, object]:
    key = {"session_token": "", **key_fields(simulator.key("development"))}
    return {"alias": "dev", "environment": "development", "auth_method": "access_key", **key, **more}


def test_the_wizard_switches_on_what_was_chosen_and_nothing_more(simulator: SimulatorHandle, browser: Client) -> None:
    chosen = ["identity", "ec2.read", "ec2.operate"]
    browser.post("/accounts/add", _wizard(simulator, capabilities=chosen, chosen="yes"))
    assert AwsAccount.objects.get(alias="dev").capabilities == chosen


def test_the_wizard_takes_no_choice_for_a_choice(simulator: SimulatorHandle, browser: Client) -> None:
    browser.post("/accounts/add", _wizard(simulator, chosen="yes"))
    assert AwsAccount.objects.get(alias="dev").capabilities == []


def test_a_form_without_the_switches_means_the_usual_capabilities(simulator: SimulatorHandle, browser: Client) -> None:
    browser.post("/accounts/add", _wizard(simulator))
    assert AwsAccount.objects.get(alias="dev").capabilities == list(BY_DEFAULT)


def test_the_wizard_shows_the_policy_of_what_is_chosen(browser: Client) -> None:
    usual = browser.get("/accounts/add").content.decode()
    chosen = browser.get("/accounts/add?chosen=yes&capabilities=ec2.operate&capabilities=made-up").content.decode()
    assert "ec2:DescribeInstances" in usual
    assert "ec2:TerminateInstances" not in usual
    assert "ec2:TerminateInstances" in chosen
    assert "ce:GetCostAndUsage" not in chosen


def test_an_admin_says_where_a_second_person_decides(
    api: Callable[[User | None], APIClient], admin: User, operator: User
) -> None:
    account = AwsAccount.objects.create(alias="production", auth_method="ambient", environment="production")
    path = f"/api/accounts/{account.pk}"
    assert api(operator).patch(path, {"approval": "never"}, format="json").status_code == 403
    assert api(admin).patch(path, {"approval": "sometimes"}, format="json").status_code == 400
    answer = api(admin).patch(path, {"approval": "never"}, format="json")
    assert (answer.status_code, answer.json()["approval"]) == (200, "never")
    event = AuditEvent.objects.get(action="account.changed")
    assert event.detail == {"fields": "approval", "approval": "never"}
