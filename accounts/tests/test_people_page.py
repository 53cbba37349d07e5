"""The People pages: who is here, inviting, roles, grants, ending access, and the admin that cannot be lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail, serializers
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, Grant, Invitation, User
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from conftest import PASSWORD

Api = Callable[..., APIClient]
JOINING = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def invite(browser: Client) -> Callable[..., str]:
    """`invite(role="operator")`: the path of the link that the page shows."""

    def made(**fields: Any) -> str:
        answer = browser.post("/people/invite", {"role": "viewer", "days": 7, **fields})
        assert answer.status_code == 200, answer.content
        return str(answer.context["link"]).removeprefix("http://testserver")

    return made


def test_the_list_shows_role_grants_state_and_when_somebody_was_last_here(browser: Client, viewer: User, stranger: User) -> None:
    Client().post("/sign-in", {"login": "viewer", "password": PASSWORD})
    Client().post("/sign-in", {"login": "stranger", "password": PASSWORD})
    browser.post(f"/people/{stranger.pk}/deactivate")
    text = re.sub(r"<[^>]+>|\s+", " ", browser.get("/people").content.decode())
    assert re.search(r"viewer +viewer@example.com +Viewer +Every account +viewer .*?Active", text)
    assert re.search(r"stranger .*? Operator +None .*?Deactivated", text)
    viewer.refresh_from_db()
    assert viewer.last_seen_at is not None


def test_the_list_is_searched_and_filtered(browser: Client, viewer: User, operator: User) -> None:
    def names(query: str) -> list[str]:
        return [person.username for person in browser.get(f"/people?{query}").context["page"].object_list]

    assert names("search=VIEW") == ["viewer"]
    assert names("role=operator") == ["operator"]
    assert names("state=deactivated") == []
    assert names("") == ["admin", "operator", "viewer"]


def test_the_list_takes_the_same_number_of_queries_for_two_and_forty_people(
    browser: Client, make_user: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    browser.get("/people")
    counts = []
    for size in (2, 40):
        for number in range(User.objects.count(), size):
            make_user(f"person-{number}", everywhere=True)
        with django_assert_max_num_queries(12) as captured:
            browser.get("/people")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_an_invited_person_chooses_name_and_password_and_is_in(invite: Callable[..., str]) -> None:
    link = invite(role="operator", everywhere="on")
    client = Client()
    assert client.get(link).status_code == 200
    assert client.post(link, JOINING)["Location"] == "/"
    assert client.get("/api/auth/me").json()["role"] == "operator"
    grant = Grant.objects.get(user__username="ada")
    assert (grant.account, grant.role) == (None, "operator")
    assert AuditEvent.objects.filter(action="invitation.accepted", subject="ada").count() == 1


def test_a_link_works_once(invite: Callable[..., str]) -> None:
    link = invite()
    Client().post(link, JOINING)
    assert Client().get(link).status_code == 404
    assert Client().post(link, {**JOINING, "username": "eve", "email": "eve@example.com"}).status_code == 404
    assert not User.objects.filter(username="eve").exists()


def test_a_link_that_is_expired_or_taken_back_leads_nowhere(browser: Client, invite: Callable[..., str]) -> None:
    expiring, revoked = invite(days=1), invite()
    browser.post(f"/people/invitations/{Invitation.objects.latest('pk').pk}/revoke")
    assert Client().get(revoked).status_code == 404
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1)):
        assert Client().get(expiring).status_code == 404


def test_an_invitation_for_an_address_is_for_that_address(invite: Callable[..., str]) -> None:
    link = invite(email="Grace@Example.com")
    Client().post(link, JOINING)
    assert User.objects.get(username="ada").email == "grace@example.com"


def test_the_key_of_a_link_is_stored_nowhere(invite: Callable[..., str]) -> None:
    key = invite().rpartition("/")[2]
    rows = serializers.serialize("json", [*Invitation.objects.all(), *AuditEvent.objects.all()])
    assert key not in rows


@pytest.mark.parametrize(("field", "value"), [("username", "ADMIN"), ("email", "admin@example.com"), ("password", "short")])
def test_joining_with_what_is_taken_or_weak_leaves_the_invitation_open(
    field: str, value: str, invite: Callable[..., str]
) -> None:
    link = invite()
    refused = Client().post(link, {**JOINING, field: value})
    assert refused.status_code in (400, 409)
    assert refused.context["form"].errors[field]
    assert Client().post(link, JOINING).status_code == 302


def test_where_mail_is_set_up_the_link_is_sent(invite: Callable[..., str], settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True
    link = invite(email="grace@example.com")
    assert mail.outbox[0].to == ["grace@example.com"]
    assert f"http://testserver{link}" in mail.outbox[0].body


def test_a_closed_installation_invites_nobody(browser: Client, settings: Any, invite: Callable[..., str]) -> None:
    link = invite()
    settings.SIGNUP = "closed"
    assert browser.post("/people/invite", {"role": "viewer", "days": 7}).status_code == 403
    assert Client().get(link).status_code == 404


def test_the_api_takes_an_invitation_too(invite: Callable[..., str], api: Api) -> None:
    key = invite(role="operator").rpartition("/")[2]
    made = api(None).post("/api/auth/signup", {**JOINING, "invitation": key})
    assert (made.status_code, made.json()["role"]) == (201, "operator")
    assert api(None).post("/api/auth/signup", {**JOINING, "username": "eve", "invitation": key}).status_code == 404


def test_role_and_grants_are_changed_on_the_persons_page(browser: Client, stranger: User) -> None:
    account = AwsAccount.objects.create(alias="one", auth_method="ambient")
    browser.post(f"/people/{stranger.pk}/role", {"role": "viewer"})
    browser.post(f"/people/{stranger.pk}/grants", {"all": "", f"account_{account.pk}": "operator"})
    stranger.refresh_from_db()
    assert (stranger.role, [(grant.account, grant.role) for grant in stranger.grants.all()]) == (
        "viewer",
        [(account, "operator")],
    )
    browser.post(f"/people/{stranger.pk}/grants", {"all": "viewer", f"account_{account.pk}": ""})
    assert [(grant.account, grant.role) for grant in stranger.grants.all()] == [(None, "viewer")]


@pytest.mark.parametrize(("deed", "fields"), [("role", {"role": "viewer"}), ("deactivate", {})])
def test_the_last_admin_is_told_why_they_stay(deed: str, fields: dict[str, str], browser: Client, admin: User) -> None:
    answer = browser.post(f"/people/{admin.pk}/{deed}", fields, follow=True)
    assert "Make another person an admin first." in answer.content.decode()
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


def test_deactivating_ends_everything_and_reactivating_lets_in_again(browser: Client, viewer: User) -> None:
    theirs = Client()
    theirs.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    browser.post(f"/people/{viewer.pk}/deactivate")
    assert theirs.get("/api/auth/me").status_code == 401
    browser.post(f"/people/{viewer.pk}/reactivate")
    assert theirs.get("/api/auth/me").status_code == 401
    assert theirs.post("/sign-in", {"login": "viewer", "password": PASSWORD})["Location"] == "/"


def test_an_admin_ends_every_session_and_token_of_somebody(browser: Client, viewer: User, api: Api) -> None:
    theirs = Client()
    theirs.post("/sign-in", {"login": "viewer", "password": PASSWORD})
    token = api(viewer).post("/api/auth/tokens", {"name": "script"}).json()["token"]
    browser.post(f"/people/{viewer.pk}/sign-out")
    assert theirs.get("/api/auth/me").status_code == 401
    assert APIClient().get("/api/auth/me", headers={"Authorization": f"Token {token}"}).status_code == 401


def test_an_admin_makes_a_link_with_which_a_password_is_set_once(browser: Client, viewer: User) -> None:
    answer = browser.post(f"/people/{viewer.pk}/password-link")
    link = answer.context["password_link"].removeprefix("http://testserver")
    theirs = Client()
    form = theirs.get(link, follow=True)
    fields = {"password1": "a-brand-new-passphrase", "password2": "a-brand-new-passphrase"}
    assert theirs.post(form.context["action_url"], fields)["Location"] == "/password/reset/done"
    viewer.refresh_from_db()
    assert viewer.check_password("a-brand-new-passphrase")
    assert "This link is over" in Client().get(link, follow=True).content.decode()
    assert list(AuditEvent.objects.filter(subject="viewer").values_list("action", flat=True).order_by("seq")) == [
        "user.password_link_made",
        "user.password_reset",
    ]


def test_the_api_invites_lists_and_takes_back(admin: User, api: Api) -> None:
    made = api(admin).post("/api/users/invitations", {"role": "operator", "days": 3})
    assert made.status_code == 201
    link = made.json()["link"].removeprefix("http://testserver")
    assert Client().get(link).status_code == 200
    listed = api(admin).get("/api/users/invitations")
    assert [(row["role"], row["invited_by"]) for row in listed.json()["results"]] == [("operator", "admin")]
    assert link.rpartition("/")[2] not in listed.content.decode()
    assert api(admin).delete(f"/api/users/invitations/{made.json()['id']}").status_code == 204
    assert Client().get(link).status_code == 404
