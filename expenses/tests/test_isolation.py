"""What somebody spends: seen by nobody else through any door. Doors with an id are in the permission table as well."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.management import reference
from cloudconsole.management.reference import Route
from expenses.models import Expense
from expenses.services import workspaces
from expenses.tests import books, examples

Api = Callable[[User | None], APIClient]
WORD = "zqledger"
DIFFERS = re.compile(r'"request_id":"[^"]*"|csrf\w*"? value="[^"]*"|nonce="[^"]*"|"instance":"[^"]*"')  # for every request
PLACEHOLDER = re.compile(r"<(\w+):\w+>")
LISTS = [
    "/api/expenses",
    "/api/expenses?search=zqled",
    "/api/expenses?payee=zqledger",
    "/api/expenses/summary?group_by=payee",
    "/api/expenses/summary?group_by=category",
    "/api/expenses/summary?group_by=user",
    "/api/expenses/export?format=json",
    "/api/expenses/export",
    "/api/expenses/categories",
    "/api/expenses/payment-methods",
    "/api/expenses/workspaces",
    "/api/expenses/rules",
    "/api/expenses/recurring",
    "/api/expenses/budgets",
    "/api/expenses/imports",
    "/api/expenses/import-mappings",
    "/api/expenses/total",
    "/expenses",
    "/expenses?search=zqled",
    "/expenses/totals",
    "/expenses/suggestions?payee=zqled",
    "/expenses/report?group_by=payee",
    "/expenses/report?group_by=category",
    "/expenses/export?format=csv",
    "/expenses/categories",
    "/expenses/payment-methods",
    "/expenses/rules",
    "/expenses/recurring",
    "/expenses/budgets",
    "/expenses/workspaces",
    "/expenses/imports",
    "/expenses/total",
    "/",
]


@pytest.fixture
def theirs(make_user: Callable[..., User]) -> Mapping[str, object]:
    """Everything that somebody has, under one word that no page says by itself."""
    owner = make_user(f"{WORD}-owner")
    account = AwsAccount.objects.create(alias="production", account_id="123456789012", auth_method="access_key")
    books.spend(owner, payee=WORD, category=WORD, payment_method=WORD, tags=(WORD,), location=WORD, date=date(2026, 11, 3))
    found = examples.examples(account, owner)
    Expense.objects.filter(owner=owner).update(payee=WORD, description=WORD)
    return found


def said(client: APIClient | Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """The answer without what differs for every request."""
    answer: Any = client.get(path) if method == "get" else None
    if answer is None:
        answer = client.generic(method.upper(), path, body or "{}", content_type="application/json")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = DIFFERS.sub("", content.decode(errors="replace"))
    return answer.status_code, text


@pytest.mark.parametrize("path", LISTS)
def test_no_list_tells_of_it(path: str, theirs: Mapping[str, object], stranger: User, api: Api, client: Client) -> None:
    asking: Any = client
    if path.startswith("/api"):
        asking = api(stranger)
    else:
        client.force_login(stranger)
    workspaces.personal(stranger)
    mark = "&" if "?" in path else "?"
    for address in (path, f"{path}{mark}workspace={theirs['expenses/workspaces/<']}"):
        _, text = said(asking, "get", address)
        shown = text.lower().replace("zqledger-owner", "")
        asked_for = address.lower().count("zqled")
        assert WORD not in shown if not asked_for else shown.count(f">{WORD}<") == 0


ROUTES = sorted(
    {route for route in reference.routes() if route.path.startswith("/api/expenses/") and PLACEHOLDER.search(route.path)}
)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_is_theirs_is_answered_like_what_is_not_there(
    route: Route, theirs: Mapping[str, object], stranger: User, api: Api
) -> None:
    workspaces.personal(stranger)
    noun = next(noun for noun in theirs if noun in route.path and noun.startswith("expenses/"))
    present = PLACEHOLDER.sub(str(theirs[noun]), route.path)
    absent = PLACEHOLDER.sub(lambda kind: str(uuid.uuid4()) if kind[1] == "uuid" else "987654", route.path)
    assert said(api(stranger), route.method, present) == said(api(stranger), route.method, absent)


def test_changing_many_by_their_ids_changes_none_of_theirs(theirs: Mapping[str, object], stranger: User, api: Api) -> None:
    workspaces.personal(stranger)
    answers = [
        api(stranger).post("/api/expenses/bulk", {"ids": [str(pk)], "set": {"project": "mine"}}, format="json")
        for pk in (theirs["expenses/<uuid"], uuid.uuid4())
    ]
    assert answers[0].status_code == answers[1].status_code
    assert not Expense.objects.filter(project="mine").exists()
