"""One's own e-mail address: changed by whoever proves that it is them, and that the new address is theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import people
from audit.models import AuditEvent
from cloudconsole.core import clock
from conftest import PASSWORD

Api = Callable[..., APIClient]
NEW = "vera@example.com"


@pytest.fixture
def mailing(settings: Any) -> None:
    """As with an EMAIL_URL."""
    settings.EMAIL_CONFIGURED = settings.ACCOUNT_EMAIL_NOTIFICATIONS = True


@pytest.fixture
def browser(viewer: User) -> Client:
    """Signed in, and asked for the password once more."""
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    client.post("/settings/confirm", {"password": PASSWORD})
    return client


def address_of(user: User) -> str:
    user.refresh_from_db()
    return user.email


def link_in(message: Any) -> str:
    found = re.search(r"http://testserver(\S+)", message.body)
    assert found, message.body
    return found[1]


def test_the_page_asks_who_it_is_first(viewer: User) -> None:
    client = Client()
    client.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    assert client.get("/settings/email")["Location"] == "/settings/confirm?next=%2Fsettings%2Femail"
    assert client.post("/settings/email", {"email": NEW})["Location"] == "/settings/confirm?next=%2Fsettings%2Femail"
    assert address_of(viewer) == "viewer@example.com"


def test_without_mail_the_address_is_changed_at_once(browser: Client, viewer: User) -> None:
    assert browser.post("/settings/email", {"email": "Vera@Example.com"})["Location"] == "/settings"
    assert address_of(viewer) == NEW
    assert AuditEvent.objects.filter(action="user.changed", actor_name="viewer").count() == 1


def test_an_address_of_somebody_else_is_refused_at_its_field(browser: Client, operator: User) -> None:
    answer = browser.post("/settings/email", {"email": operator.email})
    assert answer.status_code == 409
    assert answer.context["form"].errors["email"]


@pytest.mark.django_db(transaction=True)
def test_with_mail_it_counts_once_the_link_is_followed_and_the_old_one_is_told(
    mailing: None, browser: Client, viewer: User
) -> None:
    browser.post("/settings/email", {"email": NEW})
    (message,) = mail.outbox
    assert (message.to, address_of(viewer)) == ([NEW], "viewer@example.com")
    link, anybody = link_in(message), Client()
    assert NEW in anybody.get(link).content.decode()
    assert address_of(viewer) == "viewer@example.com", "opening the link alone changes nothing"
    assert anybody.post(link).status_code == 302
    assert address_of(viewer) == NEW
    assert mail.outbox[1].to == ["viewer@example.com"]
    assert NEW in mail.outbox[1].body
    assert anybody.post(link).status_code == 404, "it works once"


def test_a_link_is_over_after_a_day(mailing: None, browser: Client, viewer: User) -> None:
    browser.post("/settings/email", {"email": NEW})
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        assert Client().post(link_in(mail.outbox[0])).status_code == 404
    assert address_of(viewer) == "viewer@example.com"


@pytest.mark.parametrize("change", ["signed out everywhere", "deactivated", "another address", "forged"])
def test_a_link_does_not_outlive_what_it_was_made_for(
    change: str, mailing: None, browser: Client, viewer: User, admin: User
) -> None:
    browser.post("/settings/email", {"email": NEW})
    link = link_in(mail.outbox[0])
    match change:
        case "signed out everywhere":
            people.end_sessions(user=viewer)
        case "deactivated":
            people.deactivate(user=viewer, by=admin)
        case "another address":
            people.change_profile(user=viewer, changes=people.PersonChanges(email="third@example.com"), by=admin)
        case "forged":
            link = link[:-2] + "xx"
    before = address_of(viewer)
    assert Client().post(link).status_code == 404
    assert address_of(viewer) == before


def test_an_address_taken_meanwhile_stays_with_who_took_it(
    mailing: None, browser: Client, viewer: User, operator: User, admin: User
) -> None:
    browser.post("/settings/email", {"email": NEW})
    people.change_profile(user=operator, changes=people.PersonChanges(email=NEW), by=admin)
    assert Client().post(link_in(mail.outbox[0])).status_code == 409
    assert address_of(viewer) == "viewer@example.com"


def test_the_old_address_no_longer_gets_links_that_set_a_password(mailing: None, viewer: User, admin: User) -> None:
    EmailAddress.objects.create(user=viewer, email=viewer.email, verified=True, primary=True)
    people.change_profile(user=viewer, changes=people.PersonChanges(email=NEW), by=admin)
    Client().post("/password/reset", {"email": "viewer@example.com"})
    assert not any("/password/reset/" in message.body for message in mail.outbox)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_the_api_wants_the_password_for_another_address(password: str, viewer: User, api: Api) -> None:
    answer = api(viewer).patch("/api/auth/me", {"email": NEW, "first_name": "Vera", "current_password": password})
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_required")
    viewer.refresh_from_db()
    assert (viewer.email, viewer.first_name) == ("viewer@example.com", "")


def test_the_api_changes_the_address_with_the_password_and_the_rest_without(viewer: User, api: Api) -> None:
    assert api(viewer).patch("/api/auth/me", {"email": viewer.email, "first_name": "Vera"}).status_code == 200
    answer = api(viewer).patch("/api/auth/me", {"email": NEW, "current_password": PASSWORD})
    assert (answer.status_code, answer.json()["email"]) == (200, NEW)
    assert "current_password" not in answer.json()


def test_the_api_sends_the_link_where_mail_is_set_up(mailing: None, viewer: User, api: Api) -> None:
    answer = api(viewer).patch("/api/auth/me", {"email": NEW, "current_password": PASSWORD})
    assert (answer.status_code, answer.json()["email"]) == (200, "viewer@example.com")
    assert Client().post(link_in(mail.outbox[0])).status_code == 302
    assert address_of(viewer) == NEW


def test_guessing_the_password_through_the_profile_is_throttled(viewer: User, api: Api) -> None:
    answers = [api(viewer).patch("/api/auth/me", {"email": NEW, "current_password": "wrong"}).status_code for _ in range(6)]
    assert answers == [403, 403, 403, 403, 403, 429]


def test_somebody_without_a_password_is_sent_to_the_page(viewer: User, api: Api) -> None:
    viewer.set_unusable_password()
    viewer.save()
    answer = api(viewer).patch("/api/auth/me", {"email": NEW, "current_password": "anything"})
    assert (answer.status_code, "settings page" in answer.json()["detail"]) == (403, True)
