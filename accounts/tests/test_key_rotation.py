"""Rotating an access key: each step, what goes wrong in between, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, KeyRotation, User
from accounts.services import credentials, encryption, key_rotation
from accounts.tests.conftest import Connect
from audit.models import AuditEvent
from cloudconsole.aws import access_keys, sts
from cloudconsole.aws.errors import AwsError
from cloudconsole.sealing import Context, Sealed, keyring
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]


@pytest.fixture
def account(connect: Connect) -> AwsAccount:
    return connect("development", capabilities=["identity", "key_rotation"])


def _keys(account: AwsAccount) -> dict[str, bool]:
    """The user's keys in AWS: their last four characters, and whether they are on."""
    access = credentials.access_for(AwsAccount.objects.get(pk=account.pk), None)
    return {key.access_key_id[-4:]: key.is_active for key in access_keys.own(access)}


def _works(account: AwsAccount) -> bool:
    return sts.whoami(credentials.access_for(AwsAccount.objects.get(pk=account.pk), None)).account_id == "433333333333"


def test_five_steps_replace_the_key(account: AwsAccount, admin: User, api: Api) -> None:
    client, base = api(admin), f"/api/accounts/{account.pk}/rotation"
    old = account.access_key_hint
    started = client.post(base)
    assert (started.status_code, started.json()["status"]) == (201, "created")
    new = started.json()["new_key_hint"]
    assert _keys(account) == {old: True, new: True}
    states = [client.post(f"{base}/next").json()["status"] for _ in range(2)]
    assert states == ["proven", "swapped"]
    account.refresh_from_db()
    assert account.access_key_hint == new
    assert client.post(f"{base}/next").json()["status"] == "deactivated"
    assert _keys(account) == {old: False, new: True}
    assert client.post(f"{base}/next").json()["status"] == "done"
    assert _keys(account) == {new: True}
    assert _works(account)
    over = KeyRotation.objects.get()
    assert (bytes(over.sealed), over.sealed_with) == (b"", "")
    assert client.post(f"{base}/next").json()["code"] == "no_rotation"
    assert AuditEvent.objects.filter(action="key_rotation.step").count() == 5


@pytest.mark.parametrize("steps", range(4))
def test_it_can_be_taken_back_until_the_old_key_is_deleted(steps: int, account: AwsAccount, admin: User) -> None:
    old = account.access_key_hint
    rotation = key_rotation.start(account=account, by=admin)
    for _ in range(steps):
        rotation = key_rotation.advance(rotation=rotation, by=admin)
    assert key_rotation.undo(rotation=rotation, by=admin).status == "undone"
    assert _keys(account) == {old: True}
    assert _works(account)
    account.refresh_from_db()
    assert account.access_key_hint == old


def test_a_refused_step_says_why_and_is_tried_again(
    account: AwsAccount, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    rotation = key_rotation.start(account=account, by=admin)
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED, times=9))
    with pytest.raises(AwsError):
        key_rotation.advance(rotation=rotation, by=admin)
    told = api(admin).get(f"/api/accounts/{account.pk}/rotation").json()
    assert (told["status"], told["error_code"]) == ("created", "aws_credentials_expired")
    simulator.clear_faults()
    assert key_rotation.advance(rotation=key_rotation.open_rotation(account), by=admin).error_code == ""


def test_a_key_whose_secret_was_lost_in_a_crash_is_replaced_when_resumed(account: AwsAccount, admin: User) -> None:
    rotation = key_rotation.start(account=account, by=admin)
    lost = rotation.new_key_hint
    nothing_kept = {"sealed": b"", "sealed_with": "", "new_key_hint": ""}
    KeyRotation.objects.update(status="creating", working_until="2026-01-01T00:00:00Z", **nothing_kept)
    resumed = key_rotation.advance(rotation=key_rotation.open_rotation(account), by=admin)
    assert resumed.new_key_hint != lost
    assert _keys(account) == {account.access_key_hint: True, resumed.new_key_hint: True}


