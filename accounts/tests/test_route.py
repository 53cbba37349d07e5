"""Who may come through which door: every route of this app, tried by every kind of caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from accounts.api.urls import urlpatterns
from accounts.models import AwsAccount, PersonalToken, User
from accounts.tests.conftest import Connect, connect_as
from cloudconsole.api.views import ApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.process import SimulatorHandle
from conftest import Storing, client_of

Api = Callable[..., APIClient]


@dataclass(frozen=True)
class Door:
    """One route and method, and the status for each caller. `body` lets the allowed ones fail only by what they say."""

    method: str
    path: str
    admin: int
    operator: int
    viewer: int
    stranger: int
    nobody: int = 401


# Placeholders: {account} is one that the operator and the viewer are granted and the stranger is not.
DOORS = (
    Door("get", "/api/auth/me", 200, 200, 200, 200),
    Door("patch", "/api/auth/me", 200, 200, 200, 200),
    Door("get", "/api/auth/tokens", 200, 200, 200, 200),
    Door("post", "/api/auth/tokens", 400, 400, 400, 400),
    Door("get", "/api/auth/tokens/{token}", 404, 404, 404, 404),
    Door("delete", "/api/auth/tokens/{token}", 404, 404, 404, 404),
    Door("get", "/api/users", 200, 403, 403, 403),
    Door("post", "/api/users", 400, 403, 403, 403),
    Door("get", "/api/users/invitations", 200, 403, 403, 403),
    Door("post", "/api/users/invitations", 201, 403, 403, 403),
    Door("delete", "/api/users/invitations/{invitation}", 404, 403, 403, 403),
    Door("get", "/api/users/{person}", 200, 403, 403, 403),
    Door("patch", "/api/users/{person}", 200, 403, 403, 403),
    Door("delete", "/api/users/{person}", 204, 403, 403, 403),
    Door("get", "/api/users/{person}/grants", 200, 403, 403, 403),
    Door("put", "/api/users/{person}/grants", 400, 403, 403, 403),
    Door("get", "/api/accounts", 200, 200, 200, 200),
    Door("post", "/api/accounts", 400, 403, 403, 403),
    Door("get", "/api/accounts/{account}", 200, 200, 200, 404),
    Door("patch", "/api/accounts/{account}", 200, 403, 403, 404),
    Door("delete", "/api/accounts/{account}", 400, 403, 403, 404),
    Door("post", "/api/accounts/{account}/verify", 200, 200, 403, 404),
    Door("get", "/api/accounts/{account}/policy", 200, 200, 200, 404),
    Door("get", "/api/accounts/{account}/trust-policy", 409, 409, 409, 404),
    Door("get", "/api/accounts/{account}/cloudformation", 409, 409, 409, 404),
    Door("post", "/api/accounts/{account}/discover", 424, 403, 403, 404),
    Door("post", "/api/accounts/{account}/import", 400, 403, 403, 404),
    Door("get", "/api/accounts/{account}/stack-set", 409, 403, 403, 404),
    Door("get", "/api/accounts/{account}/rotation", 409, 403, 403, 404),
    Door("post", "/api/accounts/{account}/rotation", 201, 403, 403, 404),
    Door("post", "/api/accounts/{account}/rotation/next", 409, 403, 403, 404),
    Door("post", "/api/accounts/{account}/rotation/undo", 409, 403, 403, 404),
    Door("get", "/api/accounts/{kept}/history", 200, 403, 403, 403),
    Door("delete", "/api/accounts/{kept}/history", 400, 403, 403, 403),
    Door("get", "/api/adoptions/{batch}", 404, 403, 403, 403),
    Door("post", "/api/adoptions/{batch}/retry", 404, 403, 403, 403),
    Door("get", "/api/alerts", 200, 200, 200, 200),
    Door("post", "/api/alerts/read", 200, 200, 200, 200),
    Door("post", "/api/alerts/{alert}/read", 404, 404, 404, 404),
    Door("get", "/api/notifications/channels", 200, 403, 403, 403),
    Door("post", "/api/notifications/channels", 400, 403, 403, 403),
    Door("get", "/api/notifications/channels/{channel}", 404, 403, 403, 403),
    Door("patch", "/api/notifications/channels/{channel}", 404, 403, 403, 403),
    Door("delete", "/api/notifications/channels/{channel}", 404, 403, 403, 403),
    Door("post", "/api/notifications/channels/{channel}/test", 404, 403, 403, 403),
    Door("get", "/api/notifications/kinds", 200, 403, 403, 403),
    Door("get", "/api/notifications/deliveries", 200, 403, 403, 403),
    Door("post", "/api/notifications/deliveries/{delivery}/retry", 404, 403, 403, 403),
    Door("post", "/api/notifications/deliveries/{delivery}/dismiss", 404, 403, 403, 403),
    Door("post", "/api/auth/signup", 400, 400, 400, 400, nobody=400),
    Door("post", "/api/auth/login", 400, 400, 400, 400, nobody=400),
    Door("post", "/api/auth/token", 400, 400, 400, 400, nobody=400),
    Door("post", "/api/auth/token/refresh", 400, 400, 400, 400, nobody=400),
    Door("post", "/api/auth/logout", 400, 400, 400, 400, nobody=400),
)


@pytest.fixture(scope="module")
def stored(simulator_process: SimulatorHandle, stored_once: Storing) -> int:
    """An account that somebody who is nobody's caller here connected."""
    simulator_process.reset()  # the test before may have ended the key
    with pytest.MonkeyPatch.context() as patch, stored_once():
        patch.setenv("AWS_ENDPOINT_URL", simulator_process.url)
        admin = User.objects.create_user("another-admin", "another-admin@example.com", role=Role.ADMIN)
        return connect_as(admin, simulator_process, client_of, "development").pk


