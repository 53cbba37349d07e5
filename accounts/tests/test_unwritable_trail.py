"""When the database takes no more events, as with a full disk, nothing happens that would have to be written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, Grant, PersonalToken, User
from accounts.tests.conftest import Connect
from audit.models import AuditEvent
from conftest import PASSWORD

Api = Callable[..., APIClient]
FULL = {
    "postgresql": (
        "CREATE FUNCTION audit_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER audit_disk_full BEFORE INSERT ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION audit_disk_full()",
    ),
    "sqlite": (
        "CREATE TRIGGER audit_disk_full BEFORE INSERT ON audit_auditevent "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    ),
}


@pytest.fixture
def account(connect: Connect) -> AwsAccount:
    return connect("development")


@pytest.fixture
def full(account: AwsAccount, admin: User, viewer: User) -> int:
    """From here on; how many events there are."""
    with connection.cursor() as cursor:
        for statement in FULL[connection.vendor]:
            cursor.execute(statement)
    return AuditEvent.objects.count()


def state() -> Any:
    """Everything that the actions below would change."""
    people = User.objects.order_by("pk").values_list("username", "email", "role", "is_active", "password", "token_version")
    accounts = AwsAccount.objects.values_list("alias", "environment", "deleted_at")
    grants = Grant.objects.values_list("user", "account", "role")
    return list(people), list(accounts), list(grants), PersonalToken.objects.count()


ACTIONS: dict[str, Callable[[APIClient, User, AwsAccount], Any]] = {
    "make a person": lambda api, person, account: api.post("/api/users", {"username": "new", "email": "new@example.com"}),
    "change a role": lambda api, person, account: api.patch(f"/api/users/{person.pk}", {"role": "operator"}),
    "deactivate": lambda api, person, account: api.delete(f"/api/users/{person.pk}"),
    "replace grants": lambda api, person, account: api.put(f"/api/users/{person.pk}/grants", []),
    "change oneself": lambda api, person, account: api.patch("/api/auth/me", {"first_name": "Ada"}),
    "make a token": lambda api, person, account: api.post("/api/auth/tokens", {"name": "ci"}),
    "change an account": lambda api, person, account: api.patch(f"/api/accounts/{account.pk}", {"environment": "production"}),
    "disconnect an account": lambda api, person, account: api.delete(f"/api/accounts/{account.pk}?confirm={account.alias}"),
    "sign in": lambda api, person, account: APIClient().post("/api/auth/login", {"username": "viewer", "password": PASSWORD}),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_it_does_not_happen_and_says_why(name: str, account: AwsAccount, admin: User, viewer: User, api: Api, full: int) -> None:
    before = state()
    answer = ACTIONS[name](api(admin), viewer, account)
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable"), answer.json()
    assert "nothing was done" in answer.json()["detail"]
    assert "disk" not in answer.content.decode()
    assert state() == before
    assert AuditEvent.objects.count() == full


def test_nobody_signs_in_by_the_page_and_what_is_stored_is_still_shown(account: AwsAccount, admin: User, full: int) -> None:
    client = Client(raise_request_exception=False)
    answer = client.post("/sign-in", {"login": "admin", "password": PASSWORD})
    assert answer.status_code == 503
    assert client.get("/api/auth/me").status_code == 401
    client.force_login(admin)
    assert [client.get(path).status_code for path in ("/", "/accounts", "/people", "/audit")] == [200] * 4
