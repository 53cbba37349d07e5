"""One's own settings: profile, password, sessions and personal access tokens, as a browser sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import PersonalToken, User
from audit.models import AuditEvent
from conftest import PASSWORD

Api = Callable[..., APIClient]
NEW = "another-long-enough-passphrase"


def signed_in(name: str = "viewer", agent: str = "Firefox") -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post("/sign-in", {"login": name, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/api/auth/me").status_code == 200


def tokens(api: Api, name: str = "viewer") -> dict[str, Any]:
    answer = api(None).post("/api/auth/login", {"username": name, "password": PASSWORD})
    return dict(answer.json())


def refreshed(api: Api, pair: dict[str, Any]) -> int:
    return int(api(None).post("/api/auth/token/refresh", {"refresh_token": pair["refresh_token"]}).status_code)


def test_the_profile_is_changed_and_the_role_is_not(viewer: User) -> None:
    answer = signed_in().post("/settings", {"first_name": "Vera", "last_name": "", "email": "V@Example.com", "role": "admin"})
    assert answer["Location"] == "/settings"
    viewer.refresh_from_db()
    assert (viewer.first_name, viewer.email, viewer.role) == ("Vera", "viewer@example.com", "viewer")


def test_a_new_password_ends_all_other_sessions_and_refresh_tokens_and_keeps_this_one(viewer: User, api: Api) -> None:
    here, elsewhere, pair = signed_in(), signed_in(), tokens(api)
    answer = here.post("/settings/password", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    assert (is_in(here), is_in(elsewhere), refreshed(api, pair)) == (True, False, 401)
    viewer.refresh_from_db()
    assert viewer.check_password(NEW)
    assert AuditEvent.objects.filter(action="user.password_changed", actor_name="viewer").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"oldpassword": "wrong", "password1": NEW, "password2": NEW},
        {"oldpassword": PASSWORD, "password1": "short", "password2": "short"},
        {"oldpassword": PASSWORD, "password1": NEW, "password2": "something else"},
    ],
)
def test_a_password_change_that_is_not_right_changes_nothing(fields: dict[str, str], viewer: User) -> None:
    client = signed_in()
    assert client.post("/settings/password", fields).status_code == 200
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


def test_guessing_the_old_password_is_throttled(viewer: User) -> None:
    client = signed_in()
    fields = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    assert 429 in [client.post("/settings/password", fields).status_code for _ in range(8)]


def test_sign_out_everywhere_ends_every_session_and_token_but_personal_ones(viewer: User, api: Api) -> None:
    here, elsewhere, pair = signed_in(), signed_in(), tokens(api)
    made = api(viewer).post("/api/auth/tokens", {"name": "script"}).json()["token"]
    here.post("/settings/sessions/end-all")
    assert (is_in(here), is_in(elsewhere), refreshed(api, pair)) == (False, False, 401)
    assert APIClient().get("/api/auth/me", headers={"Authorization": f"Token {made}"}).status_code == 200


def test_sessions_are_listed_and_ended_one_by_one(viewer: User) -> None:
    here, elsewhere = signed_in(agent="Firefox here"), signed_in(agent="Safari elsewhere")
    listed = here.get("/settings/sessions").context["sessions"]
    assert {session.user_agent for session in listed} == {"Firefox here", "Safari elsewhere"}
    other = next(session for session in listed if session.user_agent == "Safari elsewhere")
    here.post("/settings/sessions/end", {"session": other.pk})
    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_nobody_ends_the_session_of_another(viewer: User, operator: User) -> None:
    mine, theirs = signed_in(), signed_in("operator")
    session = theirs.get("/settings/sessions").context["sessions"][0]
    mine.post("/settings/sessions/end", {"session": session.pk})
    assert is_in(theirs)


def test_a_token_is_shown_on_the_page_that_made_it_and_never_again(viewer: User) -> None:
    client = signed_in()
    answer = client.post("/settings/tokens", {"name": "nightly", "scope": "read", "days": 30})
    plain = answer.context["made"].plain
    assert plain in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert plain not in client.get("/settings/tokens").content.decode()
    assert "viewer made the access token “nightly”" in client.get("/audit").content.decode()
    client.post(f"/settings/tokens/{PersonalToken.objects.get().pk}/revoke")
    assert not PersonalToken.objects.exists()


def test_pages_are_served_while_the_cache_is_away(viewer: User, settings: Any) -> None:
    client = signed_in()
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}
    assert client.get("/settings").status_code == 200
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
