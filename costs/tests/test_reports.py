"""Saved reports on the page and in the API: one's own, and links that others open with their own rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import SavedReport
from costs.rules.windows import DayRange
from costs.tests import books

Api = Callable[[User | None], APIClient]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def save(user: User, name: str, query: str) -> SavedReport:
    browser(user).post("/costs/reports", {"name": name, "query": query})
    return SavedReport.objects.get(user=user, name=name)


def test_a_report_is_kept_under_its_name_and_opens_as_it_was(viewer: User) -> None:
    browser(viewer).post("/costs/reports", {"name": "  Bedrock  by day ", "query": "service=Amazon+Bedrock&range=90d"})
    saved = SavedReport.objects.get()
    assert (saved.name, saved.user) == ("Bedrock by day", viewer)
    opened = browser(viewer).get(f"/costs?report={saved.key}")
    assert opened["Location"] == "/costs?range=90d&service=Amazon+Bedrock"
    assert AuditEvent.objects.filter(action="costs.report_saved", actor_id=viewer.pk).exists()


def test_the_same_name_again_replaces_the_question(viewer: User) -> None:
    save(viewer, "mine", "range=90d")
    assert save(viewer, "mine", "range=7d").query == "range=7d"
    assert SavedReport.objects.count() == 1


def test_a_shared_link_shows_what_its_reader_may_see(viewer: User, stranger: User) -> None:
    books.fill(books.source(MANAGEMENT, "management"), DayRange(date(2026, 11, 1), date(2026, 11, 3)))
    saved = save(viewer, "mine", "range=custom&start=2026-11-01&end=2026-11-03")
    page = browser(stranger).get(f"/costs?report={saved.key}", follow=True).content.decode()
    assert "No costs to show yet" in page
    assert "Relational Database" in browser(viewer).get(f"/costs?report={saved.key}", follow=True).content.decode()


@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_link_that_leads_nowhere_is_not_found(viewer: User, key: str) -> None:
    assert browser(viewer).get(f"/costs?report={key}").status_code == 404


def test_nobody_deletes_or_lists_somebody_elses(viewer: User, admin: User, api: Api) -> None:
    saved = save(viewer, "mine", "range=7d")
    assert browser(admin).post(f"/costs/reports/{saved.pk}/delete").status_code == 404
    assert api(admin).delete(f"/api/costs/reports/{saved.pk}").status_code == 404
    assert api(admin).get("/api/costs/reports").json()["count"] == 0
    assert browser(viewer).post(f"/costs/reports/{saved.pk}/delete").status_code == 302
    assert not SavedReport.objects.exists()


def test_a_report_gets_another_name_and_keeps_its_question_and_link(viewer: User, admin: User) -> None:
    saved, other = save(viewer, "mine", "range=7d"), save(viewer, "other", "range=90d")
    answer = browser(viewer).post(
        f"/costs/reports/{saved.pk}/rename", {"name": " Last  week ", "query": "range=90d"}, follow=True
    )
    assert answer.redirect_chain == [("/costs?range=90d", 302)]  # what was on the page stays there
    assert "“mine” is called “Last week” now" in answer.content.decode()
    kept = SavedReport.objects.get(pk=saved.pk)
    assert (kept.name, kept.query, kept.key) == ("Last week", "range=7d", saved.key)
    taken = browser(viewer).post(f"/costs/reports/{other.pk}/rename", {"name": "Last week", "query": "colour=red"}, follow=True)
    assert "You have a report called “Last week” already." in taken.content.decode()
    assert browser(admin).post(f"/costs/reports/{saved.pk}/rename", {"name": "theirs"}).status_code == 404
    assert browser(viewer).post(f"/costs/reports/{saved.pk}/rename", {"name": " "}).status_code == 302
    assert sorted(SavedReport.objects.values_list("name", flat=True)) == ["Last week", "other"]


@pytest.mark.parametrize(("name", "query"), [("", "range=7d"), ("x" * 81, "range=7d"), ("fine", "range=yesterday")])
def test_what_is_no_report_is_not_kept(viewer: User, name: str, query: str) -> None:
    browser(viewer).post("/costs/reports", {"name": name, "query": query})
    assert not SavedReport.objects.exists()


def test_the_api_keeps_changes_and_lets_go(viewer: User, api: Api) -> None:
    made = api(viewer).post("/api/costs/reports", {"name": "weekly", "query": "?range=7d&top=10"}, format="json")
    assert made.status_code == 201
    assert made.json()["query"] == "range=7d"
    address = f"/api/costs/reports/{made.json()['id']}"
    assert api(viewer).patch(address, {"name": "by account"}, format="json").json()["query"] == "range=7d"
    changed = api(viewer).patch(address, {"query": "group_by=account"}, format="json").json()
    assert (changed["name"], changed["query"]) == ("by account", "group_by=account")
    other = api(viewer).post("/api/costs/reports", {"name": "other", "query": ""}, format="json").json()
    taken = api(viewer).patch(f"/api/costs/reports/{other['id']}", {"name": "by account"}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert api(viewer).delete(address).status_code == 204
    assert api(viewer).get(address).status_code == 404


def test_the_api_says_what_is_wrong_with_a_query(viewer: User, api: Api) -> None:
    answer = api(viewer).post("/api/costs/reports", {"name": "x", "query": "group_by=tea"}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "query"
    assert "group_by" in answer.json()["errors"][0]["detail"]
