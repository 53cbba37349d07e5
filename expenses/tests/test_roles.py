"""What the roles of a workspace may do: whoever only looks changes nothing through any door, however they ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from audit.models import AuditEvent
from cloudconsole.management import reference
from expenses import import_urls, spend_urls, urls
from expenses.models import Expense, Workspace, WorkspaceMember
from expenses.rules.statuses import MemberRole
from expenses.services import workspaces
from expenses.tests import books, examples
from expenses.tests.sending import coffees
from expenses.tests.test_pages import ROW
from expenses.tests.test_receipts import picture

Api = Callable[[User | None], APIClient]

PAGES = sorted(
    {
        f"{prefix}{one.pattern}"
        for prefix, module in (("expenses", urls), ("expenses/imports", import_urls), ("", spend_urls))
        for one in module.urlpatterns
    }
)
PLACEHOLDER = re.compile(r"<\w+:\w+>")
RULE = {"condition_field": "payee", "condition_operator": "is", "condition_value": "x", "action_field": "payee"}
FORMS: list[dict[str, Any]] = [
    {"action": "delete", "all": "1", "sure": "1", "step": "submit", "decision": "leave", "row": ["2"], "edited": "remove"},
    {"action": "change", "name": "Mine", "currency": "EUR", "amount": "5", "every": "monthly", "category": "Mine", **ROW},
    {"action": "rename", "name": "Mine", "role": "manager", "often": "FREQ=DAILY", **ROW, **RULE, "action_value": "Mine"},
    {"action": "archive", "step": "approve", "dates": "ymd", "decimal": ".", "sign": "positive", "incoming": "leave_out"},
    {
        "action": "pause",
        "parent": "",
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "0",
        "form-0-cost": "6",
        "form-1-cost": "6.5",
    },
    {"action": "run", "step": "reimburse", "month": "2026-10", "per_euro": "2"},
]


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user("owner")


@pytest.fixture
def theirs(owner: User) -> Mapping[str, object]:
    account = AwsAccount.objects.create(alias="production", account_id="123456789012", auth_method="access_key")
    return examples.examples(account, owner)


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that is stored of expenses."""
    models: list[type[Model]] = list(apps.get_app_config("expenses").get_models())
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def addressed(path: str, theirs: Mapping[str, object]) -> str:
    noun = max((noun for noun in theirs if noun in path), key=len, default="")
    return "/" + PLACEHOLDER.sub(str(theirs.get(noun, "")), path).lstrip("/")


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_of_a_workspace_changes_nothing_through_any_page(
    path: str, theirs: Mapping[str, object], owner: User, viewer: User
) -> None:
    place = workspaces.personal(owner)
    workspaces.personal(viewer)
    WorkspaceMember.objects.create(workspace=place, user=viewer, role=MemberRole.VIEWER)
    client = Client()
    client.force_login(viewer)
    address, before = addressed(path, theirs), everything()
    for form in FORMS:
        files = {"file": SimpleUploadedFile("bank.csv", coffees(1) if "imports" in path else picture())}
        told = client.post(
            f"{address}?workspace={place.pk}", {"workspace": place.pk, "username": viewer.username, **form, **files}
        )
        assert told.status_code in (200, 302, 400, 403, 404, 405), (address, form)
    if path == "expenses/workspaces":  # everybody makes workspaces of their own
        assert set(Workspace.objects.filter(members=owner)) == {place}
        return
    assert everything() == before


REMOVING = sorted(
    {route.path for route in reference.routes() if route.path.startswith("/api/expenses/") and route.method == "delete"}
)


@pytest.mark.parametrize("path", REMOVING)
def test_a_viewer_of_a_workspace_removes_nothing_over_http(
    path: str, theirs: Mapping[str, object], owner: User, viewer: User, api: Api
) -> None:
    WorkspaceMember.objects.create(workspace=workspaces.personal(owner), user=viewer, role=MemberRole.VIEWER)
    before = everything()
    assert api(viewer).delete(addressed(path, theirs)).status_code == 403
    assert everything() == before


def test_a_contributor_touches_nothing_of_others_together_with_their_own(viewer: User, stranger: User, api: Api) -> None:
    team = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR))
    books.spend(viewer, team)
    books.spend(stranger, team)
    for body in ({"delete": True}, {"set": {"category": "Mine"}}):
        answer = api(stranger).post(f"/api/expenses/bulk?workspace={team.pk}", {"all": True, **body}, format="json")
        assert answer.json()["code"] == "workspace_role"
    assert {str(one.category) for one in Expense.objects.kept()} == {"Travel › Taxi"}


def test_whoever_was_taken_out_undoes_and_reads_nothing_any_more(viewer: User, stranger: User, api: Api) -> None:
    team = books.shared(viewer, (stranger, MemberRole.APPROVER))
    one = books.spend(stranger, team)
    edit = api(stranger).delete(f"/api/expenses/{one.pk}")["X-Edit"]
    workspaces.remove_member(workspace=team, user=stranger, by=viewer)
    assert api(stranger).post(f"/api/expenses/edits/{edit}/undo").status_code == 404
    assert api(stranger).get(f"/api/expenses/{stranger.pk}").json()["results"] == []
    assert api(viewer).post(f"/api/expenses/edits/{edit}/undo").status_code == 200


def test_many_are_handed_in_and_decided_about_together_or_none(api: Api, viewer: User, operator: User, stranger: User) -> None:
    team = books.shared(operator, (viewer, MemberRole.CONTRIBUTOR), (stranger, MemberRole.APPROVER), needs_approval=True)
    rows = [books.spend(viewer, team, date=date(2026, 11, day)) for day in (1, 2, 3)]
    body: dict[str, Any] = {"ids": [str(one.pk) for one in rows]}

    def take(user: User, step: str, code: int = 200) -> dict[str, Any]:
        answer = api(user).post("/api/expenses/bulk", {**body, "step": step}, format="json")
        assert answer.status_code == code, answer.json()
        told: dict[str, Any] = answer.json()
        return told

    assert take(stranger, "approve", 409)["code"] == "expense_state"  # they are drafts
    assert take(viewer, "submit") == {"id": None, "what": "Handed in", "count": 3, "created_at": None}
    take(viewer, "approve", 403)
    own = books.spend(stranger, team)
    body["ids"].append(str(own.pk))
    take(stranger, "approve", 403)  # nobody decides about their own, and it is all or none
    assert set(Expense.objects.filter(owner=viewer).values_list("status", flat=True)) == {"submitted"}
    body["ids"].pop()
    body["unchanged_since"] = "2026-11-01T00:00:00Z"
    assert take(stranger, "approve", 409)["code"] == "expense_changed"
    del body["unchanged_since"]
    assert take(stranger, "approve")["count"] == 3
    assert take(operator, "reimburse")["what"] == "Noted as paid back"
    assert {(one.status, one.revision) for one in Expense.objects.filter(owner=viewer)} == {("reimbursed", 4)}
    assert AuditEvent.objects.filter(action="expense.approved").count() == 3
