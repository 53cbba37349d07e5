"""The trail over HTTP, as different people see it."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit import services, verbs
from cloudconsole.core.permissions import Role

pytestmark = pytest.mark.django_db


class Account:
    pk, alias, account_id, environment = 5, "production", "411111111111", "staging"


def person(name: str, role: str) -> Any:
    return get_user_model().objects.create_user(name, role=Role(role))


@pytest.fixture
def admin() -> Client:
    return signed_in(person("root", "admin"))


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ids(client: Client, query: str = "") -> list[int]:
    return [event["id"] for event in client.get(f"/api/audit{query}").json()["results"]]


def test_an_admin_sees_everything_and_others_what_they_did(admin: Client) -> None:
    alice, bob = person("alice", "operator"), person("bob", "viewer")
    for actor in (alice, bob, None, alice):
        services.record(verbs.SIGNED_IN, actor=actor)

    assert ids(admin) == [4, 3, 2, 1]
    assert ids(signed_in(alice)) == [4, 1]
    assert ids(signed_in(bob)) == [2]
    assert Client().get("/api/audit").status_code == 401


def test_an_event_is_told_whole(admin: Client) -> None:
    alice = person("alice", "operator")
    services.record(
        verbs.ACCOUNT_CHANGED, actor=alice, account=Account(), region="eu-west-1", target="arn:aws:x", detail={"fields": "alias"}
    )
    (event,) = admin.get("/api/audit").json()["results"]

    assert event["actor"] == {"id": alice.pk, "username": "alice"}
    assert event["account"] == {"id": 5, "alias": "production", "account_id": "411111111111", "environment": "staging"}
    assert event["sentence"] == "alice changed the AWS account production"
    assert event["detail"] == {"fields": "alias"}
    assert len(event["hash"]) == 64
    assert event["at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?action=session.signed_in", [1]),
        ("?action=session.signed_in&action=account.added", [2, 1]),
        ("?outcome=refused", [3]),
        ("?account=production", [2]),
        ("?account=411111111111", [2]),
        ("?account=5", [2]),
        ("?environment=staging", [2]),
        ("?environment=production", []),
        ("?actor=ALICE", [2, 1]),
        ("?actor=nobody", []),
        ("?target=role/x", [3]),
        ("?search=Production", [2]),
        ("?search=connected the AWS", [2]),
        ("?start=2020-01-01&end=2020-01-02", []),
        ("?start=2020-01-01T00:00:00Z", [3, 2, 1]),
        ("?start=2020-01-01T00:00:00%2B02:00", [3, 2, 1]),
    ],
)
def test_every_filter_narrows(admin: Client, query: str, expected: list[int]) -> None:
    alice = person("alice", "operator")
    services.record(verbs.SIGNED_IN, actor=alice)
    services.record(verbs.ACCOUNT_ADDED, actor=alice, account=Account())
    services.record(verbs.CREDENTIALS_REFUSED, actor=None, subject="x", target="role/x", outcome="refused")

    assert ids(admin, query) == expected


@pytest.mark.parametrize(
    "query", ["?action=x", "?outcome=x", "?start=yesterday", "?end=2026-02-30", "?start=2026-01-01T00:00:00"]
)
def test_a_filter_that_means_nothing_is_refused(admin: Client, query: str) -> None:
    assert admin.get(f"/api/audit{query}").status_code == 400
    assert admin.get(f"/api/audit/export{query}").status_code == 400


def test_the_list_is_read_by_a_cursor_in_the_same_number_of_queries(
    admin: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        services.record(verbs.SIGNED_OUT, actor=None)
    first = admin.get("/api/audit?page_size=2").json()
    second = admin.get(first["next"]).json()
    assert [event["id"] for event in first["results"] + second["results"]] == [5, 4, 3, 2]

    with django_assert_num_queries(3):  # session, person, events
        admin.get("/api/audit?page_size=2")
    with django_assert_num_queries(3):
        admin.get("/api/audit?page_size=5")


def test_an_export_holds_what_is_filtered_and_no_formulas(admin: Client) -> None:
    services.record(verbs.SIGN_IN_FAILED, actor=None, subject="=HYPERLINK(1)", outcome="failure")
    services.record(verbs.SIGNED_OUT, actor=None)
    response = admin.get("/api/audit/export?outcome=failure")
    rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]

    assert [(row["id"], row["subject"]) for row in rows] == [("1", "'=HYPERLINK(1)")]
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert admin.get("/api/audit").json()["results"][0]["action"] == "audit.exported"


def test_only_an_admin_has_the_trail_verified(admin: Client) -> None:
    services.record(verbs.SIGNED_OUT, actor=None)

    assert signed_in(person("alice", "operator")).post("/api/audit/verify").status_code == 403
    report = admin.post("/api/audit/verify").json()
    assert (report["intact"], report["events"], report["findings"]) == (True, 1, [])


def test_the_admin_site_shows_the_trail_and_changes_nothing() -> None:
    boss = get_user_model().objects.create_superuser("boss", password="x" * 12)
    client = signed_in(boss)
    services.record(verbs.SIGNED_OUT, actor=boss)

    assert client.get("/admin/audit/auditevent/").status_code == 200
    assert client.get("/admin/audit/auditevent/1/change/").status_code == 200
    for path in ("add/", "1/delete/"):
        assert client.post(f"/admin/audit/auditevent/{path}").status_code == 403
    assert client.post("/admin/audit/auditevent/1/change/", {"subject": "x"}).status_code == 403
