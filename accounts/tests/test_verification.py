"""What verifying an account finds, and that it tells what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import AwsAccount, AwsCredential, User
from accounts.services import credentials, verification
from accounts.tests.conftest import Connect
from audit.models import AuditEvent
from cloudconsole.aws.policy import BY_DEFAULT
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]


def _seal_of(account: AwsAccount) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM accounts_awscredential WHERE account_id = %s", [account.pk])
        return bytes(cursor.fetchone()[0])


def _put_seal(account: AwsAccount, sealed: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_awscredential SET sealed = %s WHERE account_id = %s", [sealed, account.pk])


def test_every_capability_switched_on_is_checked_and_stored(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development")
    answer = api(admin).post(f"/api/accounts/{account.pk}/verify").json()
    assert answer["status"] == "ok"
    assert answer["account_id"] == "433333333333"
    assert answer["external_id_enforced"] is None
    assert {name: found["status"] for name, found in answer["capabilities"].items()} == dict.fromkeys(BY_DEFAULT, "ok")
    assert answer["capabilities"]["costs"]["actions"] == ["ce:GetCostAndUsage"]
    assert set(account.checks.values_list("capability", "status")) == {(name, "ok") for name in BY_DEFAULT}


def test_no_probe_ever_makes_a_paid_cost_explorer_request(connect: Connect, simulator: SimulatorHandle, admin: User) -> None:
    account = connect("hub")
    verification.verify(account=account, actor=admin)
    assert "ce" not in {call.service for call in simulator.calls()}


def test_a_denied_capability_degrades_the_account_and_names_the_remedy(connect: Connect, admin: User, api: Api) -> None:
    account = connect("no-cost-explorer")
    answer = api(admin).post(f"/api/accounts/{account.pk}/verify").json()
    costs = answer["capabilities"]["costs"]
    assert (answer["status"], answer["code"], costs["status"]) == ("degraded", "capability_denied", "denied")
    assert "ce:GetCostAndUsage" in costs["remedy"]
    account.refresh_from_db()
    assert (account.status, account.status_code) == ("degraded", "capability_denied")
    assert account.status_remedy == costs["remedy"]
    assert account.status_detail.startswith("Costs: ")


def test_a_capability_that_cannot_be_told_is_unknown_not_denied(
    connect: Connect, simulator: SimulatorHandle, admin: User
) -> None:
    account = connect("development")
    simulator.add_faults(Fault("iam", FaultKind.DENIED))
    result = verification.verify(account=account, actor=admin)
    costs = next(finding for finding in result.findings if finding.capability == "costs")
    assert (costs.status, result.status) == ("unknown", "ok")


def test_a_role_without_the_condition_on_the_external_id_is_degraded(
    connect: Connect, connect_role: Connect, admin: User, api: Api
) -> None:
    role = connect_role(connect("hub"), enforced=False)
    answer = api(admin).post(f"/api/accounts/{role.pk}/verify").json()
    assert answer["external_id_enforced"] is False
    assert (answer["status"], answer["code"]) == ("degraded", "external_id_not_required")
    assert "sts:ExternalId" in answer["remedy"]


def test_keys_that_stop_working_turn_the_account_to_error_with_the_cause(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED))
    answer = api(admin).post(f"/api/accounts/{account.pk}/verify")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["code"]) == ("error", "aws_credentials_expired")
    assert answer.json()["remedy"]
    account.refresh_from_db()
    assert (account.status, account.status_code) == ("error", "aws_credentials_expired")
    event = AuditEvent.objects.filter(action="account.verified").order_by("-seq").first()
    assert event
    assert event.outcome == "failure"


def test_an_account_works_again_after_its_cause_is_gone(connect: Connect, simulator: SimulatorHandle, admin: User) -> None:
    account = connect("development")
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED))
    verification.verify(account=account, actor=admin)
    assert verification.verify(account=account, actor=admin).status == "ok"
    account.refresh_from_db()
    assert (account.status, account.status_code, account.status_detail) == ("ok", "", "")


def test_a_sealed_secret_moved_to_another_account_is_refused(connect: Connect, admin: User, api: Api) -> None:
    development, sandbox = connect("development"), connect("sandbox")
    _put_seal(sandbox, _seal_of(development))
    with pytest.raises(credentials.CredentialsUnreadable):
        credentials.access_for(sandbox, admin)
    answer = api(admin).post(f"/api/accounts/{sandbox.pk}/verify").json()
    assert (answer["status"], answer["code"]) == ("error", "credentials_unreadable")


def test_a_secret_that_no_key_opens_is_an_account_state_and_can_be_replaced(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    _put_seal(account, b"gAAAAABnonsense")
    answer = api(admin).post(f"/api/accounts/{account.pk}/verify")
    assert (answer.status_code, answer.json()["code"]) == (200, "credentials_unreadable")
    assert "FERNET_KEYS" in answer.json()["remedy"]
    assert b"gAAAAA" not in answer.content
    key = simulator.key("development")
    body = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    assert api(admin).patch(f"/api/accounts/{account.pk}", body).json()["status"] == "ok"


def test_access_changes_its_key_when_the_credentials_change(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    account = connect("development")
    before = credentials.access_for(account, admin)
    assert before.actor == "admin"
    key = simulator.key("no-cost-explorer")
    body = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    api(admin).patch(f"/api/accounts/{account.pk}", body)
    assert credentials.access_for(account, None).key != before.key


def test_an_account_removed_while_aws_was_asked_stays_removed(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development")
    api(admin).delete(f"/api/accounts/{account.pk}?confirm=development")
    verification.verify(account=account, actor=admin)
    account.refresh_from_db()
    assert account.deleted_at
    assert not AwsCredential.objects.exists()