def test_a_second_key_that_is_not_ours_is_never_deleted(account: AwsAccount, admin: User, api: Api) -> None:
    foreign = access_keys.create(credentials.access_for(account, None)).access_key_id[-4:]
    for _ in range(2):
        answer = api(admin).post(f"/api/accounts/{account.pk}/rotation")
        assert answer.status_code == 409
    assert foreign in _keys(account)
    assert KeyRotation.objects.get().error_code == "two_keys_already"


def test_neither_key_is_stored_or_told_in_plain(account: AwsAccount, admin: User, api: Api) -> None:
    answer = api(admin).post(f"/api/accounts/{account.pk}/rotation").content.decode()
    rotation = KeyRotation.objects.get()
    sealed = Sealed(bytes(rotation.sealed), rotation.sealed_with)
    kept = json.loads(keyring().open(sealed, Context(str(account.uuid), "key_rotation.sealed")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_keyrotation")
        row = cursor.fetchone()
    stored = " ".join(bytes(v).decode(errors="replace") if isinstance(v, bytes | memoryview) else str(v) for v in row)
    browser = Client()
    browser.force_login(admin)
    pages = [
        f"/accounts/{account.pk}/rotation",
        f"/admin/accounts/keyrotation/{rotation.pk}/change/",
        "/admin/accounts/keyrotation/",
    ]
    seen = "".join([answer, stored, *(browser.get(page).content.decode() for page in pages)])
    assert [secret for secret in (kept["old"][1], kept["new"][1]) if secret in seen] == []


def test_keys_under_way_move_to_a_new_encryption_key(account: AwsAccount, admin: User, settings: Any) -> None:
    rotation = key_rotation.start(account=account, by=admin)
    settings.FERNET_KEYS = ["n" * 43, *settings.FERNET_KEYS]
    assert encryption.rotate(batch_size=10).rotated.total() == 2  # the account's key, and the pair under way
    key_rotation.advance(rotation=rotation, by=admin)  # read before; saving it must not bring the old ciphertext back
    settings.FERNET_KEYS = settings.FERNET_KEYS[:1]
    assert key_rotation.advance(rotation=key_rotation.open_rotation(account), by=admin).status == "swapped"


def test_two_at_the_same_step_do_it_once(account: AwsAccount, admin: User) -> None:
    rotation = key_rotation.start(account=account, by=admin)
    stale = key_rotation.open_rotation(account)
    key_rotation.advance(rotation=rotation, by=admin)
    with pytest.raises(key_rotation.RotationUnderWay):
        key_rotation.advance(rotation=stale, by=admin)


def test_temporary_keys_and_roles_have_nothing_to_rotate(connect: Connect, admin: User, api: Api) -> None:
    sandbox = connect("sandbox")
    assert api(admin).post(f"/api/accounts/{sandbox.pk}/rotation").json()["code"] == "nothing_to_rotate"


def test_keys_sealed_for_another_account_are_refused(account: AwsAccount, connect: Connect, admin: User) -> None:
    rotation = key_rotation.start(account=account, by=admin)
    rotation.account = connect("hub")
    with pytest.raises(key_rotation.KeysUnreadable):
        key_rotation.advance(rotation=rotation, by=admin)


def test_the_page_guides_through_it(account: AwsAccount, admin: User) -> None:
    browser = Client()
    browser.force_login(admin)
    path = f"/accounts/{account.pk}/rotation"
    assert "Make the new key" in browser.get(path).content.decode()
    page = browser.post(path, {"step": "start"}, follow=True).content.decode()
    assert "Prove the new key" in page
    page = browser.post(path, {"step": "next"}, follow=True).content.decode()
    assert "Use the new key" in page
    page = browser.post(path, {"step": "undo"}, follow=True).content.decode()
    assert "Taken back" in page
