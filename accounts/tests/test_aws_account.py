"""Connecting, changing and removing AWS accounts through the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from rest_framework.test import APIClient

from accounts.models import AwsAccount, AwsCredential, Grant, User
from accounts.services import aws_accounts, inputs
from accounts.tests.conftest import Connect, key_fields
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
ROLE = "arn:aws:iam::411111111111:role/CloudconsoleReadOnly"


def _body(simulator: SimulatorHandle, key: str, **more: object) -> dict[str, object]:
    return {"alias": "development", "auth_method": "access_key", **key_fields(simulator.key(key)), **more}


def _actions() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", "outcome"))


def test_proven_credentials_are_stored_and_the_account_is_verified(simulator: SimulatorHandle, admin: User, api: Api) -> None:
    answer = api(admin).post("/api/accounts", _body(simulator, "development", environment="production", regions=["eu-central-1"]))
    assert answer.status_code == 201
    account = answer.json()
    assert account["account_id"] == "433333333333"
    assert account["status"] == "ok"
    assert account["access_key_hint"] == simulator.key("development").access_key_id[-4:]
    assert account["regions"] == ["eu-central-1"]
    assert account["verified_at"]
    assert _actions() == [("account.added", "success"), ("account.verified", "success")]
    assert AuditEvent.objects.get(action="account.added").aws_request_id


def test_keys_pasted_with_blanks_and_line_breaks_are_forgiven(simulator: SimulatorHandle, admin: User, api: Api) -> None:
    key = simulator.key("development")
    pasted = {
        "access_key_id": f"  {key.access_key_id}\n",
        "secret_access_key": f"{key.secret_access_key[:20]}\n {key.secret_access_key[20:]} ",
    }
    assert api(admin).post("/api/accounts", _body(simulator, "development") | pasted).status_code == 201


def test_session_credentials_are_accepted_with_their_token(simulator: SimulatorHandle, admin: User, api: Api) -> None:
    answer = api(admin).post("/api/accounts", _body(simulator, "sandbox"))
    assert answer.status_code == 201
    assert answer.json()["account_id"] == "444444444444"


@pytest.mark.parametrize(
    ("key", "code", "aws_code"),
    [
        ("unknown", "aws_credentials_invalid", "InvalidClientTokenId"),
        ("deactivated", "aws_credentials_invalid", "InvalidClientTokenId"),
        ("wrong-secret", "aws_credentials_invalid", "SignatureDoesNotMatch"),
        ("expired", "aws_credentials_expired", "ExpiredToken"),
    ],
)
def test_bad_credentials_are_424_with_a_remedy_and_nothing_is_stored(
    key: str, code: str, aws_code: str, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    answer = api(admin).post("/api/accounts", _body(simulator, key))
    problem = answer.json()
    assert answer.status_code == 424
    assert (problem["code"], problem["aws"]["code"]) == (code, aws_code)
    assert problem["remedy"]
    assert not AwsAccount.objects.exists()
    assert not AwsCredential.objects.exists()
    assert _actions() == [("account.credentials_refused", "refused")]


@pytest.mark.parametrize(
    ("given", "attr"),
    [
        ({"alias": "Not an alias!"}, "alias"),
        ({"alias": "12345"}, "alias"),
        ({"access_key_id": "hello"}, "access_key_id"),
        ({"secret_access_key": "short"}, "secret_access_key"),
        ({"session_token": "a-token"}, "session_token"),
        ({"role_arn": ROLE}, "role_arn"),
        ({"auth_method": "password"}, "auth_method"),
        ({"auth_method": "ambient"}, "access_key_id"),
        ({"regions": ["Frankfurt"]}, "regions"),
        ({"environment": "moon"}, "environment"),
        ({"capabilities": ["flying"]}, "capabilities.0"),
        ({"account_id": "123"}, "account_id"),
    ],
)
def test_what_cannot_be_right_is_refused_before_aws_is_asked(
    given: dict[str, object], attr: str, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    simulator.clear_calls()
    answer = api(admin).post("/api/accounts", _body(simulator, "development") | given)
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]
    assert simulator.calls() == []
    assert not AwsAccount.objects.exists()


def test_an_alias_in_any_case_and_an_account_number_are_connected_once(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    connect("development")
    same_alias = api(admin).post("/api/accounts", _body(simulator, "sandbox", alias="Development"))
    same_number = api(admin).post("/api/accounts", _body(simulator, "no-cost-explorer", alias="other"))
    assert [same_alias.status_code, same_number.status_code] == [409, 409]
    assert [same_alias.json()["code"], same_number.json()["code"]] == ["alias_taken", "account_already_connected"]
    assert AwsAccount.objects.count() == 1


def test_of_two_who_take_one_alias_at_the_same_time_one_is_told(threads: Callable[..., None]) -> None:
    admin = User.objects.create_user("admin", role=Role.ADMIN)
    told = list[str]()

    def connect_one(number: str) -> None:
        new = inputs.NewAccount("same", inputs.HostInput(), expected_account_id=number)
        try:
            aws_accounts.create_unproven(new=new, by=admin)
        except aws_accounts.AliasTaken as refusal:
            told.append(refusal.code)

    threads(partial(connect_one, "411111111111"), partial(connect_one, "422222222222"))
    assert told == ["alias_taken"]
    assert AwsAccount.objects.count() == 1


def test_credentials_of_another_account_than_expected_are_refused(simulator: SimulatorHandle, admin: User, api: Api) -> None:
    answer = api(admin).post("/api/accounts", _body(simulator, "development", account_id="4444-4444-4444"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "account_mismatch"
    assert not AwsAccount.objects.exists()
    assert _actions() == [("account.credentials_refused", "refused")]


def test_an_unproven_account_is_pending_and_aws_is_not_asked(simulator: SimulatorHandle, admin: User, api: Api) -> None:
    simulator.clear_calls()
    answer = api(admin).post("/api/accounts", _body(simulator, "unknown", verify=False))
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["verified_at"]) == ("pending", None)
    assert simulator.calls() == []


def test_a_role_is_assumed_from_its_hub_with_the_external_id_made_here(
    connect: Connect, connect_role: Connect, admin: User, api: Api
) -> None:
    hub = connect("hub")
    role = connect_role(hub)
    assert role.status == "pending"
    assert len(role.external_id) >= 32
    answer = api(admin).post(f"/api/accounts/{role.pk}/verify")
    assert answer.json()["status"] == "ok", answer.json()
    assert answer.json()["external_id_enforced"] is True
    assert answer.json()["arn"].startswith("arn:aws:sts::411111111111:assumed-role/CloudconsoleReadOnly/")


def test_a_reserved_external_id_connects_a_role_in_one_step(connect: Connect, simulator: SimulatorHandle, admin: User) -> None:
    hub = connect("hub")
    reserved = aws_accounts.reserve_external_id()
    simulator.register_role(ROLE, reserved.external_id)
    new = inputs.NewAccount("production", inputs.RoleInput(ROLE, "hub"), reservation=reserved.note)
    account = aws_accounts.create(new=new, by=admin)
    assert (account.status, account.hub, account.external_id) == ("ok", hub, reserved.external_id)


def test_an_external_id_that_was_not_made_here_is_refused(connect: Connect, admin: User) -> None:
    connect("hub")
    new = inputs.NewAccount("production", inputs.RoleInput(ROLE, "hub"), reservation="chosen-by-somebody")
    with pytest.raises(inputs.InvalidInput) as refusal:
        aws_accounts.create(new=new, by=admin)
    assert refusal.value.attr == "reservation"


def test_a_role_that_does_not_trust_the_hub_yet_is_refused_with_its_remedy(connect: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    body = {"alias": "production", "auth_method": "assume_role", "role_arn": ROLE, "hub": hub.alias}
    answer = api(admin).post("/api/accounts", body)
    assert answer.status_code == 424
    assert (answer.json()["code"], answer.json()["aws"]["operation"]) == ("aws_access_denied", "AssumeRole")
    assert AwsAccount.objects.count() == 1


def test_an_unknown_hub_is_an_invalid_input(admin: User, simulator: SimulatorHandle, api: Api) -> None:
    body = {"alias": "production", "auth_method": "assume_role", "role_arn": ROLE, "hub": "nowhere", "verify": False}
    answer = api(admin).post("/api/accounts", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "hub"


def test_a_hub_cannot_be_reached_through_its_own_spoke(connect: Connect, connect_role: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    spoke = connect_role(hub)
    api(admin).post(f"/api/accounts/{spoke.pk}/verify")
    own = {"auth_method": "assume_role", "role_arn": "arn:aws:iam::111111111111:role/Back", "hub": spoke.pk}
    answer = api(admin).patch(f"/api/accounts/{hub.pk}", own)
    assert answer.status_code == 409
    assert answer.json()["code"] == "hub_loop"
    assert AwsAccount.objects.get(pk=hub.pk).auth_method == "access_key"


def test_an_account_is_found_by_id_alias_and_number(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development")
    found = {api(admin).get(f"/api/accounts/{name}").json()["id"] for name in (account.pk, "development", "433333333333")}
    assert found == {account.pk}


def test_the_list_is_ordered_searched_and_filtered_strictly(connect: Connect, admin: User, api: Api) -> None:
    connect("development", environment="staging")
    connect("sandbox")

    def aliases(query: str) -> list[str]:
        return [row["alias"] for row in api(admin).get(f"/api/accounts?{query}").json()["results"]]

    assert aliases("ordering=-alias") == ["sandbox", "development"]
    assert aliases("environment=staging") == ["development"]
    assert aliases("search=4444") == ["sandbox"]
    for query in ("ordering=secret", "status=perfect", "environment=moon", "page_size=9999"):
        assert api(admin).get(f"/api/accounts?{query}").status_code == 400


def test_changing_the_alias_asks_no_aws_and_tells_what_changed(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    simulator.clear_calls()
    answer = api(admin).patch(f"/api/accounts/{account.pk}", {"alias": "dev", "regions": ["us-east-1"], "external_id": "mine"})
    assert (answer.status_code, answer.json()["alias"], answer.json()["regions"]) == (200, "dev", ["us-east-1"])
    assert answer.json()["external_id"] == account.external_id
    assert simulator.calls() == []
    event = AuditEvent.objects.get(action="account.changed")
    assert event.detail == {"fields": "alias, regions"}


def test_new_credentials_replace_the_old_only_after_aws_accepted_them(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    refused = api(admin).patch(f"/api/accounts/{account.pk}", key_fields(simulator.key("wrong-secret")))
    assert refused.status_code == 424
    assert AwsCredential.objects.get(account=account).version == 1
    assert api(admin).post(f"/api/accounts/{account.pk}/verify").json()["status"] == "ok"
    replaced = api(admin).patch(f"/api/accounts/{account.pk}", key_fields(simulator.key("no-cost-explorer")))
    assert replaced.status_code == 200
    assert replaced.json()["access_key_hint"] == simulator.key("no-cost-explorer").access_key_id[-4:]
    assert AwsCredential.objects.get(account=account).version == 2
    assert replaced.json()["status"] == "degraded", "the new key may not read costs, and the account says so"


def test_credentials_of_another_account_never_replace_those_of_this_one(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    answer = api(admin).patch(f"/api/accounts/{account.pk}", key_fields(simulator.key("sandbox")))
    assert answer.status_code == 409
    assert answer.json()["code"] == "account_mismatch"
    assert AwsCredential.objects.get(account=account).version == 1


def test_removing_wants_the_alias_and_destroys_the_credentials(
    connect: Connect, admin: User, viewer: User, api: Api, grant: Callable[..., Grant]
) -> None:
    account = connect("development")
    grant(viewer, account, Role.VIEWER)
    path = f"/api/accounts/{account.pk}"
    unconfirmed = [api(admin).delete(path), api(admin).delete(f"{path}?confirm=another")]
    assert [answer.status_code for answer in unconfirmed] == [400, 400]
    assert api(admin).delete(f"{path}?confirm=development").status_code == 204
    assert api(admin).get(path).status_code == 404
    assert not AwsCredential.objects.exists()
    assert not Grant.objects.filter(account=account).exists()
    assert AwsAccount.objects.get(pk=account.pk).deleted_at, "the row stays for the history that hangs on it"


def test_a_removed_account_can_be_connected_again(connect: Connect, admin: User, api: Api) -> None:
    first = connect("development")
    api(admin).delete(f"/api/accounts/{first.pk}", {"confirm": "development"})
    assert connect("development").pk != first.pk


def test_a_hub_in_use_is_not_removed(connect: Connect, connect_role: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    spoke = connect_role(hub)
    answer = api(admin).delete(f"/api/accounts/{hub.pk}?confirm=hub")
    assert answer.status_code == 409
    assert answer.json()["code"] == "hub_in_use"
    assert spoke.alias in answer.json()["detail"]
    api(admin).delete(f"/api/accounts/{spoke.pk}?confirm={spoke.alias}")
    assert api(admin).delete(f"/api/accounts/{hub.pk}?confirm=hub").status_code == 204


def test_the_policy_allows_what_is_switched_on_and_nothing_else(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development", capabilities=["identity", "costs"])
    policy = api(admin).get(f"/api/accounts/{account.pk}/policy").json()
    assert policy["Version"] == "2012-10-17"
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert actions == ["sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy", "ce:GetCostAndUsage"]


def test_the_policy_of_an_account_that_assumes_roles_names_those_roles_to_those_who_may_see_them(
    connect: Connect, connect_role: Connect, admin: User, make_user: Callable[..., User], api: Api
) -> None:
    hub = connect("hub", capabilities=["identity"])
    role = connect_role(hub)

    def assumed(reader: User) -> list[str]:
        statements = api(reader).get(f"/api/accounts/{hub.pk}/policy").json()["Statement"]
        return [arn for one in statements if one["Action"] == ["sts:AssumeRole"] for arn in one["Resource"]]

    assert assumed(admin) == [role.role_arn]
    person = make_user("ada", Role.VIEWER)
    Grant.objects.create(user=person, account=hub, role=Role.VIEWER)
    assert assumed(person) == []


def test_the_trust_policy_names_the_hub_and_the_external_id(
    connect: Connect, connect_role: Connect, admin: User, api: Api
) -> None:
    hub = connect("hub")
    role = connect_role(hub)
    statement = api(admin).get(f"/api/accounts/{role.pk}/trust-policy").json()["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:user/cloudconsole-hub"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": role.external_id}}
    assert api(admin).get(f"/api/accounts/{hub.pk}/trust-policy").json()["code"] == "no_role"
