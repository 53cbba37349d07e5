"""Signing in to the API, keeping a session alive, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import User
from accounts.services import people
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from conftest import PASSWORD

Api = Callable[..., APIClient]


def _login(client: APIClient, name: str = "viewer", password: str = PASSWORD) -> Any:
    return client.post("/api/auth/login", {"username": name, "password": password})


def _me(access_token: str) -> Any:
    return APIClient().get("/api/auth/me", headers={"Authorization": f"Bearer {access_token}"})


def _refresh(token: str) -> Any:
    return APIClient().post("/api/auth/token/refresh", {"refresh_token": token})


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/token", "/api/auth/login/"])
@pytest.mark.parametrize("name", ["viewer", "Viewer", "viewer@example.com", "VIEWER@example.com"])
def test_a_name_or_an_address_and_the_password_bring_a_pair_of_tokens(path: str, name: str, viewer: User, api: Api) -> None:
    answer = api(None).post(path, {"username": name, "password": PASSWORD})
    assert answer.status_code == 200
    pair = answer.json()
    assert set(pair) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 900
    assert _me(pair["access_token"]).json()["username"] == "viewer"
    assert answer["Cache-Control"] == "no-store"


def test_a_form_signs_in_as_json_does(viewer: User, api: Api) -> None:
    answer = api(None).post("/api/auth/token", {"username": "viewer", "password": PASSWORD}, format="multipart")
    assert answer.status_code == 200


def test_wrong_password_unknown_name_and_deactivated_person_get_the_same_answer(viewer: User, admin: User, api: Api) -> None:
    wrong = _login(api(None), password="not the password")
    unknown = _login(api(None), name="nobody-of-that-name")
    people.deactivate(user=viewer, by=admin)
    inactive = _login(api(None))
    assert [answer.status_code for answer in (wrong, unknown, inactive)] == [401, 401, 401]
    told = [{**answer.json(), "request_id": ""} for answer in (wrong, unknown, inactive)]
    assert told[0] == told[1] == told[2]
    assert told[0]["code"] == "invalid_credentials"


@pytest.mark.parametrize("name", ["viewer", "nobody-of-that-name"])
def test_repeated_failures_lock_a_name_out_whether_it_exists_or_not(name: str, viewer: User, api: Api) -> None:
    answers = [_login(api(None), name=name, password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 401, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1].json()["code"] == "throttled"
    assert _login(api(None), name=name).status_code == 429, "the right password does not help while locked out"


def test_failures_of_the_page_and_of_the_api_count_together(viewer: User, api: Api) -> None:
    for _ in range(3):
        Client().post("/sign-in", {"login": "viewer", "password": "wrong"})
    answers = [_login(api(None), password="wrong").status_code for _ in range(3)]
    assert answers == [401, 401, 429]


def test_a_hundred_attempts_from_one_address_are_throttled(viewer: User, api: Api) -> None:
    answers = [_login(api(None), name=f"name-{number}", password="wrong").status_code for number in range(100)]
    assert answers.count(401) <= 20
    assert answers[-1] == 429


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed, which is what an attacker's stopwatch would see."""

    algorithm = "counting"
    work = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.work += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("name", ["viewer", "viewer@example.com", "nobody-of-that-name", "nobody@example.com"])
