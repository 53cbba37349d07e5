"""The lists and pages as people see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from resources.models import Bucket, Function, Instance, InstancePrice, InventorySync, SavedView, Service
from resources.tests import inventory

Api = Callable[[User | None], APIClient]


@pytest.fixture
def production(db: None) -> AwsAccount:
    return inventory.account()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, path: str, query: dict[str, str | list[str]] | None = None) -> str:
    answer = signed_in(user).get(path, query or {})
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_found_is_only_called_nothing_when_every_place_answered(production: AwsAccount, viewer: User) -> None:
    assert "Not known yet" in page(viewer, "/ec2")
    inventory.scan(production, "eu-central-1", Service.EC2)
    assert "No instance runs anywhere" in page(viewer, "/ec2")
    inventory.scan(production, "us-east-1", Service.EC2, "failed", code="aws_unreachable", detail="No answer.", remedy="Wait.")
    text = page(viewer, "/ec2")
    assert "No instance runs anywhere" not in text
    assert "this is not everything" in text
    assert "No answer." in text


def test_a_list_says_which_places_failed_and_what_to_do(production: AwsAccount, viewer: User) -> None:
    inventory.instances(production, 1)
    inventory.scan(production, "eu-central-1", Service.EC2)
    inventory.scan(
        production, "us-east-1", Service.EC2, "failed", code="aws_access_denied", detail="Refused.", remedy="Allow it."
    )
    text = page(viewer, "/ec2")
    assert "1 of 2 places failed" in text
    assert "Refused." in text
    assert "Allow it." in text


def test_pages_follow_each_other_without_a_gap(production: AwsAccount, viewer: User) -> None:
    inventory.instances(production, 120)
    client = signed_in(viewer)
    seen, path = [], "/ec2?order=-name"
    while path:
        context = client.get(path).context
        seen += [row.instance.name for row in context["rows"]]
        path = f"/ec2{context['older']}" if context["older"] else ""
    assert seen == [f"web-{number:04}" for number in reversed(range(120))]
    back = client.get(f"/ec2{client.get('/ec2' + client.get('/ec2').context['older']).context['newer']}").context
    assert [row.instance.name for row in back["rows"]] == [f"web-{number:04}" for number in range(50)]


def test_an_estimate_of_what_does_not_run_says_when_it_would_be_due(production: AwsAccount, viewer: User) -> None:
    row = inventory.instances(production, 1)[0]
    InstancePrice.objects.create(
        region=row.region, instance_type=row.instance_type, operating_system=row.platform, amount=Decimal("0.115"),
        currency="USD", effective_on=date(2026, 11, 1), fetched_at=clock.now(),
    )  # fmt: skip
    paths = ("/ec2", f"/ec2/{production.pk}/{row.region}/{row.instance_id}")
    for path in paths:
        assert "$83.95" in page(viewer, path)
        assert "when running" not in page(viewer, path)
    Instance.objects.filter(pk=row.pk).update(state="stopped")
    for path in paths:
        assert "$83.95" in page(viewer, path)
        assert "when running" in page(viewer, path)


@pytest.mark.parametrize("gone", [{"state": "terminated"}, {"state": "shutting-down"}, {"gone_at": clock.now()}])
def test_what_is_gone_has_no_estimate(production: AwsAccount, viewer: User, gone: dict[str, object]) -> None:
    row = inventory.instances(production, 1)[0]
    InstancePrice.objects.create(
        region=row.region, instance_type=row.instance_type, operating_system=row.platform, amount=Decimal("0.115"),
        currency="USD", effective_on=date(2026, 11, 1), fetched_at=clock.now(),
    )  # fmt: skip
    Instance.objects.filter(pk=row.pk).update(**gone)
    text = page(viewer, f"/ec2/{production.pk}/{row.region}/{row.instance_id}")
    assert "It is gone and costs nothing any more" in text
    for path in ("/ec2", "/ec2/export.csv", f"/ec2/{production.pk}/{row.region}/{row.instance_id}"):
        answer = signed_in(viewer).get(path)
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert "83.95" not in text, path
        assert "when running" not in text, path


@pytest.mark.parametrize("cursor", ["x", "bm8", "WzEsMl0", "WyJhIiwgImIiXQ", "W251bGwsIDFd", "WyJcdTAwMDAiLCAxXQ", "9" * 3000])
@pytest.mark.parametrize("order", ["name", "launched_at", "-account"])
def test_a_made_up_place_in_the_list_is_its_beginning(production: AwsAccount, viewer: User, cursor: str, order: str) -> None:
    inventory.instances(production, 2)
    context = signed_in(viewer).get("/ec2", {"after": cursor, "order": order}).context
    assert len(context["rows"]) <= 2


@pytest.mark.parametrize("order", ["size_bytes", "-size_bytes"])
def test_what_is_not_known_has_its_place_in_every_order(production: AwsAccount, viewer: User, order: str) -> None:
    inventory.buckets(production, 60)
    client = signed_in(viewer)
    first = client.get("/s3", {"order": order}).context
    second = client.get(f"/s3{first['older']}").context
    names = [row.name for row in (*first["rows"], *second["rows"])]
    assert names == sorted(names, reverse=order.startswith("-"))
    assert len(names) == 60


def test_names_and_tags_from_outside_are_only_text(production: AwsAccount, viewer: User) -> None:
    row = inventory.instances(production, 1)[0]
    evil = "<script>alert(1)</script>"
    Instance.objects.filter(pk=row.pk).update(name=evil, tags={evil: evil}, state_reason=evil, key_name=evil)
    for path in (f"/ec2?column=tags&search={''}", f"/ec2/{production.pk}/{row.region}/{row.instance_id}"):
        assert "<script>alert" not in page(viewer, path)


def test_a_spreadsheet_runs_nothing_of_what_was_typed_in_aws(production: AwsAccount, viewer: User) -> None:
    row = inventory.instances(production, 1)[0]
    Instance.objects.filter(pk=row.pk).update(name="=cmd|' /C calc'!A0")
    answer = signed_in(viewer).get("/ec2/export.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert rows[0]["name"].startswith("'=cmd")
    assert answer["Content-Type"].startswith("text/csv")


def test_a_spreadsheet_has_no_zero_for_what_is_not_known(production: AwsAccount, viewer: User) -> None:
    row = inventory.instances(production, 1)[0]
    row.transitions.update(to_state="stopped", not_before=None, not_after=clock.now())
    Instance.objects.filter(pk=row.pk).update(state="stopped", first_attached_at=None)
    answer = signed_in(viewer).get("/ec2/export.csv")
    told = next(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert (told["uptime_30d_seconds"], told["uptime_30d_at_least"]) == ("", "0")
    assert int(told["uptime_30d_at_most"]) > 29 * 86_400


@pytest.mark.parametrize(
    ("path", "name"),
    [("/ec2/export.csv", "web-0002"), ("/s3/export.csv", "bucket-0002"), ("/lambda/export.csv", "function-0002")],
)
def test_a_download_holds_what_the_list_finds_and_no_more(path: str, name: str, production: AwsAccount, viewer: User) -> None:
    inventory.instances(production, 3)
    inventory.buckets(production, 3)
    inventory.functions(production, 3)
    found = b"".join(signed_in(viewer).get(path, {"search": name}).streaming_content).decode()  # type: ignore[attr-defined]
    assert len(found.strip().splitlines()) == 2


def test_a_person_chooses_columns(production: AwsAccount, viewer: User) -> None:
    inventory.instances(production, 1)
    text = page(viewer, "/ec2", {"column": ["tags", "state"]})
    assert "team=data" in text
    assert "Running for" not in text.split("<tbody>")[0].split("<thead>")[1]


def test_a_view_is_kept_replaced_and_forgotten(production: AwsAccount, viewer: User, operator: User) -> None:
    client = signed_in(viewer)
    client.post("/inventory/views", {"list": "ec2", "name": "Running", "query": "state=running&after=abc"})
    client.post("/inventory/views", {"list": "ec2", "name": "Running", "query": "state=running&region=us-east-1"})
    view = SavedView.objects.get()
    assert view.query == "state=running&region=us-east-1"
    assert "Running" in page(viewer, "/ec2")
    assert "Delete the view Running" not in page(operator, "/ec2")
    assert signed_in(operator).post(f"/inventory/views/{view.pk}/delete").status_code == 404
    client.post(f"/inventory/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_the_button_has_aws_asked_for_what_the_person_may_refresh(production: AwsAccount, operator: User, viewer: User) -> None:
    assert signed_in(viewer).post("/inventory/refresh", {"service": "ec2"}).status_code == 403
    answer = signed_in(operator).post("/inventory/refresh?account=production", {"service": "ec2"})
    assert answer["Location"] == "/ec2?account=production"
    sync = InventorySync.objects.get()
    assert (sync.services, list(sync.accounts.all())) == (["ec2"], [production])
    assert "Asking AWS what is there" in page(viewer, "/ec2")


def test_what_is_gone_is_shown_on_request_and_its_page_stays(production: AwsAccount, viewer: User) -> None:
    row = inventory.instances(production, 1)[0]
    Instance.objects.filter(pk=row.pk).update(gone_at=clock.now())
    assert row.name not in page(viewer, "/ec2")
    assert row.name in page(viewer, "/ec2", {"gone": "yes"})
    assert "No longer there" in page(viewer, f"/ec2/{production.pk}/{row.region}/{row.instance_id}")


def test_pages_of_one_thing_exist_only_for_those_who_may_see_it(production: AwsAccount, viewer: User, stranger: User) -> None:
    instance = inventory.instances(production, 1)[0]
    inventory.buckets(production, 1)
    inventory.functions(production, 1)
    bucket, function = Bucket.objects.get(), Function.objects.get()
    for path in (
        f"/ec2/{production.pk}/{instance.region}/{instance.instance_id}",
        f"/s3/{production.pk}/{bucket.name}",
        f"/lambda/{production.pk}/{function.region}/{function.name}",
    ):
        assert page(viewer, path)
        assert signed_in(stranger).get(path).status_code == 404


def test_the_palette_finds_things_by_name_and_id(production: AwsAccount, viewer: User, stranger: User) -> None:
    row = inventory.instances(production, 3)[2]
    inventory.buckets(production, 1)
    found = page(viewer, "/palette", {"q": "web-0002"})
    assert f"/ec2/{production.pk}/{row.region}/{row.instance_id}" in found
    assert "bucket-0000" in page(viewer, "/palette", {"q": "bucket-"})
    assert row.instance_id not in page(stranger, "/palette", {"q": "web-0002"})


def test_the_overview_and_the_account_say_what_runs_and_what_could_not_be_read(production: AwsAccount, viewer: User) -> None:
    inventory.instances(production, 3)
    inventory.scan(production, "eu-central-1", Service.EC2)
    inventory.scan(
        production, "us-east-1", Service.EC2, "failed", code="aws_access_denied", detail="Refused.", remedy="Allow it."
    )
    overview = page(viewer, "/")
    assert "What runs" in overview
    assert "1 place could not be read" in overview
    account = page(viewer, f"/accounts/{production.pk}")
    assert "What runs" in account
    assert "1 place could not be read" in account
