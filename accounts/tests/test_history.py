"""What is kept of a disconnected account, over HTTP: seen and purged by those who manage accounts."""

from __future__ import annotations

from collections.abc import Callable

from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from accounts.tests.conftest import Connect
from audit.models import AuditEvent

Api = Callable[..., APIClient]


def test_a_connected_account_tells_what_hangs_on_it_and_is_not_purged(connect: Connect, admin: User, api: Api) -> None:
    account, client = connect("development"), api(admin)
    told = client.get(f"/api/accounts/{account.pk}/history").json()
    assert told["disconnected_at"] is None
    assert {"name": "capability checks", "count": account.checks.count()} in told["kept"]
    refused = client.delete(f"/api/accounts/{account.pk}/history?confirm=development")
    assert (refused.status_code, refused.json()["code"]) == (409, "account_connected")


def test_a_disconnected_account_is_listed_and_purged_by_its_alias(connect: Connect, admin: User, api: Api) -> None:
    account, client = connect("development"), api(admin)
    client.delete(f"/api/accounts/{account.pk}?confirm=development")
    [listed] = client.get("/api/accounts?disconnected=true").json()["results"]
    assert (listed["id"], listed["alias"]) == (account.pk, "development")
    assert listed["disconnected_at"] is not None
    assert client.get("/api/accounts").json()["count"] == 0
    path = f"/api/accounts/{account.pk}/history"
    assert client.delete(f"{path}?confirm=dev").json()["code"] == "confirmation_required"
    assert AwsAccount.objects.exists()
    assert client.delete(path, {"confirm": "development"}).status_code == 204
    assert not AwsAccount.objects.exists()
    assert client.get(path).status_code == 404
    assert AuditEvent.objects.filter(action="account.purged", account_alias="development").exists()


def test_nobody_else_sees_or_purges_what_is_kept(connect: Connect, admin: User, operator: User, api: Api) -> None:
    account = connect("development")
    api(admin).delete(f"/api/accounts/{account.pk}?confirm=development")
    client = api(operator)
    assert client.get("/api/accounts?disconnected=true").json()["results"] == []
    assert client.get(f"/api/accounts/{account.pk}/history").status_code == 403
    assert client.delete(f"/api/accounts/{account.pk}/history?confirm=development").status_code == 403
    assert AwsAccount.objects.exists()
    assert api(admin).get("/api/accounts?disconnected=perhaps").status_code == 400
