"""The pages of AWS accounts: every form works without a script, and a refusal says what to do."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import AwsAccount, User
from accounts.tests.conftest import Connect, key_fields
from cloudconsole.simulator.process import SimulatorHandle

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def by_key(simulator: SimulatorHandle, name: str, **fields: str) -> dict[str, str]:
    return {"alias": name, "environment": "sandbox", "auth_method": "access_key", **key_fields(simulator.key(name)), **fields}


def test_an_admin_connects_an_account_by_form(admin: User, simulator: SimulatorHandle) -> None:
    client = signed_in(admin)
    answer = client.post("/accounts/add", by_key(simulator, "development"), follow=True)
    account = AwsAccount.objects.get(alias="development")
    assert answer.redirect_chain == [(f"/accounts/{account.pk}", 302)]
    text = answer.content.decode()
    assert "development is connected." in text
    assert "4333 3333 3333" in text


def test_a_refused_key_is_explained_and_nothing_is_stored_or_shown_again(admin: User, simulator: SimulatorHandle) -> None:
    fields = by_key(simulator, "wrong-secret")
    answer = signed_in(admin).post("/accounts/add", fields)
    text = answer.content.decode()
    assert answer.status_code == 424
    assert "SignatureDoesNotMatch" in text
    assert "What to do." in text
    assert fields["secret_access_key"] not in text
    assert not AwsAccount.objects.exists()


def test_an_input_that_cannot_be_right_is_told_at_its_field(admin: User) -> None:
    fields = {"alias": "Prod!", "environment": "production", "auth_method": "assume_role", "role_arn": "arn:nonsense", "hub": ""}
    answer = signed_in(admin).post("/accounts/add", fields)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert re.search(r'name="alias"[^>]*aria-invalid="true"', text)


def test_a_role_gets_the_external_id_that_its_trust_policy_was_shown_with(admin: User, connect: Connect) -> None:
    hub, client = connect("hub"), signed_in(admin)
    form = client.get("/accounts/add").context["form"]
    given = {name: form[name].value() for name in ("reservation", "external_id")}
    arn = "arn:aws:iam::411111111111:role/CloudconsoleReadOnly"
    fields = {"alias": "production", "environment": "production", "auth_method": "assume_role", "role_arn": arn, "hub": hub.pk}
    client.post("/accounts/add", {**fields, **given, "later": "yes"})
    account = AwsAccount.objects.get(alias="production")
    assert (account.status, account.external_id) == ("pending", given["external_id"])
    assert given["external_id"] in client.get(f"/accounts/{account.pk}").content.decode()


def test_the_first_account_by_role_is_told_what_has_to_assume_it(admin: User, connect: Connect) -> None:
    client = signed_in(admin)
    text = client.get("/accounts/add").content.decode()
    assert "Something has to assume the role." in text
    assert 'href="/accounts/add?way=access_key"' in text
    assert "sts:AssumeRole" in client.get("/accounts/add").context["assume_policy"]
    assert re.search(r'value="access_key" checked', client.get("/accounts/add?way=access_key").content.decode())
    connect("hub")
    assert "Something has to assume the role." not in client.get("/accounts/add").content.decode()


def test_the_page_of_an_account_says_what_the_identity_that_assumes_roles_needs(
    admin: User, connect: Connect, connect_role: Connect
) -> None:
    hub, client = connect("hub"), signed_in(admin)
    assert "To reach other accounts through this one" in client.get(f"/accounts/{hub.pk}").content.decode()
    role = connect_role(hub)
    assert role.role_arn in client.get(f"/accounts/{role.pk}").context["assume_policy"]
    assert role.role_arn in client.get(f"/accounts/{hub.pk}").context["policy"]


def test_a_viewer_sees_accounts_but_neither_adds_verifies_nor_removes_them(viewer: User, connect: Connect) -> None:
    account, client = connect("development"), signed_in(viewer)
    assert "development" in client.get("/accounts").content.decode()
    text = client.get(f"/accounts/{account.pk}").content.decode()
    assert "Verify now" not in text
    assert "Disconnect" not in text
    assert client.get("/accounts/add").status_code == 403
    assert client.post(f"/accounts/{account.pk}/verify").status_code == 403
    assert client.post(f"/accounts/{account.pk}/remove", {"confirm": "development"}).status_code == 403


def test_an_account_that_is_not_yours_is_not_there(stranger: User, connect: Connect) -> None:
    account, client = connect("development"), signed_in(stranger)
    assert client.get(f"/accounts/{account.pk}").status_code == 404
    assert client.post(f"/accounts/{account.pk}/verify").status_code == 404
    assert "development" not in client.get("/accounts").content.decode()


def test_verifying_again_tells_what_was_found(operator: User, connect: Connect) -> None:
    account = connect("development")
    answer = signed_in(operator).post(f"/accounts/{account.pk}/verify?account=development", follow=True)
    assert answer.redirect_chain == [(f"/accounts/{account.pk}?account=development", 302)]
    assert "development works" in answer.content.decode()


def test_removing_wants_the_alias(admin: User, connect: Connect) -> None:
    account, client = connect("development"), signed_in(admin)
    answer = client.post(f"/accounts/{account.pk}/remove", {"confirm": "developmen"}, follow=True)
    assert "Confirm with the alias" in answer.content.decode()
    assert AwsAccount.objects.filter(deleted_at=None).count() == 1
    client.post(f"/accounts/{account.pk}/remove", {"confirm": "development"})
    assert not AwsAccount.objects.filter(deleted_at=None).exists()


def test_the_list_is_narrowed_by_scope_search_and_health(admin: User, connect: Connect) -> None:
    connect("development", environment="development")
    connect("sandbox", environment="sandbox")
    client = signed_in(admin)

    def listed(query: str) -> list[str]:
        return [account.alias for account in client.get(f"/accounts?{query}").context["page"].object_list]

    assert listed("") == ["development", "sandbox"]
    assert listed("account=sandbox") == ["sandbox"]
    assert listed("environment=development") == ["development"]
    assert listed("search=4444 4444") == ["sandbox"]
    assert listed("status=error") == []
