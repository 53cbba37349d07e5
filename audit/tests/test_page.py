"""The trail as a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from django.test import Client

import audit.services
from accounts.models import User
from audit import verbs
from audit.views import PAGE_SIZE

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def numbers(client: Client, query: str = "") -> list[int]:
    return [event.seq for event in client.get(f"/audit{query}").context["events"]]


def record(user: User, times: int = 1, outcome: str = "success") -> None:
    for _ in range(times):
        audit.services.record(verbs.USER_CHANGED, actor=user, subject="ada", outcome=outcome)


def test_pages_stay_the_same_while_new_events_arrive(admin: User) -> None:
    record(admin, PAGE_SIZE + 5)
    client = signed_in(admin)
    first = client.get("/audit").context
    record(admin, 3)
    older = numbers(client, first["older"])
    assert older == [event.seq - PAGE_SIZE for event in first["events"]][: len(older)]
    assert older[-1] == 1
    back = client.get(f"/audit{first['older']}").context["newer"]
    assert numbers(client, back) == [event.seq for event in first["events"]]


def test_the_ends_of_the_trail_offer_no_further_page(admin: User) -> None:
    record(admin)
    context = signed_in(admin).get("/audit").context
    assert (context["newer"], context["older"]) == ("", "")


def test_filters_narrow_the_trail_and_travel_to_the_next_page(admin: User) -> None:
    record(admin, PAGE_SIZE + 1, outcome="failure")
    record(admin, 2)
    context = signed_in(admin).get("/audit?outcome=failure").context
    assert {event.outcome for event in context["events"]} == {"failure"}
    assert "outcome=failure" in context["older"]


@pytest.mark.parametrize(
    "query",
    [
        "?since=yesterday",
        "?action=nonsense",
        "?outcome=maybe",
        "?before=x",
        "?after=99999999999999999999",
        "?until=9999-12-31",
        "?since=0001-01-01",
    ],
)
def test_a_malformed_filter_is_told_or_left_out_but_never_fails(admin: User, query: str) -> None:
    record(admin)
    assert signed_in(admin).get(f"/audit{query}").status_code == 200


def test_everybody_but_admins_sees_their_own_events_alone(admin: User, viewer: User) -> None:
    record(admin, 2)
    record(viewer)
    assert len(numbers(signed_in(viewer))) == 1
    assert len(numbers(signed_in(admin))) == 3


def test_what_people_typed_is_shown_as_text(admin: User) -> None:
    audit.services.record(verbs.USER_CHANGED, actor=admin, subject="<script>alert(1)</script>", target="<b>")
    text = signed_in(admin).get("/audit").content.decode()
    assert "<script>alert" not in text
    assert not re.search(r"<b>(?!Something)", text)


@dataclass(frozen=True)
class Account:
    """As much of an AWS account as an event takes with it."""

    pk: int
    alias: str
    account_id: str
    environment: str


def test_the_scope_narrows_the_trail_to_environments_as_they_were_then(admin: User) -> None:
    for number, environment in enumerate(("production", "sandbox", "production"), start=1):
        account = Account(number, f"account-{number}", f"{number:012}", environment)
        audit.services.record(verbs.ACCOUNT_CHANGED, actor=admin, account=account)
    record(admin)
    client = signed_in(admin)
    assert numbers(client, "?environment=production") == [3, 1]
    assert numbers(client, "?environment=production&environment=sandbox") == [3, 2, 1]
    assert numbers(client, "?environment=production&account=account-2") == []


def test_details_have_names_and_values_for_people(admin: User) -> None:
    detail: dict[str, str | int | bool | None] = {
        "auth_method": "access_key",
        "code": "aws_access_denied",
        "again": True,
        "fields": "alias, role_arn",
    }
    audit.services.record(verbs.ACCOUNT_CHANGED, actor=admin, detail=detail)
    text = signed_in(admin).get("/audit").content.decode()
    for words in (
        "<dt>Signs in with</dt><dd>access key</dd>",
        "<dt>Error code</dt><dd>aws_access_denied</dd>",
        "<dt>Tried again</dt><dd>yes</dd>",
        "<dt>What changed</dt><dd>alias, role arn</dd>",
    ):
        assert words in text


def test_what_the_installation_does_by_itself_is_said_to_be_its_doing(admin: User) -> None:
    with audit.services.by_itself("cloudconsole up"):
        event = audit.services.record(verbs.USER_CHANGED, actor=admin, subject="ada")
    assert (event.actor_id, event.role) == (None, "")
    text = signed_in(admin).get("/audit").content.decode()
    assert "cloudconsole up changed the profile of ada" in text
    assert audit.services.record(verbs.USER_CHANGED, actor=admin).actor_name == "admin"
