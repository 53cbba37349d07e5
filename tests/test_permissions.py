"""Every address, tried by everybody: nobody, a stranger without grants, a viewer, an operator and an admin.

The addresses come from the URL resolver, so a new one is tried without a line here; one that declares no permission fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import (
    AdoptionBatch,
    Alert,
    AwsAccount,
    Delivery,
    Grant,
    Invitation,
    NotificationChannel,
    PersonalToken,
    User,
)
from cloudconsole.core import clock
from cloudconsole.core.permissions import ACCOUNT_SCOPED, ROLE_PERMISSIONS, Perm, Role
from cloudconsole.management import reference
from cloudconsole.management.reference import ANYBODY, Route
from conftest import PASSWORD, Storing
from costs.models import (
    AnomalyMute,
    AnomalyRule,
    AwsForecast,
    BillingBucket,
    Budget,
    CostAnomaly,
    CostImport,
    CostSnapshot,
    CostSource,
    ImportedPeriod,
    Recommendation,
    SavedReport,
)
from expenses.tests import examples as of_expenses
from gateway.tests import examples as of_gateway
from resources.models import Bucket, Function, Instance, InventorySync, Operation, SavedView, Schedule
from resources.tests import examples as of_resources

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
OTHERS_OWN = re.compile(  # nobody but their owner
    r"/(?:tokens|passkeys|inventory/views|reports|confirm/provider)/<|^/(?:api/)?(?:keys|proxy|rate-limits)/<|<int:window_id>"
)
OF_A_WORKSPACE = re.compile(r"^/(?:api/)?expenses/.*<")  # its members, and admins
REFUSALS = (401, 403, 404)
FILE_UPLOADS = ("/api/s3/upload", "/api/lambda/deploy", "/api/costs/imports", "/api/expenses/imports")


@dataclass(frozen=True)
class World:
    """One AWS account with a snapshot, and the people who try their luck with it."""

    account: AwsAccount
    snapshot: CostSnapshot
    period: ImportedPeriod
    billing_bucket: BillingBucket
    token: PersonalToken  # of somebody who is not among `people`
    report: SavedReport  # of the same
    budget: Budget
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
    anomaly: CostAnomaly
    mute: AnomalyMute
    limits: AnomalyRule
    schedule: Schedule
    alert: Alert
    channel: NotificationChannel
    delivery: Delivery
    recommendation: Recommendation
    aws_forecast: AwsForecast
    others: Mapping[str, object]  # what the apps say themselves

    def example(self, path: str) -> str:
        """`path` with this world's things in the places of its placeholders."""
        if "<int:account_id>" in path:
            named = self.bucket.name if path.startswith("/s3") else self.function.name
            parts = {"region": "eu-central-1", "instance_id": self.instance.instance_id, "name": named}
            return PLACEHOLDER.sub(lambda found: str({"account_id": self.account.pk, **parts}[found[1]]), path)
        if "/files/" in path or "/costs/imports/" in path or "billing-buckets" in path:
            bucket = "buckets/" in path
            whole = self.billing_bucket.pk if bucket else self.period.cost_import_id
            return PLACEHOLDER.sub(lambda found: str(self.period.pk if "period" in found[1] else whole), path)
        thing: dict[str, object] = {
            "adoptions": self.adoption.pk,
            "disconnected": self.gone.pk,
            "accounts": self.account.pk,
            "budgets/<": self.budget.pk,
            "recommendations/<": self.recommendation.pk,
            "forecast/aws/<": self.aws_forecast.pk,
            "reconciliation/<": self.snapshot.source.pk,
            "snapshots": self.snapshot.pk,
            "tags/keys/<": self.snapshot.source_id,
            "anomalies/<": self.anomaly.pk,
            "mutes/<": self.mute.pk,
            "/limits/<": self.limits.pk,
            "settings/<int:pk>/reset": self.limits.pk,
            "operations/<": self.operation.pk,
            "alerts/<": self.alert.pk,
            "channels/<": self.channel.pk,
            "channels/add/<": "email",
            "deliveries/<": self.delivery.pk,
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
            "automation/<": self.schedule.pk,
            "automation/schedules/<": self.schedule.pk,
            "join": "no-such-key",
            "verify/<": "no-such-key",
            "email/confirm": "no-such-key",
            "password/reset": "x",
            "sign-in": "oidc",
            "confirm/provider": "oidc",
            **self.others,
        }
        if "/expenses/" in path:
            thing = {noun: one for noun, one in self.others.items() if noun.startswith("expenses/")}
        found = [noun for noun in thing if noun in path]
        if PLACEHOLDER.search(path) and len(found) != 1:
            raise LookupError(f"say in World.example which thing {path} is about")
        return PLACEHOLDER.sub(lambda _: str(thing[found[0]]), path)


