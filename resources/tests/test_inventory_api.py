"""The lists as programs read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AwsAccount, Grant, User
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from resources.api.operations import OperationSerializer
from resources.models import Bucket, Function, Instance, InstancePrice, InventorySync, Service
from resources.services.inventory import runs
from resources.tests import inventory

Api = Callable[[User | None], APIClient]
Connected = Callable[..., AwsAccount]

LISTS = ["/api/ec2/instances", "/api/s3/buckets", "/api/lambda/functions"]


@pytest.fixture
def production(db: None) -> AwsAccount:
    return inventory.account()


def test_an_instance_tells_what_the_contract_names(production: AwsAccount, viewer: User, api: Api) -> None:
    inventory.instances(production, 1)
    InstancePrice.objects.create(
        region="eu-central-1", instance_type="m6i.large", operating_system="Linux/UNIX", amount=Decimal("0.115"), currency="USD",
        effective_on=date(2026, 11, 1), fetched_at=clock.now(),
    )  # fmt: skip
    row = api(viewer).get("/api/ec2/instances").json()["results"][0]
    assert {
        "id", "account", "region", "zone", "name", "state", "instance_type", "launched_at", "uptime_seconds",
        "uptime_30d_seconds", "private_ip", "public_ip", "tags", "observed_at",
    } <= set(row)  # fmt: skip
    assert row["account"] == production.pk
    assert 86_400 <= row["uptime_seconds"] < 86_460
    assert row["uptime_30d"]["at_least"] <= row["uptime_30d_seconds"] <= row["uptime_30d"]["at_most"]
    assert row["estimate"] == {"hourly": "0.115", "monthly": "83.95", "currency": "USD"}


def test_a_bucket_and_a_function_tell_what_the_contract_names(production: AwsAccount, viewer: User, api: Api) -> None:
    inventory.buckets(production, 1)
    inventory.functions(production, 1)
    bucket = api(viewer).get("/api/s3/buckets").json()["results"][0]
    assert {
        "name", "account", "region", "created_at", "size_bytes", "object_count", "measured_on", "public_access_blocked",
        "versioning", "encryption",
    } <= set(bucket)  # fmt: skip
    assert bucket["size_bytes"] is None  # not measured is not zero
    function = api(viewer).get("/api/lambda/functions").json()["results"][0]
    assert {
        "name", "account", "region", "runtime", "handler", "memory_mb", "timeout_s", "code_size", "modified_at", "state"
    } <= set(function)  # fmt: skip
    assert not [name for name in function if "environment" in name]


def test_a_failed_region_is_told_beside_the_list(production: AwsAccount, viewer: User, api: Api) -> None:
    inventory.scan(production, "eu-central-1", Service.EC2)
    inventory.scan(production, "us-east-1", Service.EC2, "failed", code="aws_access_denied", detail="No.", remedy="Allow it.")
    told = api(viewer).get("/api/ec2/instances").json()
    assert told["results"] == []
    assert [(place["region"], place["status"], place["code"]) for place in told["completeness"]] == [
        ("eu-central-1", "complete", ""),
        ("us-east-1", "failed", "aws_access_denied"),
    ]
    assert told["as_of"] is not None


def test_an_account_that_was_never_asked_is_not_empty(production: AwsAccount, viewer: User, api: Api) -> None:
    place = api(viewer).get("/api/ec2/instances").json()["completeness"][0]
    assert (place["account"], place["status"], place["code"]) == (production.pk, "skipped", "not_asked")


@pytest.mark.parametrize("path", LISTS)
def test_nobody_sees_what_runs_in_accounts_that_are_not_theirs(
    path: str, production: AwsAccount, stranger: User, api: Api
) -> None:
    other = inventory.account("other", "422222222222")
    for owner in (production, other):
        inventory.instances(owner, 2)
        inventory.functions(owner, 2)
        inventory.scan(owner, "eu-central-1", Service.EC2)
    inventory.buckets(production, 2)
    Grant.objects.create(user=stranger, account=other, role=Role.VIEWER)
    told = api(stranger).get(path).json()
    assert {row["account"] for row in told["results"]} <= {other.pk}
    assert {place["account"] for place in told["completeness"]} == {other.pk}
    assert api(stranger).get(path, {"account": production.alias}).status_code == 400


def test_an_instance_of_somebody_else_does_not_exist(production: AwsAccount, stranger: User, api: Api) -> None:
    row = inventory.instances(production, 1)[0]
    answer = api(stranger).get(f"/api/ec2/instances/{row.instance_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "instance_not_found")


def test_an_instance_tells_its_history(production: AwsAccount, viewer: User, api: Api) -> None:
    row = inventory.instances(production, 1)[0]
    told = api(viewer).get(f"/api/ec2/instances/{row.instance_id}").json()
    assert [change["to_state"] for change in told["transitions"]] == ["running"]
    assert told["completeness"][0]["code"] == "not_asked"


def test_an_id_that_two_accounts_know_is_asked_back(production: AwsAccount, viewer: User, api: Api) -> None:
    other = inventory.account("other", "422222222222")
    row = inventory.instances(production, 1)[0]
    twin = inventory.instances(other, 1)[0]
    Instance.objects.filter(pk=twin.pk).update(instance_id=row.instance_id)
    answer = api(viewer).get(f"/api/ec2/instances/{row.instance_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_target")
    assert api(viewer).get(f"/api/ec2/instances/{row.instance_id}", {"account": "other"}).json()["account"] == other.pk


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"search": "TEAM=shop"}, ["web-0001", "web-0003"]),
        ({"search": "10.0"}, []),
        ({"search": "shop web-000"}, ["web-0001", "web-0003"]),
        ({"state": "stopped"}, []),
        ({"state": ["running", "stopped"], "ordering": "-name"}, ["web-0003", "web-0002", "web-0001", "web-0000"]),
        ({"ordering": "launched_at"}, ["web-0003", "web-0002", "web-0001", "web-0000"]),
        ({"gone": "true"}, []),
        ({"search": "%"}, []),
    ],
)
def test_filters_search_and_order(
    production: AwsAccount, viewer: User, api: Api, query: dict[str, Any], names: list[str]
) -> None:
    inventory.instances(production, 4)
    assert [row["name"] for row in api(viewer).get("/api/ec2/instances", query).json()["results"]] == names


@pytest.mark.parametrize(
    "query", [{"ordering": "searched"}, {"colour": "red"}, {"account": "nobody"}, {"page_size": "0"}, {"gone": "perhaps"}]
)
def test_a_parameter_that_means_nothing_is_refused(production: AwsAccount, viewer: User, api: Api, query: dict[str, str]) -> None:
    assert api(viewer).get("/api/ec2/instances", query).status_code == 400


@pytest.mark.parametrize("path", [*LISTS, "/ec2", "/s3", "/lambda"])
def test_a_list_takes_the_same_queries_however_long_it_is(path: str, production: AwsAccount, admin: User, api: Api) -> None:
    client = api(admin)
    client.force_login(admin)
    counts = []
    for size in (2, 40):
        for made in (Instance, Bucket, Function):
            made.objects.all().delete()
        inventory.instances(production, size)
        inventory.buckets(production, size)
        inventory.functions(production, size)
        client.get(path)  # a session's first page sets it up
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_asking_now_brings_the_list_up_to_date(connected: Connected, operator: User, api: Api) -> None:
    account = connected("development")
    answer = api(operator).get("/api/ec2/instances", {"refresh": "true", "account": account.alias})
    assert answer.status_code == 200, answer.json()
    assert "ada-workstation" in {row["name"] for row in answer.json()["results"]}
    assert InventorySync.objects.get().status == "succeeded"


def test_a_refresh_that_takes_longer_is_followed_as_an_operation(
    connected: Connected, operator: User, stranger: User, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected("development")
    monkeypatch.setattr("resources.api.inventory._AT_ONCE_S", 0.0)
    answer = api(operator).get("/api/ec2/instances", {"refresh": "true", "account": account.alias})
    assert answer.status_code == 202, answer.json()
    waiting = answer.json()
    assert answer["Location"] == f"/api/operations/{waiting['id']}"
    assert (waiting["action"], waiting["account"], waiting["target"]) == ("inventory.refresh", account.pk, "ec2")
    assert set(waiting) == set(OperationSerializer.Meta.fields) - {"uuid"} | {"accounts"}
    assert (waiting["status"], waiting["requested_by"], waiting["outcome"]) == ("queued", operator.username, None)

    runs.run(sync_id=InventorySync.objects.get().pk)
    done = api(operator).get(answer["Location"]).json()
    assert (done["id"], done["status"], done["progress"]) == (waiting["id"], "succeeded", {"done": 2, "total": 2})
    assert (done["outcome"]["code"], done["outcome"]["result"]["failed"]) == ("", 0)
    assert api(stranger).get(answer["Location"]).status_code == 404


def test_a_refresh_that_did_not_reach_everything_has_failed_and_says_so(production: AwsAccount, operator: User, api: Api) -> None:
    sync = InventorySync.objects.create(trigger="manual", services=["ec2"], status="partial", done=3, failed=1, total=3)
    sync.accounts.set([production, inventory.account("other", "422222222222")])
    InventorySync.objects.update(finished_at=clock.now())
    told = api(operator).get(f"/api/operations/inventory-{sync.pk}").json()
    assert (told["status"], told["account"], len(told["accounts"])) == ("failed", None, 2)
    assert (told["outcome"]["code"], told["outcome"]["detail"][:6]) == ("inventory_incomplete", "1 of 3")


def test_who_may_only_look_does_not_have_aws_asked(connected: Connected, viewer: User, api: Api) -> None:
    connected("development")
    answer = api(viewer).get("/api/ec2/instances", {"refresh": "true", "account": "development"})
    assert answer.status_code == 403
    assert not InventorySync.objects.exists()


def test_a_run_is_asked_for_once_and_followed(production: AwsAccount, operator: User, stranger: User, api: Api) -> None:
    answer = api(operator).post("/api/inventory/syncs", {"services": ["ec2"]})
    assert answer.status_code == 202
    assert api(operator).post("/api/inventory/syncs", {"services": ["ec2"]}).json()["id"] == answer.json()["id"]
    run = api(operator).get(answer["Location"]).json()
    assert (run["status"], run["services"], run["accounts"]) == ("queued", ["ec2"], [production.pk])
    assert AuditEvent.objects.filter(action="inventory.refreshed").count() == 1
    assert api(stranger).get(answer["Location"]).status_code == 404


def test_uptime_counts_only_what_is_known_to_have_run(production: AwsAccount, viewer: User, api: Api) -> None:
    row = inventory.instances(production, 1)[0]
    now = clock.now()
    row.transitions.create(
        from_state="running", to_state="stopped", not_before=now - timedelta(hours=2), not_after=now - timedelta(hours=1)
    )
    Instance.objects.filter(pk=row.pk).update(state="stopped")
    told = api(viewer).get("/api/ec2/instances").json()["results"][0]
    assert told["uptime_seconds"] == 0
    assert told["uptime_30d"]["at_least"] == pytest.approx(22 * 3600, abs=60)
    assert told["uptime_30d"]["at_most"] == pytest.approx(23 * 3600, abs=60)
    assert told["uptime_30d_seconds"] == pytest.approx(22.5 * 3600, abs=60)