@pytest.fixture
def account(stored: int, simulator: SimulatorHandle, db: None) -> AwsAccount:
    return AwsAccount.objects.get(pk=stored)


@pytest.mark.parametrize("caller", ["admin", "operator", "viewer", "stranger", "nobody"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_a_door_opens_to_those_it_is_meant_for(
    door: Door, caller: str, account: AwsAccount, make_user: Callable[..., User], api: Api, request: pytest.FixtureRequest
) -> None:
    user = None if caller == "nobody" else request.getfixturevalue(caller)
    person = make_user("somebody")
    absent = {"invitation": 999_999, "batch": 999_999, "alert": 999_999, "channel": 999_999, "delivery": 999_999}
    path = door.path.format(account=account.pk, kept=account.pk, person=person.pk, token=_token_of(person).pk, **absent)
    answer = getattr(api(user), door.method)(path, {})
    assert answer.status_code == getattr(door, caller), answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"


def test_the_table_knows_every_route_and_method() -> None:
    places = {
        "account": "<str:account_id>",
        "kept": "<int:account_id>",
        "person": "<int:user_id>",
        "token": "<int:token_id>",
        "invitation": "<int:invitation_id>",
        "batch": "<int:batch_id>",
        "alert": "<int:alert_id>",
        "channel": "<int:channel_id>",
        "delivery": "<int:delivery_id>",
    }
    known = {(door.method, door.path.format(**places)) for door in DOORS}
    assert known == set(_routes())


def test_every_route_declares_who_may_use_it() -> None:
    for pattern in urlpatterns:
        view: Any = getattr(pattern.callback, "view_class", None)
        assert view.public or view.permission is not None, pattern.pattern


def test_a_view_that_declares_nothing_is_closed_to_admins_too(admin: User) -> None:
    class Forgotten(ApiView):
        def get(self, request: Any) -> Any:
            raise AssertionError("not reached")

    request = APIRequestFactory().get("/")
    force_authenticate(request, admin)
    assert Forgotten.as_view()(request).status_code == 403


def test_the_list_shows_what_is_granted_and_nothing_else(
    account: AwsAccount, connect: Connect, admin: User, stranger: User, api: Api, grant: Callable[..., Any]
) -> None:
    seen, unseen = account, connect("sandbox")
    grant(stranger, seen, Role.VIEWER)
    assert [row["alias"] for row in api(stranger).get("/api/accounts").json()["results"]] == ["development"]
    assert [row["alias"] for row in api(admin).get("/api/accounts").json()["results"]] == ["development", "sandbox"]
    hidden, absent = (api(stranger).get(f"/api/accounts/{name}") for name in (unseen.pk, 999_999))
    assert [hidden.status_code, absent.status_code] == [404, 404]
    assert hidden.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


def test_the_list_takes_the_same_number_of_queries_for_two_and_forty_accounts(
    admin: User, api: Api, django_assert_max_num_queries: Any
) -> None:
    counts = []
    for size in (2, 40):
        for number in range(AwsAccount.objects.count(), size):
            AwsAccount.objects.create(alias=f"account-{number}", auth_method="ambient")
        with django_assert_max_num_queries(8) as captured:
            assert len(api(admin).get("/api/accounts").json()["results"]) == size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_pages_send_strangers_to_sign_in_and_the_api_does_not(viewer: User, client: Any) -> None:
    page = client.get("/")
    assert (page.status_code, page.url) == (302, "/sign-in?next=/")
    partial = client.get("/", headers={"HX-Request": "true"})
    assert partial["HX-Redirect"] == "/sign-in?next=/"
    assert client.get("/sign-in").status_code == 200
    assert client.get("/api/accounts").status_code == 401


def _token_of(person: User) -> PersonalToken:
    in_a_day = clock.now() + timedelta(days=1)
    return PersonalToken.objects.create(user=person, name="theirs", digest="-", hint="-", expires_at=in_a_day)


def _routes() -> list[tuple[str, str]]:
    return [
        (method, f"/api{pattern.pattern}")
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern)
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(getattr(pattern.callback, "view_class", None), method)
    ]