def test_a_refusal_costs_the_same_work_whoever_is_meant(
    name: str, make_user: Callable[..., User], api: Api, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_user("viewer")
    CountingHasher.work = 0
    assert _login(api(None), name=name, password="wrong").status_code == 401
    assert CountingHasher.work == 1


@pytest.mark.parametrize("name", ["viewer", "viewer@example.com"])
def test_the_page_refuses_with_the_same_work_as_the_api(name: str, make_user: Callable[..., User], settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_user("viewer")
    CountingHasher.work = 0
    assert Client().post("/sign-in", {"login": name, "password": "wrong"}).status_code == 200
    assert CountingHasher.work == 1


@pytest.mark.parametrize("name", ["viewer", "Viewer@Example.com"])
def test_the_page_signs_in_and_out_and_both_are_written_down(name: str, viewer: User) -> None:
    browser = Client()
    assert browser.post("/sign-in", {"login": name, "password": PASSWORD})["Location"] == "/"
    assert browser.get("/api/auth/me").json()["username"] == "viewer"
    browser.post("/sign-out")
    assert browser.get("/api/auth/me").status_code == 401
    events = AuditEvent.objects.order_by("seq").values_list("action", "actor_name", "auth")
    assert list(events) == [("session.signed_in", "viewer", "session"), ("session.signed_out", "viewer", "session")]


def test_a_deactivated_person_is_refused_by_the_page_like_a_wrong_password(viewer: User, admin: User) -> None:
    people.deactivate(user=viewer, by=admin)
    right = Client().post("/sign-in", {"login": "viewer", "password": PASSWORD})
    wrong = Client().post("/sign-in", {"login": "viewer", "password": "wrong"})
    assert (right.status_code, wrong.status_code) == (200, 200)
    assert right.context["form"].errors == wrong.context["form"].errors


def test_the_page_locks_out_as_the_api_does(viewer: User) -> None:
    for _ in range(5):
        Client().post("/sign-in", {"login": "viewer", "password": "wrong"})
    answer = Client().post("/sign-in", {"login": "viewer", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many failed login attempts" in str(answer.context["form"].errors)


def test_signing_in_and_failing_to_are_written_down_without_what_was_typed(viewer: User, api: Api) -> None:
    _login(api(None))
    _login(api(None), password="wrong")
    _login(api(None), name="hunter2-typed-into-the-wrong-field")
    events = list(AuditEvent.objects.order_by("seq").values_list("action", "subject", "outcome"))
    assert events == [
        ("token.issued", "viewer", "success"),
        ("session.sign_in_failed", "viewer", "failure"),
        ("session.sign_in_failed", "an unknown name", "failure"),
    ]


def test_a_refresh_token_works_once_and_brings_a_new_pair(viewer: User, api: Api) -> None:
    first = _login(api(None)).json()
    second = _refresh(first["refresh_token"])
    assert second.status_code == 200
    assert set(second.json()) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert _me(second.json()["access_token"]).status_code == 200
    assert _refresh(second.json()["refresh_token"]).status_code == 200


def test_a_refresh_token_used_twice_ends_every_token_of_its_owner(viewer: User, api: Api) -> None:
    stolen = _login(api(None)).json()
    other_device = _login(api(None)).json()
    renewed = _refresh(stolen["refresh_token"]).json()
    again = _refresh(stolen["refresh_token"])
    assert again.status_code == 401
    assert again.json()["code"] == "token_not_valid"
    assert _refresh(renewed["refresh_token"]).status_code == 401
    assert _refresh(other_device["refresh_token"]).status_code == 401
    assert _me(renewed["access_token"]).status_code == 401
    assert AuditEvent.objects.filter(action="token.reuse_refused", subject="viewer").count() == 1


def test_of_two_who_use_one_refresh_token_at_the_same_time_one_is_served(
    threads: Callable[..., None], make_user: Callable[..., User], api: Api
) -> None:
    make_user("viewer")
    token = _login(api(None)).json()["refresh_token"]
    statuses = list[int]()

    def use() -> None:
        statuses.append(_refresh(token).status_code)

    threads(use, use)
    assert sorted(statuses) == [200, 401]


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(viewer: User, api: Api) -> None:
    pair = _login(api(None)).json()
    assert _refresh(pair["access_token"]).status_code == 401
    assert _me(pair["refresh_token"]).status_code == 401


def test_logout_ends_the_refresh_token(viewer: User, api: Api) -> None:
    pair = _login(api(None)).json()
    assert api(viewer).post("/api/auth/logout", {"refresh_token": pair["refresh_token"]}).status_code == 204
    assert _refresh(pair["refresh_token"]).status_code == 401
    assert api(None).post("/api/auth/logout", {"refresh_token": "nonsense"}).status_code == 401


def test_the_database_holds_no_token(viewer: User, api: Api) -> None:
    _login(api(None))
    assert list(OutstandingToken.objects.values_list("token", flat=True)) == [""]


def test_a_token_of_another_algorithm_or_key_is_refused(viewer: User, api: Api) -> None:
    claims = jwt.decode(_login(api(None)).json()["access_token"], options={"verify_signature": False})
    key = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])
    forged = [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, key, algorithm="HS512"),
        jwt.encode(claims, f"{key}x", algorithm="HS256"),
    ]
    assert [_me(token).status_code for token in forged] == [401, 401, 401]
    assert _me(jwt.encode(claims, key, algorithm="HS256")).status_code == 200, "the same claims, properly signed, are accepted"


def test_deactivation_ends_token_session_and_refresh_with_the_next_request(viewer: User, admin: User, api: Api) -> None:
    pair = _login(api(None)).json()
    browser = Client()
    browser.force_login(viewer)
    people.deactivate(user=viewer, by=admin)
    assert _me(pair["access_token"]).status_code == 401
    assert _refresh(pair["refresh_token"]).status_code == 401
    assert browser.get("/api/auth/me").status_code == 401


def test_a_deactivated_person_who_comes_back_needs_new_tokens(viewer: User, admin: User, api: Api) -> None:
    pair = _login(api(None)).json()
    people.deactivate(user=viewer, by=admin)
    people.activate(user=viewer, by=admin)
    assert _me(pair["access_token"]).status_code == 401
    assert _login(api(None)).status_code == 200


def test_a_new_password_ends_token_session_and_refresh_with_the_next_request(viewer: User, admin: User, api: Api) -> None:
    pair = _login(api(None)).json()
    browser = Client()
    browser.force_login(viewer)
    people.set_password(user=viewer, password="another-long-passphrase", by=admin)
    assert _me(pair["access_token"]).status_code == 401
    assert _refresh(pair["refresh_token"]).status_code == 401
    assert browser.get("/api/auth/me").status_code == 401


def test_a_new_role_counts_from_the_next_request_on(admin: User, viewer: User, api: Api) -> None:
    client, browser = api(viewer), Client()
    browser.force_login(viewer)
    assert client.get("/api/users").status_code == 403
    people.change_role(user=viewer, role=Role.ADMIN, by=admin)
    assert client.get("/api/users").status_code == 200
    assert browser.get("/api/users").status_code == 200
    people.change_role(user=viewer, role=Role.VIEWER, by=admin)
    assert client.get("/api/users").status_code == 403
    assert browser.get("/api/users").status_code == 403


def test_sign_up_is_closed_unless_the_installation_says_otherwise(db: None, api: Api, settings: Any) -> None:
    body = {"username": "ada", "email": "Ada@Example.com", "password": PASSWORD}
    settings.SIGNUP = "closed"
    refused = api(None).post("/api/auth/signup", body)
    settings.SIGNUP = "invite"
    uninvited = api(None).post("/api/auth/signup", body)
    assert [refused.status_code, uninvited.status_code] == [403, 403]
    assert refused.json()["code"] == "signup_closed"
    assert not User.objects.exists()


def test_open_sign_up_makes_a_viewer_without_grants(db: None, api: Api, settings: Any) -> None:
    settings.SIGNUP = "open"
    body = {"username": "ada", "email": "Ada@Example.com", "password": PASSWORD, "role": "admin"}
    made = api(None).post("/api/auth/signup", body)
    assert made.status_code == 201
    assert made.json()["role"] == "viewer"
    assert "password" not in made.json()
    ada = User.objects.get()
    assert (ada.email, ada.grants.count(), ada.is_staff) == ("ada@example.com", 0, False)
    assert _login(api(None), "ada@example.com").status_code == 200


@pytest.mark.parametrize(
    ("given", "status", "attr"),
    [
        ({"username": "VIEWER"}, 409, "username"),
        ({"email": "Viewer@Example.com"}, 409, "email"),
        ({"username": "viewer@example.com"}, 400, "username"),
        ({"password": "short"}, 400, "password"),
        ({"email": "not an address"}, 400, "email"),
        ({"username": "a b"}, 400, "username"),
    ],
)
def test_sign_up_refuses_what_is_taken_or_weak(
    given: dict[str, str], status: int, attr: str, viewer: User, api: Api, settings: Any
) -> None:
    settings.SIGNUP = "open"
    answer = api(None).post("/api/auth/signup", {"username": "ada", "email": "ada@example.com", "password": PASSWORD} | given)
    assert answer.status_code == status
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]


def test_people_change_their_profile_but_never_their_role(viewer: User, api: Api) -> None:
    answer = api(viewer).patch("/api/auth/me", {"first_name": "Vera", "role": "admin", "is_active": False})
    assert answer.status_code == 200
    assert (answer.json()["first_name"], answer.json()["role"], answer.json()["is_active"]) == ("Vera", "viewer", True)
    assert answer.json()["grants"] == [{"account": None, "alias": None, "role": "viewer"}]
