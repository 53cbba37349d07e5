"""What is told once, to whom, and who has read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.alerts import REGISTRY, DuplicateKind, Severity, register, title_of
from accounts.models import Alert, AwsAccount, Grant, User
from accounts.selectors import alerts
from accounts.services import notifications
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm, Role

KIND = register("tests.something", "Something of the tests")


@pytest.fixture(autouse=True)
def _known_kind() -> None:
    REGISTRY[KIND.name] = KIND


def account(alias: str) -> AwsAccount:
    return AwsAccount.objects.create(alias=alias, auth_method="ambient")


def announce(key: str, *accounts: AwsAccount, severity: Severity = Severity.WARNING, title: str = "Something happened") -> Alert:
    made = notifications.announce(kind=KIND, severity=severity, key=key, title=title, accounts=accounts)
    assert made
    return made


def seen_by(user: User) -> set[str]:
    return set(Alert.objects.visible_to(user, Perm.ACCOUNTS_VIEW).values_list("key", flat=True))


@pytest.mark.django_db
def test_the_same_key_again_is_the_first_alert() -> None:
    first = announce("disk:7", title="First")
    again = announce("disk:7", account("one"), title="Second")
    assert (again.pk, again.title, again.everywhere) == (first.pk, "First", True)


def test_of_two_workers_at_once_one_tells(threads: Callable[..., None]) -> None:
    told: list[int] = []
    threads(*[lambda: told.append(announce("disk:8").pk)] * 4)
    assert len(set(told)) == 1
    assert len(told) == 4


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_not_told() -> None:
    class Failed(Exception):
        pass

    def fail() -> None:
        with transaction.atomic():
            announce("disk:9")
            raise Failed

    with pytest.raises(Failed):
        fail()
    assert not Alert.objects.exists()


@pytest.mark.django_db
def test_an_alert_is_for_those_who_see_all_its_accounts(make_user: Callable[..., User], admin: User, stranger: User) -> None:
    one, two = account("one"), account("two")
    announce("one", one)
    announce("both", one, two)
    announce("all")
    alice, bob, charlie = make_user("al"), make_user("bo", everywhere=True), make_user("ch")
    Grant.objects.create(user=alice, account=one, role=Role.VIEWER)
    Grant.objects.create(user=charlie, account=one, role=Role.VIEWER)
    Grant.objects.create(user=charlie, account=two, role=Role.VIEWER)
    assert seen_by(admin) == seen_by(bob) == {"one", "both", "all"}
    assert seen_by(alice) == {"one"}
    assert seen_by(charlie) == {"one", "both"}
    assert seen_by(stranger) == set()


@pytest.mark.django_db
def test_a_disconnected_accounts_alerts_are_for_admins_alone(make_user: Callable[..., User], admin: User) -> None:
    one = account("one")
    announce("one", one)
    bob = make_user("bo", everywhere=True)
    AwsAccount.objects.filter(pk=one.pk).update(deleted_at="2026-01-01T00:00Z")
    assert (seen_by(bob), seen_by(admin)) == (set(), {"one"})


def test_a_name_means_one_kind() -> None:
    assert register(KIND.name, KIND.title) == KIND
    with pytest.raises(DuplicateKind):
        register(KIND.name, "Another title")
    assert title_of("gone.kind") == "gone.kind"


@pytest.mark.django_db
def test_reading_is_each_persons_own(make_user: Callable[..., User], admin: User, api: Callable[..., APIClient]) -> None:
    bob = make_user("bo", everywhere=True)
    first, second = announce("one", account("one")), announce("two")
    assert api(admin).post(f"/api/alerts/{first.pk}/read").status_code == 204
    assert api(admin).post(f"/api/alerts/{first.pk}/read").status_code == 204
    unread = {person: api(person).get("/api/alerts", {"is_read": "false"}).json()["results"] for person in (admin, bob)}
    assert [alert["id"] for alert in unread[admin]] == [second.pk]
    assert [alert["id"] for alert in unread[bob]] == [second.pk, first.pk]
    assert unread[bob][1]["accounts"][0]["alias"] == "one"
    assert api(bob).post("/api/alerts/read").json() == {"read": 2}
    assert alerts.unread_count(bob) == 0
    assert alerts.unread_count(admin) == 1


@pytest.mark.django_db
def test_what_is_not_seen_cannot_be_read(stranger: User, api: Callable[..., APIClient]) -> None:
    hidden = announce("one", account("one"))
    assert api(stranger).post(f"/api/alerts/{hidden.pk}/read").json()["code"] == "alert_not_found"
    assert api(stranger).post("/api/alerts/read").json() == {"read": 0}


@pytest.mark.django_db
def test_what_was_before_a_person_is_no_news_to_them(make_user: Callable[..., User], time_machine: Any) -> None:
    announce("one")
    time_machine.move_to(clock.now() + timedelta(seconds=1))
    bob = make_user("bo", everywhere=True)
    assert (seen_by(bob), alerts.unread_count(bob)) == ({"one"}, 0)


@pytest.mark.django_db
def test_more_alerts_take_no_more_queries(admin: User, api: Callable[..., APIClient]) -> None:
    one, two = account("one"), account("two")
    counts = []
    for keys in (range(2), range(2, 40)):
        for number in keys:
            announce(str(number), one, two)
        with CaptureQueriesContext(connection) as queries:
            assert api(admin).get("/api/alerts").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_an_unknown_severity_is_refused(admin: User, api: Callable[..., APIClient]) -> None:
    assert api(admin).get("/api/alerts", {"severity": "loud"}).status_code == 400
