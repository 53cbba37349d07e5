"""A second factor: set up and used on the pages, asked for by the API, encrypted, counted, and taken away by admins."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client
from rest_framework.test import APIClient

from accounts.mfa import MFAAdapter
from accounts.models import User
from audit.models import AuditEvent
from conftest import PASSWORD

Api = Callable[..., APIClient]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str) -> str:
    """What the app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def login(client: APIClient, **fields: str) -> Any:
    return client.post("/api/auth/login", {"username": "viewer", "password": PASSWORD, **fields})


@pytest.fixture
def secured(viewer: User) -> User:
    TOTP.activate(viewer, SECRET)
    return viewer


@pytest.fixture
def browser(viewer: User) -> Client:
    """Signed in, and asked for the password once more."""
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    client.post("/settings/confirm", {"password": PASSWORD})
    return client


def test_the_api_asks_for_a_code_and_takes_it(secured: User, api: Api) -> None:
    asked = login(api(None))
    assert (asked.status_code, asked.json()["code"]) == (401, "mfa_required")
    assert "access_token" not in asked.json()
    assert login(api(None), otp=code_of(SECRET)).status_code == 200
    assert Authenticator.objects.get().last_used_at is not None
    again = login(api(None), otp=code_of(SECRET))
    assert (again.status_code, again.json()["code"]) == (401, "invalid_credentials"), "each code works once"


def test_a_wrong_password_is_told_before_any_second_factor(secured: User, api: Api) -> None:
    answer = login(api(None), password="wrong", otp=code_of(SECRET))
    assert answer.json()["code"] == "invalid_credentials"


def test_wrong_codes_lock_out_and_are_written_down(secured: User, api: Api) -> None:
    answers = [login(api(None), otp="000000").status_code for _ in range(6)]
    assert answers == [401, 401, 401, 401, 401, 429]
    assert login(api(None), otp=code_of(SECRET)).status_code == 429
    assert AuditEvent.objects.filter(action="session.sign_in_failed", subject="viewer").count() == 5


def test_an_app_is_added_only_with_its_code_and_is_stored_encrypted(browser: Client, viewer: User) -> None:
    secret = browser.get("/settings/security/app").context["form"].secret
    assert browser.post("/settings/security/app", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()
    answer = browser.post("/settings/security/app", {"code": code_of(secret)})
    assert answer["Location"] == "/settings/security/recovery-codes"
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    assert MFAAdapter().decrypt(stored) == secret
    assert AuditEvent.objects.filter(action="second_factor.added", actor_name="viewer").count() == 1


def test_recovery_codes_are_shown_once_and_each_lets_in_once(browser: Client, viewer: User, api: Api) -> None:
    secret = browser.get("/settings/security/app").context["form"].secret
    browser.post("/settings/security/app", {"code": code_of(secret)})
    codes = browser.get("/settings/security/recovery-codes").context["unused_codes"]
    assert len(codes) == 10
    assert codes[0] not in browser.get("/settings/security/recovery-codes").content.decode()
    assert login(api(None), otp=codes[0]).status_code == 200
    assert login(api(None), otp=codes[0]).status_code == 401


def test_the_page_asks_for_the_code_after_the_password(secured: User) -> None:
    client = Client()
    first = client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    assert first["Location"] == "/sign-in/code"
    assert client.get("/")["Location"].startswith("/sign-in")
    assert client.post("/sign-in/code", {"code": "000000"}).status_code == 200
    assert client.post("/sign-in/code", {"code": code_of(SECRET)})["Location"] == "/"
    assert client.get("/api/auth/me").json()["username"] == "viewer"


def test_the_page_of_codes_locks_out(secured: User) -> None:
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    for _ in range(5):
        client.post("/sign-in/code", {"code": "000000"})
    client.post("/sign-in/code", {"code": code_of(SECRET)})
    assert client.get("/api/auth/me").status_code == 401


def test_changing_second_factors_asks_for_the_password_once_more(viewer: User) -> None:
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    assert client.get("/settings/security/app")["Location"].startswith("/settings/confirm")


def test_removing_the_app_lets_the_password_alone_in_again(secured: User, browser: Client, api: Api) -> None:
    browser.post("/sign-in/code", {"code": code_of(SECRET)})
    browser.post("/settings/confirm", {"password": PASSWORD})
    assert browser.post("/settings/security/app/remove")["Location"] == "/settings/security"
    assert login(api(None)).status_code == 200
    assert AuditEvent.objects.filter(action="second_factor.removed").count() == 1


def passkey_of(user: User, name: str = "old name") -> Authenticator:
    made: Authenticator = Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})
    return made


def test_a_passkey_is_renamed_by_its_owner_and_written_down(browser: Client, viewer: User, operator: User) -> None:
    own, others = passkey_of(viewer), passkey_of(operator)
    address = f"/settings/security/passkeys/{own.pk}/rename"
    assert "old name" in browser.get(address).content.decode()
    assert browser.post(address, {"name": "Blue key"})["Location"] == "/settings/security"
    assert Authenticator.objects.get(pk=own.pk).wrap().name == "Blue key"
    event = AuditEvent.objects.get(action="second_factor.renamed")
    assert (event.actor_name, event.detail["name"]) == ("viewer", "Blue key")
    assert browser.post(f"/settings/security/passkeys/{others.pk}/rename", {"name": "mine"}).status_code == 404
    assert browser.post(address, {"name": " "}).context["form"].errors["name"]
    assert browser.post(address, {"name": "x" * 101}).context["form"].errors["name"]
    assert Authenticator.objects.get(pk=own.pk).wrap().name == "Blue key"


def test_renaming_a_passkey_asks_who_it_is_first(viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    assert client.get(f"/settings/security/passkeys/{passkey_of(viewer).pk}/rename")["Location"].startswith("/settings/confirm")


def test_an_admin_takes_a_lost_second_factor_away(secured: User, admin: User, api: Api) -> None:
    client = Client()
    client.force_login(admin)
    client.post(f"/people/{secured.pk}/second-factor/remove")
    assert login(api(None)).status_code == 200
    event = AuditEvent.objects.get(action="second_factor.removed")
    assert (event.actor_name, event.subject) == ("admin", "viewer")


def test_a_lost_encryption_key_is_said_in_a_sentence(secured: User, api: Api) -> None:
    Authenticator.objects.filter(type="totp").update(data={"secret": "gAAAA-of-another-key"})
    answer = login(api(None), otp="123456")
    assert (answer.status_code, answer.json()["code"]) == (503, "second_factor_unreadable")
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    page = client.post("/sign-in/code", {"code": "123456"})
    assert page.status_code == 503
    assert "Ask an admin" in page.content.decode()
