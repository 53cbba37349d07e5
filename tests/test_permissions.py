"""Every address, tried by everybody: nobody, a stranger without grants, a viewer, an operator and an admin.

The addresses come from the URL resolver, so a new one is tried without a line here; one that declares no permission fails.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AdoptionBatch, AwsAccount, Grant, Invitation, PersonalToken, User
from cloudconsole.core import clock
from cloudconsole.core.permissions import ACCOUNT_SCOPED, ROLE_PERMISSIONS, Perm, Role
from cloudconsole.management import reference
from cloudconsole.management.reference import ANYBODY, Route
from conftest import PASSWORD
from costs.models import CostSnapshot, CostSource, SavedReport
from resources.models import Bucket, Function, Instance, InventorySync, Operation, SavedView

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
OTHERS_OWN = re.compile(r"/(?:tokens|passkeys|inventory/views|reports|confirm/provider)/<")  # nobody but their owner
REFUSALS = (401, 403, 404)
FILE_UPLOADS = ("/api/s3/upload", "/api/lambda/deploy")


@dataclass(frozen=True)
class World:
    """One AWS account with a snapshot, and the people who try their luck with it."""

    account: AwsAccount
    snapshot: CostSnapshot
    token: PersonalToken  # of somebody who is not among `people`
    report: SavedReport  # of the same
    invitation: Invitation
    adoption: AdoptionBatch
    gone: AwsAccount
    instance: Instance
    bucket: Bucket
    function: Function
    sync: InventorySync
    view: SavedView  # of somebody who is not among `people`
    operation: Operation
    people: dict[str, User]

    def example(self, path: str) -> str:
        """`path` with this world's things in the places of its placeholders."""
        if "<int:account_id>" in path:
            named = self.bucket.name if path.startswith("/s3") else self.function.name
            parts = {"region": "eu-central-1", "instance_id": self.instance.instance_id, "name": named}
            return PLACEHOLDER.sub(lambda found: str({"account_id": self.account.pk, **parts}[found[1]]), path)
        thing = {
            "adoptions": self.adoption.pk,
            "disconnected": self.gone.pk,
            "accounts": self.account.pk,
            "snapshots": self.snapshot.pk,
            "operations/<": self.operation.pk,
            **{f"ec2/{word}/<": self.instance.instance_id for word in ("instances", "start", "stop", "reboot", "terminate")},
            "syncs/<": self.sync.pk,
            "operations/inventory-<": self.sync.pk,
            "inventory/views/<": self.view.pk,
            "<str:bucket>": self.bucket.name,
            "<str:function>": self.function.name,
            "users/<": self.people["stranger"].pk,
            "people/<": self.people["stranger"].pk,
            "invitations": self.invitation.pk,
            "tokens/<": self.token.pk,
            "passkeys": 1,
            "reports/<": self.report.pk,
            "join": "no-such-key",
            "verify/<": "no-such-key",
            "email/confirm": "no-such-key",
            "password/reset": "x",
            "sign-in": "oidc",
            "confirm/provider": "oidc",
        }
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
        "stranger": User.objects.create_user("stranger", password=PASSWORD, role=Role.OPERATOR),
        "viewer": User.objects.create_user("viewer", password=PASSWORD, role=Role.VIEWER),
        "operator": User.objects.create_user("operator", password=PASSWORD, role=Role.OPERATOR),
        "admin": User.objects.create_user("admin", password=PASSWORD, role=Role.ADMIN),
    }
    Grant.objects.create(user=people["viewer"], account=account, role=Role.VIEWER)
    Grant.objects.create(user=people["operator"], account=account, role=Role.OPERATOR)
    in_a_day = clock.now() + timedelta(days=1)
    else_ones = User.objects.create_user("somebody-else")
    token = PersonalToken.objects.create(user=else_ones, name="theirs", digest="-", hint="-", expires_at=in_a_day)
    report = SavedReport.objects.create(user=else_ones, name="theirs")
    invitation = Invitation.objects.create(digest="-", expires_at=in_a_day)
    adoption = AdoptionBatch.objects.create(hub=account, role_name="Role", environment="production")
    gone = AwsAccount.objects.create(alias="gone", auth_method="ambient", deleted_at=datetime(2026, 11, 1, tzinfo=UTC))
    seen = {"observed_at": clock.now(), "first_seen_at": clock.now()}
    instance = Instance.objects.create(account=account, region="eu-central-1", instance_id="i-1", state="running", **seen)
    bucket = Bucket.objects.create(account=account, region="eu-central-1", name="a-bucket", **seen)
    function = Function.objects.create(account=account, region="eu-central-1", name="a-function", arn="-", **seen)
    sync = InventorySync.objects.create(trigger="manual", services=["ec2"])
    sync.accounts.add(account)
    view = SavedView.objects.create(user=else_ones, page="ec2", name="theirs")
    operation = Operation.objects.create(action="ec2.stop", account=account, region="us-east-1", target_type="ec2", target="i-1")
    seen_here = (instance, bucket, function, sync)
    return World(account, snapshot, token, report, invitation, adoption, gone, *seen_here, view, operation, people)


