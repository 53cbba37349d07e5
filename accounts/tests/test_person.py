"""People as admins keep them: roles, deactivation, grants, and the admin that cannot be lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import AwsAccount, Grant, User
from accounts.services import people
from audit.models import AuditEvent
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm, Role

Api = Callable[..., APIClient]


def _account(alias: str) -> AwsAccount:
    return AwsAccount.objects.create(alias=alias, auth_method="ambient")


def test_an_admin_adds_a_person_and_it_is_written_down(admin: User, api: Api) -> None:
    body = {"username": "ada", "email": "Ada@Example.com", "password": "a-long-enough-passphrase", "role": "operator"}
    answer = api(admin).post("/api/users", body)
    assert answer.status_code == 201
    assert (answer.json()["email"], answer.json()["role"]) == ("ada@example.com", "operator")
    assert "password" not in answer.json()
    event = AuditEvent.objects.get(action="user.created")
    assert (event.actor_name, event.subject, event.detail) == ("admin", "ada", {"to": "operator"})


@pytest.mark.parametrize("name", ["admin", "ADMIN", " admin ", "ａｄｍｉｎ"])
def test_a_name_that_would_read_as_anothers_is_taken(admin: User, api: Api, name: str) -> None:
    answer = api(admin).post("/api/users", {"username": name})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_of_two_who_take_one_name_at_once_the_second_is_told(threads: Callable[..., None]) -> None:
    refused = list[str | None]()

    def add(email: str) -> None:
        try:
            people.create_user(new=people.NewUser("ada", email), by=None)
        except people.NameTaken as refusal:
            refused.append(refusal.attr)

    threads(partial(add, "1@example.com"), partial(add, "2@example.com"))
    assert refused == ["username"]
    assert User.objects.filter(username="ada").count() == 1


def test_a_person_without_a_password_cannot_sign_in_with_an_empty_one(admin: User, api: Api) -> None:
    api(admin).post("/api/users", {"username": "ada"})
    assert not User.objects.get(username="ada").has_usable_password()
    assert api(None).post("/api/auth/login", {"username": "ada", "password": ""}).status_code == 400


def test_the_list_is_paged_searched_and_filtered(admin: User, viewer: User, api: Api) -> None:
    everybody = api(admin).get("/api/users").json()
    assert everybody["count"] == 2
    assert [user["username"] for user in api(admin).get("/api/users?role=viewer").json()["results"]] == ["viewer"]
    assert [user["username"] for user in api(admin).get("/api/users?search=view").json()["results"]] == ["viewer"]
    assert api(admin).get("/api/users?role=emperor").status_code == 400


def test_django_staff_follows_the_role(admin: User, viewer: User) -> None:
    assert (admin.is_staff, admin.is_superuser, viewer.is_staff, viewer.is_superuser) == (True, True, False, False)
    people.change_role(user=viewer, role=Role.ADMIN, by=admin)
    assert User.objects.get(pk=viewer.pk).is_staff


@pytest.mark.parametrize("body", [{"role": "viewer"}, {"is_active": False}])
def test_the_last_admin_can_be_neither_demoted_nor_deactivated(body: dict[str, object], admin: User, api: Api) -> None:
    answer = api(admin).patch(f"/api/users/{admin.pk}", {**body, "first_name": "Gone"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "last_admin"
    admin.refresh_from_db()
    assert (admin.role, admin.is_active, admin.first_name) == ("admin", True, "")


def test_a_deactivated_admin_does_not_count_as_the_other_admin(admin: User, make_user: Callable[..., User], api: Api) -> None:
    other = make_user("other", Role.ADMIN)
    assert api(admin).delete(f"/api/users/{other.pk}").status_code == 204
    assert api(admin).delete(f"/api/users/{admin.pk}").status_code == 409
    assert api(admin).patch(f"/api/users/{other.pk}", {"is_active": True}).status_code == 200
    assert api(admin).delete(f"/api/users/{admin.pk}").status_code == 204


def test_two_admins_cannot_demote_each_other_at_the_same_time(threads: Callable[..., None]) -> None:
    first, second = (User.objects.create_user(name, role=Role.ADMIN) for name in ("first", "second"))
    refusals = list[str]()

    def demote(user: User, by: User) -> None:
        try:
            people.change_role(user=user, role=Role.VIEWER, by=by)
        except people.LastAdmin as refusal:
            refusals.append(refusal.code)

    threads(partial(demote, first, second), partial(demote, second, first))
    assert refusals == ["last_admin"]
    assert User.objects.filter(role=Role.ADMIN).count() == 1


def test_grants_are_replaced_as_a_whole(admin: User, stranger: User, api: Api) -> None:
    one, two = _account("one"), _account("two")
    path = f"/api/users/{stranger.pk}/grants"
    first = api(admin).put(path, [{"account": one.pk, "role": "operator"}, {"account": "two", "role": "viewer"}])
    assert first.json() == [{"account": one.pk, "role": "operator"}, {"account": two.pk, "role": "viewer"}]
    assert api(admin).put(path, [{"account": None, "role": "viewer"}]).json() == [{"account": None, "role": "viewer"}]
    assert api(admin).get(path).json() == [{"account": None, "role": "viewer"}]
    assert AuditEvent.objects.filter(action="grant.replaced", subject="stranger").count() == 2


@pytest.mark.parametrize(
    "grants",
    [
        [{"account": "nowhere", "role": "viewer"}],
        [{"account": "one", "role": "admin"}],
        [{"account": "one", "role": "viewer"}, {"account": "one", "role": "operator"}],
        [{"role": "viewer"}],
        {"account": "one", "role": "viewer"},
    ],
)
def test_grants_that_make_no_sense_change_nothing(grants: object, admin: User, stranger: User, api: Api) -> None:
    kept = Grant.objects.create(user=stranger, account=_account("one"), role=Role.VIEWER)
    answer = api(admin).put(f"/api/users/{stranger.pk}/grants", grants)
    assert answer.status_code == 400
    assert list(Grant.objects.filter(user=stranger)) == [kept]


def test_a_role_is_the_ceiling_of_every_grant(admin: User, viewer: User) -> None:
    account = _account("one")
    people.replace_grants(user=viewer, grants=[people.GrantInput(account.pk, Role.OPERATOR)], by=admin)
    assert AwsAccount.objects.visible_to(viewer, Perm.ACCOUNTS_VIEW).exists()
    assert not AwsAccount.objects.visible_to(viewer, Perm.ACCOUNTS_VERIFY).exists()


def test_the_first_admin_comes_from_the_environment_once(db: None, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ADMIN_GIVEN, settings.ADMIN_USERNAME, settings.ADMIN_EMAIL = True, "root", "Root@Example.com"
    settings.ADMIN_PASSWORD = ""
    call_command("ensure_admin", "--json")
    made = json.loads(capsys.readouterr().out)
    user = User.objects.get()
    assert (made["made"], made["username"], user.email, user.role) == (True, "root", "root@example.com", "admin")
    assert user.check_password(made["password"])
    call_command("ensure_admin", "--json")
    assert json.loads(capsys.readouterr().out) == {"made": False, "username": "", "password": "", "setup_code": ""}
    assert User.objects.count() == 1


def test_a_given_password_of_the_first_admin_is_never_printed(
    db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ADMIN_GIVEN, settings.ADMIN_PASSWORD = True, "given-and-long-enough"
    call_command("ensure_admin")
    assert "given-and-long-enough" not in capsys.readouterr().out
    assert User.objects.get().check_password("given-and-long-enough")


def test_a_weak_password_of_the_first_admin_is_refused_in_words(db: None, settings: Any) -> None:
    settings.ADMIN_GIVEN, settings.ADMIN_PASSWORD = True, "short"
    with pytest.raises(CommandError, match="at least 10 characters"):
        call_command("ensure_admin")
    assert not User.objects.exists()


def test_no_change_happens_that_cannot_be_written_down(admin: User, viewer: User) -> None:
    people.change_profile(user=viewer, changes=people.PersonChanges(first_name="Vera"), by=admin)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_audithead SET seal = 'broken'")
    with pytest.raises(CloudconsoleError):
        people.change_role(user=viewer, role=Role.OPERATOR, by=admin)
    viewer.refresh_from_db()
    assert viewer.role == "viewer"
