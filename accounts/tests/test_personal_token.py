"""Personal access tokens: made once, stored as a digest, accepted wherever the API is, and ended with the next request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import serializers
from rest_framework.test import APIClient

from accounts.models import PersonalToken, User
from accounts.services import people
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role

Api = Callable[..., APIClient]
TOKENS = "/api/auth/tokens"


@pytest.fixture
def make(api: Api) -> Callable[..., dict[str, Any]]:
    """`make(user, scope="write")`: what the API answered."""

    def made(user: User, **fields: Any) -> dict[str, Any]:
        answer = api(user).post(TOKENS, {"name": "script", **fields})
        assert answer.status_code == 201, answer.json()
        return dict(answer.json())

    return made


def holding(token: str, scheme: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {token}")
    return client


def test_the_plain_token_is_in_the_first_answer_and_nowhere_else(viewer: User, api: Api, make: Callable[..., Any]) -> None:
    made = make(viewer, scope="read", expires_in_days=30)
    token = made["token"]
    assert token.startswith("cc_pat_")
    assert (made["hint"], made["scope"], made["last_used_at"]) == (token[-4:], "read", None)
    listed = api(viewer).get(TOKENS)
    assert listed.json()["count"] == 1
    one = api(viewer).get(f"{TOKENS}/{made['id']}")
    rows = serializers.serialize("json", [*PersonalToken.objects.all(), *AuditEvent.objects.all()])
    assert token not in listed.content.decode() + one.content.decode() + rows


@pytest.mark.parametrize("scheme", ["Token", "token"])
def test_a_token_acts_as_its_person_and_says_when_it_was_used(scheme: str, admin: User, make: Callable[..., Any]) -> None:
    made = make(admin, scope="write")
    assert holding(made["token"], scheme).get("/api/auth/me").json()["username"] == "admin"
    assert PersonalToken.objects.get().last_used_at is not None
    body = {"username": "ada", "email": "ada@example.com"}
    assert holding(made["token"]).post("/api/users", body).status_code == 201
    assert AuditEvent.objects.get(action="user.created").auth == "token"


@pytest.mark.parametrize(("method", "path"), [("post", "/api/users"), ("patch", "/api/auth/me"), ("delete", "/api/users/1")])
def test_a_token_that_reads_changes_nothing(method: str, path: str, admin: User, make: Callable[..., Any]) -> None:
    client = holding(make(admin, scope="read")["token"])
    assert client.get("/api/users").status_code == 200
    answer = getattr(client, method)(path, {})
    assert (answer.status_code, answer.json()["code"]) == (403, "token_reads_only")


def test_an_unknown_or_expired_token_is_refused(viewer: User, make: Callable[..., Any]) -> None:
    made = make(viewer, expires_in_days=1)
    unknown = holding("cc_pat_of-nobody").get("/api/auth/me")
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1)):
        expired = holding(made["token"]).get("/api/auth/me")
    assert [unknown.status_code, expired.status_code] == [401, 401]
    assert expired.json()["code"] == "token_not_valid"


def test_a_revoked_token_ends_with_the_next_request(viewer: User, api: Api, make: Callable[..., Any]) -> None:
    made = make(viewer)
    assert api(viewer).delete(f"{TOKENS}/{made['id']}").status_code == 204
    assert holding(made["token"]).get("/api/auth/me").status_code == 401
    assert AuditEvent.objects.filter(action="personal_token.revoked").count() == 1


def test_deactivation_ends_a_token_for_good_and_a_new_role_counts_at_once(
    viewer: User, admin: User, make: Callable[..., Any]
) -> None:
    token = make(viewer, scope="write")["token"]
    people.change_role(user=viewer, role=Role.ADMIN, by=admin)
    assert holding(token).get("/api/users").status_code == 200
    people.change_role(user=viewer, role=Role.VIEWER, by=admin)
    assert holding(token).get("/api/users").status_code == 403
    people.deactivate(user=viewer, by=admin)
    assert holding(token).get("/api/auth/me").status_code == 401
    people.activate(user=viewer, by=admin)
    assert holding(token).get("/api/auth/me").status_code == 401


def test_nobody_sees_or_ends_the_tokens_of_others(viewer: User, admin: User, api: Api, make: Callable[..., Any]) -> None:
    made = make(viewer)
    assert api(admin).get(TOKENS).json()["count"] == 0
    assert api(admin).get(f"{TOKENS}/{made['id']}").status_code == 404
    assert api(admin).delete(f"{TOKENS}/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"name": " "}, "name"),
        ({"scope": "admin"}, "scope"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 367}, "expires_in_days"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2126-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2126-01-01T00:00:00Z", "expires_in_days": 3}, "expires_in_days"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(fields: dict[str, Any], attr: str, viewer: User, api: Api) -> None:
    answer = api(viewer).post(TOKENS, {"name": "script", **fields})
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]
    assert not PersonalToken.objects.exists()


def test_a_token_makes_none_that_may_do_more_or_lasts_longer(viewer: User, make: Callable[..., Any]) -> None:
    writing = holding(make(viewer, scope="write", expires_in_days=10)["token"])
    assert writing.post(TOKENS, {"name": "child", "scope": "write", "expires_in_days": 9}).status_code == 201
    longer = writing.post(TOKENS, {"name": "child", "scope": "read", "expires_in_days": 11})
    assert (longer.status_code, longer.json()["code"]) == (403, "token_beyond_token")
