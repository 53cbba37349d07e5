"""The doors before sign-in: signing up by mode, proving an address, forgotten passwords, and what they do not reveal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from conftest import PASSWORD

Api = Callable[..., APIClient]
ADA = {"username": "ada", "email": "ada@example.com", "password1": PASSWORD}


@pytest.fixture
def mailing(settings: Any) -> None:
    """As with an EMAIL_URL."""
    settings.EMAIL_CONFIGURED = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.SIGNUP = "open"


def shown(answer: Any) -> str:
    """The page without what differs each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def link_in(message: Any) -> str:
    found = re.search(r"http://testserver(\S+)", message.body)
    assert found, message.body
    return found[1]


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_the_page_takes_nobody_in_unless_sign_up_is_open(mode: str, db: None, settings: Any) -> None:
    settings.SIGNUP = mode
    assert Client().get("/sign-up").status_code == 403
    assert Client().post("/sign-up", ADA).status_code == 403
    assert not User.objects.exists()
    assert "Make an account" not in Client().get("/sign-in").content.decode()


def test_open_sign_up_without_mail_signs_a_viewer_in_at_once(db: None, settings: Any) -> None:
    settings.SIGNUP = "open"
    client = Client()
    assert client.post("/sign-up", {**ADA, "role": "admin"})["Location"] == "/"
    assert client.get("/api/auth/me").json()["role"] == "viewer"
    assert AuditEvent.objects.filter(action="user.signed_up", subject="ada").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("username", "VIEWER"), ("username", "a@b"), ("email", "viewer@example.com"), ("password1", "short")],
)
def test_the_page_refuses_what_is_taken_or_weak(field: str, value: str, viewer: User, settings: Any) -> None:
    settings.SIGNUP = "open"
    answer = Client().post("/sign-up", {**ADA, field: value})
    assert answer.status_code == 200
    assert answer.context["form"].errors[field]


def test_whoever_signs_up_proves_the_address_before_they_are_in(mailing: None, db: None, api: Api) -> None:
    client = Client()
    assert client.post("/sign-up", ADA)["Location"] == "/sign-up/verify"
    assert client.get("/api/auth/me").status_code == 401
    early = api(None).post("/api/auth/login", {"username": "ada", "password": PASSWORD})
    assert (early.status_code, early.json()["code"]) == (401, "email_not_verified")
    assert Client().post("/sign-in", {"login": "ada", "password": PASSWORD})["Location"] == "/sign-up/verify"
    link = link_in(mail.outbox[0])
    assert not client.get(link).context["user"].is_authenticated
    client.post(link)
    assert Client().post("/sign-in", {"login": "ada", "password": PASSWORD})["Location"] == "/"
    assert AuditEvent.objects.filter(action="user.email_verified", subject="ada").count() == 1


def test_a_known_address_is_told_by_mail_and_nowhere_else(mailing: None, viewer: User) -> None:
    known, new = Client(), Client()
    answers = [
        known.post("/sign-up", {**ADA, "email": "viewer@example.com"}, follow=True),
        new.post("/sign-up", ADA, follow=True),
    ]
    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert shown(answers[0]) == shown(answers[1])
    assert [message.subject for message in mail.outbox] == ["You have an account already", "Prove your e-mail address"]
    assert User.objects.filter(username="ada", email="ada@example.com").exists()


def test_the_api_tells_no_more_about_an_address_than_the_page(mailing: None, viewer: User, api: Api) -> None:
    body = {"username": "ada", "password": PASSWORD}
    known = api(None).post("/api/auth/signup", {**body, "email": "viewer@example.com"})
    new = api(None).post("/api/auth/signup", {**body, "email": "ada@example.com"})
    assert (known.status_code, new.status_code) == (201, 201)
    assert known.json()["id"] is None
    hidden = {"email": "", "date_joined": ""}
    assert known.json() | hidden == new.json() | hidden
    assert [message.subject for message in mail.outbox] == ["You have an account already", "Prove your e-mail address"]


def test_a_forgotten_password_is_set_by_the_link_in_a_mail(mailing: None, viewer: User) -> None:
    client = Client()
    assert client.post("/password/reset", {"email": "Viewer@Example.com"})["Location"] == "/password/reset/sent"
    form = client.get(link_in(mail.outbox[0]), follow=True)
    fields = {"password1": "a-brand-new-passphrase", "password2": "a-brand-new-passphrase"}
    client.post(form.context["action_url"], fields)
    assert Client().post("/sign-in", {"login": "viewer", "password": "a-brand-new-passphrase"})["Location"] == "/"


def test_asking_for_a_reset_does_not_tell_who_is_here_nor_lock_anybody_out(mailing: None, viewer: User) -> None:
    known = Client().post("/password/reset", {"email": "viewer@example.com"}, follow=True)
    unknown = Client().post("/password/reset", {"email": "nobody@example.com"}, follow=True)
    assert shown(known) == shown(unknown)
    assert known.redirect_chain == unknown.redirect_chain
    assert Client().post("/sign-in", {"login": "viewer", "password": PASSWORD})["Location"] == "/"


def test_asking_for_resets_again_and_again_is_throttled(mailing: None, viewer: User) -> None:
    answers = [Client().post("/password/reset", {"email": "viewer@example.com"}).status_code for _ in range(7)]
    assert answers[-1] == 429
    assert len(mail.outbox) == 5


def test_without_mail_the_page_says_who_can_help_and_sends_nothing(viewer: User) -> None:
    page = Client().get("/password/reset")
    assert "Ask one of its admins" in page.content.decode()
    assert Client().post("/password/reset", {"email": "viewer@example.com"}).status_code == 200
    assert mail.outbox == []


def test_a_mail_server_that_refuses_is_said_in_a_sentence(mailing: None, viewer: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = Client().post("/password/reset", {"email": "viewer@example.com"})
    assert answer.status_code == 502
    assert "The mail server did not take the message" in answer.content.decode()
