"""Every address, tried by everybody: nobody, a stranger without grants, a viewer, an operator and an admin.

The addresses come from the URL resolver, so a new one is tried without a line here; one that declares no permission fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AwsAccount, Grant, User
from cloudconsole.core.permissions import ACCOUNT_SCOPED, ROLE_PERMISSIONS, Perm, Role
from cloudconsole.management import reference
from cloudconsole.management.reference import ANYBODY, Route
from costs.models import CostSnapshot, CostSource

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
REFUSALS = (401, 403, 404)


@dataclass(frozen=True)
class World:
    """One AWS account with a snapshot, and the people who try their luck with it."""

    account: AwsAccount
    snapshot: CostSnapshot
    people: dict[str, User]

    def example(self, path: str) -> str:
        """`path` with this world's things in the places of its placeholders."""
        thing = {"accounts": self.account.pk, "snapshots": self.snapshot.pk, "users": self.people["stranger"].pk}
        found = [noun for noun in thing if noun in path]
        if PLACEHOLDER.search(path) and len(found) != 1:
            raise LookupError(f"say in World.example which thing {path} is about")
        return PLACEHOLDER.sub(lambda _: str(thing[found[0]]), path)


@pytest.fixture
def world(db: None) -> World:
    account = AwsAccount.objects.create(alias="production", account_id="123456789012", auth_method="access_key")
    source = CostSource.objects.create(account=account)
    snapshot = CostSnapshot.objects.create(source=source, trigger="manual", start=date(2026, 10, 1), end=date(2026, 11, 1))
    people = {
        "stranger": User.objects.create_user("stranger", role=Role.OPERATOR),
        "viewer": User.objects.create_user("viewer", role=Role.VIEWER),
        "operator": User.objects.create_user("operator", role=Role.OPERATOR),
        "admin": User.objects.create_user("admin", role=Role.ADMIN),
    }
    Grant.objects.create(user=people["viewer"], account=account, role=Role.VIEWER)
    Grant.objects.create(user=people["operator"], account=account, role=Role.OPERATOR)
    return World(account, snapshot, people)


def ask(world: World, route: Route, who: str) -> HttpResponse:
    client = Client(raise_request_exception=False)
    if who != "nobody":
        client.force_login(world.people[who], backend="django.contrib.auth.backends.ModelBackend")
    answer: HttpResponse = client.generic(route.method.upper(), world.example(route.path), content_type="application/json")
    return answer


def expected_refusal(route: Route, who: str) -> int | None:
    """The status with which `who` must be refused, or None when they must not be."""
    if route.permission == ANYBODY:
        return None
    is_api = route.path.startswith("/api")
    if who == "nobody":
        return 401 if is_api else 302
    permission = Perm(route.permission)
    role = Role.OPERATOR if who == "stranger" else Role(who)
    holds = permission in ROLE_PERMISSIONS[role]
    is_about_one = bool(PLACEHOLDER.search(route.path)) and permission in ACCOUNT_SCOPED
    if who == "stranger" and is_about_one:
        return 404  # what they may not see does not exist for them
    return None if holds else 403


@pytest.mark.parametrize("route", sorted(set(reference.routes())), ids=lambda route: f"{route.method} {route.path}")
def test_everybody_gets_what_their_role_says_and_no_more(world: World, route: Route) -> None:
    wrong = []
    for who in ("nobody", "stranger", "viewer", "operator", "admin"):
        status = ask(world, route, who).status_code
        refusal = expected_refusal(route, who)
        is_right = status == refusal if refusal else status not in REFUSALS and status < 500
        if not is_right and not _answers_for_itself(route, who, status):
            wrong.append(f"{who}: {status}, expected {refusal or 'no refusal'}")
    assert not wrong


def _answers_for_itself(route: Route, who: str, status: int) -> bool:
    """Doors that everybody may knock at, and that say 401 or 403 for another reason than a missing permission."""
    if route.permission == ANYBODY:
        return status in (401, 403) and route.path.startswith("/api/auth/")
    # A stranger may be told at once that they hold this on no account, instead of being asked which account they mean.
    return who == "stranger" and status == 403 and Perm(route.permission) in ACCOUNT_SCOPED and route.method != "get"


def test_a_route_that_declares_nothing_fails(settings: pytest.FixtureRequest) -> None:
    settings.ROOT_URLCONF = "tests.undeclared_urls"  # type: ignore[attr-defined]
    with pytest.raises(reference.NothingDeclared, match="/forgotten"):
        reference.routes()