def ask(world: World, route: Route, who: str) -> Any:
    client = Client(raise_request_exception=False)
    if who != "nobody":
        client.force_login(world.people[who])
    path, about = world.example(route.path), {"account": str(world.account.pk), "action": "stop", "targets": ["i-1"]}
    if route.method == "get":
        return client.get(path)
    if route.path in FILE_UPLOADS:
        file = SimpleUploadedFile("file", b"content")
        named = {"bucket": "a-bucket", "key": "k", "name": "a-function", "region": "eu-central-1"}
        return client.post(path, {**about, **named, "file": file, "zip": file})
    if route.path.startswith("/api"):
        return client.generic(route.method.upper(), path, json.dumps(about), content_type="application/json")
    return client.generic(route.method.upper(), path, urlencode(about), content_type="application/x-www-form-urlencoded")


def is_refused(route: Route, answer: Any) -> bool:
    if route.permission == ANYBODY:
        return bool(answer.status_code == 302 and answer["Location"].startswith("/sign-in?next="))
    is_sent_away = answer.status_code == 302 and answer["Location"].startswith("/sign-in")
    return is_sent_away or answer.status_code in REFUSALS or answer.status_code >= 500


def expected_refusal(route: Route, who: str) -> tuple[int, ...]:
    """The statuses with which `who` must be refused; none when they must not be."""
    if route.permission == ANYBODY:
        return ()
    if who == "nobody":
        return (401,) if route.path.startswith("/api") else (302,)
    if OTHERS_OWN.search(route.path):
        return (404,)  # also for admins
    permission = Perm(route.permission)
    holds = permission in ROLE_PERMISSIONS[Role.OPERATOR if who == "stranger" else Role(who)]
    if who == "stranger" and _is_about_an_account(route):
        return (404,) if holds else (403, 404)  # what they may not see does not exist for them
    if who == "stranger" and permission in ACCOUNT_SCOPED and route.method != "get":
        return (302, 400, 403, 404)  # they name an account that does not exist for them; a page says so after a redirect
    return () if holds else (403,)


def _is_about_an_account(route: Route) -> bool:
    return bool(PLACEHOLDER.search(route.path)) and route.permission != Perm.PEOPLE_MANAGE


@pytest.mark.parametrize("route", sorted(set(reference.routes())), ids=lambda route: f"{route.method} {route.path}")
def test_everybody_gets_what_their_role_says_and_no_more(world: World, route: Route) -> None:
    wrong = []
    for who in ("nobody", "stranger", "viewer", "operator", "admin"):
        answer, refusal = ask(world, route, who), expected_refusal(route, who)
        status = answer.status_code
        is_right = status in refusal if refusal else not is_refused(route, answer)
        if not is_right:
            wrong.append(f"{who}: {status}, expected {refusal or 'no refusal'}")
    assert not wrong


def test_a_route_that_declares_nothing_fails(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.undeclared_urls"
    with pytest.raises(reference.NothingDeclared, match="/forgotten"):
        reference.routes()