@pytest.fixture(scope="module")
def stored_world(stored_once: Storing) -> World:
    with stored_once():
        return make_world()


@pytest.fixture
def world(stored_world: World, db: None) -> World:
    return stored_world


def make_world() -> World:
    account = AwsAccount.objects.create(alias="production", account_id="123456789012", auth_method="access_key")
    source = CostSource.objects.create(account=account)
    snapshot = CostSnapshot.objects.create(source=source, trigger="manual", start=date(2026, 10, 1), end=date(2026, 11, 1))
    billing_bucket = BillingBucket.objects.create(account=account, bucket="a-bucket", region="us-east-1")
    cost_import = CostImport.objects.create(bucket=billing_bucket, name="m", status="ready")
    months = {"month": date(2026, 10, 1), "currency": "USD", "lines": 1, "unblended": 1, "amortized": 1}
    period = ImportedPeriod.objects.create(
        cost_import=cost_import, number="123456789012", payer="123456789012", source=source, **months
    )
    day = {"started_on": date(2026, 11, 1), "last_day": date(2026, 11, 1), "days": 1}
    money = {"currency": "USD", "actual": 9, "expected": 1, "impact": 8, "peak": 8}
    moments = {"detected_at": clock.now(), "updated_at": clock.now()}
    anomaly = CostAnomaly.objects.create(source=source, account_number=account.account_id, service="S", **day, **money, **moments)
    mute = AnomalyMute.objects.create(service="S", account_number=account.account_id, created_at=clock.now())
    limits = AnomalyRule.objects.create(
        account_number=account.account_id, currency="USD", floor=5, percent=5, sensitivity="low", updated_at=clock.now()
    )
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
    budget = Budget.objects.create(name="a budget", owner_name="-", currency="USD", amount=1, start=date(2026, 11, 1))
    budget.covered.create(account=account)
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
    alert = Alert.objects.create(key="theirs", kind="tests", severity="info", title="Theirs")
    alert.accounts.add(account)
    channel = NotificationChannel.objects.create(name="theirs", kind="email", recipients=["ops@example.com"])
    delivery = Delivery.objects.create(channel=channel, channel_kind="email", not_before=clock.now(), status="dead")
    told = (alert, channel, delivery)
    seen_here = (instance, bucket, function, sync)
    unusual = (anomaly, mute, limits)
    kept = (account, snapshot, period, billing_bucket, token, report, budget, invitation, adoption, gone)
    schedule = Schedule.objects.create(
        name="theirs",
        owner=else_ones,
        zone="UTC",
        periods=[{"days": ["mon"], "begin": "08:00", "end": None}],
        looked_until=clock.now(),
    )
    schedule.accounts.add(account)
    moment = {"observed_at": clock.now(), "first_seen_at": clock.now(), "last_seen_at": clock.now()}
    recommendation = Recommendation.objects.create(account=account, kind="ebs.unattached", resource_id="vol-1", **moment)
    aws_forecast = AwsForecast.objects.create(
        source=source, metric="unblended", start=date(2026, 11, 1), end=date(2026, 12, 1), level=80, requested_at=clock.now()
    )
    asked_for = (recommendation, aws_forecast)
    others: dict[str, object] = {}
    for app in (of_resources, of_expenses, of_gateway):
        others |= app.examples(account, else_ones)
    return World(*kept, *seen_here, view, operation, people, *unusual, schedule, *told, *asked_for, others)


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
    if OTHERS_OWN.search(route.path) or (who != "admin" and OF_A_WORKSPACE.search(route.path)):
        return (404,)
    permission = Perm(route.permission)
    holds = permission in ROLE_PERMISSIONS[Role.OPERATOR if who == "stranger" else Role(who)]
    if who == "stranger" and _is_about_an_account(route):
        return (404,) if holds else (403, 404)  # what they may not see does not exist for them
    if who == "stranger" and permission in ACCOUNT_SCOPED and route.method != "get":
        return (302, 400, 403, 404)  # they name an account that does not exist for them; a page says so after a redirect
    return () if holds else (403,)


def _is_about_an_account(route: Route) -> bool:
    return bool(PLACEHOLDER.search(route.path)) and route.permission != Perm.PEOPLE_MANAGE


@pytest.mark.once
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
