"""Where costs come from and what asking takes, in the API and on its page; and what a reader of one member is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Grant, User
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostSnapshot, CostSource, SnapshotStatus, SnapshotTrigger, SourceStatus
from costs.tests import books

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def payer() -> CostSource:
    """Refreshed every eight hours, with six requests the last time."""
    source = books.source("111111111111", "management")
    CostSnapshot.objects.create(
        source=source, trigger=SnapshotTrigger.SCHEDULE, status=SnapshotStatus.SUCCEEDED, requests=6,
        start=date(2026, 11, 1), end=date(2026, 11, 19), finished_at=books.NOW,
    )  # fmt: skip
    source.next_refresh_at = books.NOW + timedelta(hours=8)
    source.save()
    return source


@pytest.fixture
def member(payer: CostSource) -> CostSource:
    source = books.source("422222222222", "staging", BillingScope.MEMBER)
    source.covered_by, source.status = payer, SourceStatus.COVERED
    source.save()
    return source


def test_what_a_month_of_refreshes_takes_is_told_and_stays_within_the_cap(
    payer: CostSource, member: CostSource, admin: User, api: Api, client: Client
) -> None:
    told = {one["alias"]: one for one in api(admin).get("/api/costs/sources").json()}
    management = told["management"]
    assert (management["monthly_requests"], management["monthly_price"]) == (500, "5")  # 540, were it not for the cap
    assert (management["cap"], management["requests_this_month"], management["price_this_month"]) == (500, 0, "0")
    assert management["refresh"]["requests"] >= 5
    assert management["refresh"]["possible"]
    assert (told["staging"]["payer"], told["staging"]["monthly_requests"], told["staging"]["refresh"]) == (
        payer.account_id, None, None,
    )  # fmt: skip
    payer.next_refresh_at = books.NOW + timedelta(hours=12)
    payer.save()
    assert api(admin).get("/api/costs/sources").json()[0]["monthly_requests"] == 360
    client.force_login(admin)
    page = client.get("/costs/snapshots").content.decode()
    assert "$3.60" in page
    assert "360 requests" in page


def test_a_reader_of_one_member_is_told_where_its_costs_are(
    payer: CostSource, member: CostSource, viewer: User, api: Api, client: Client
) -> None:
    Grant.objects.filter(user=viewer).delete()
    Grant.objects.create(user=viewer, account=member.account, role=Role.VIEWER)
    assert [one["alias"] for one in api(viewer).get("/api/costs/sources").json()] == ["staging"]
    client.force_login(viewer)
    assert "In a bill that you do not see" in client.get("/costs/reconciliation").content.decode()
    assert "Nothing is watched yet" not in client.get("/anomalies").content.decode()
    assert "Operators and admins send them" in client.get("/costs/files").content.decode()
    assert "Operators and admins choose which are asked" in client.get("/costs/tags").content.decode()
