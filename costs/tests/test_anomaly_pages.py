"""Unusual costs on pages, and what is announced of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Alert, User
from cloudconsole.core import figures
from costs.models import AnomalyMute, AnomalyRule, BillingScope, CostAnomaly, CostSource, DimensionValue
from costs.tests import books
from costs.tests.unusual import EC2, LAST, NUMBER, browser, judged, tell, usage, usual

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source(NUMBER, "production", BillingScope.STANDALONE)


def test_the_pages_say_what_was_unusual_and_take_what_is_said(source: CostSource, operator: User) -> None:
    tell(source, usual(d0=500))
    (one,) = judged(source)
    client = browser(operator)
    listed = client.get("/anomalies").content.decode()
    assert EC2 in listed
    assert "$400.00" in listed
    detail = client.get(f"/anomalies/{one.pk}").content.decode()
    assert "Above the expected" in detail
    assert "What drove it" in detail
    assert client.post(f"/anomalies/{one.pk}/feedback", {"assessment": "planned"}).status_code == 302
    assert client.post(f"/anomalies/{one.pk}/feedback", {"assessment": ""}).status_code == 400
    assert client.post("/anomalies/mutes", {"service": EC2, "account": NUMBER}).status_code == 302
    assert "Muted" in client.get("/anomalies").content.decode()
    assert client.post(f"/anomalies/mutes/{AnomalyMute.objects.get().pk}/lift").status_code == 302
    rows = b"".join(client.get("/anomalies/anomalies.csv").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(rows) == 2
    assert "planned" in rows[1]


def test_a_bill_without_anything_unusual_says_so(source: CostSource, operator: User) -> None:
    tell(source, usual())
    assert judged(source) == []
    assert "Nothing unusual" in browser(operator).get("/anomalies").content.decode()


def test_drivers_of_a_payer_have_the_names_of_their_accounts_and_tell_what_moved_once(operator: User) -> None:
    payer = books.source(NUMBER, "payer", BillingScope.PAYER)
    days: dict[date, Any] = {day: {**costs, **usage(10, account="433333333333")} for day, costs in usual(d0=500).items()}
    days[LAST] = usage(500) | usage(70, account="433333333333")
    tell(payer, days)
    one = next(found for found in judged(payer) if found.account_number == NUMBER)
    DimensionValue.objects.filter(value="433333333333").update(label="Sandbox of the shop")
    text = browser(operator).get(f"/anomalies/{one.pk}").content.decode()
    assert "Sandbox of the shop · us-east-1" in text
    assert "4333 3333 3333" not in text
    assert text.count('<span class="nowrap">us-east-1') <= 1


def test_the_settings_page_previews_and_decides(source: CostSource, admin: User) -> None:
    tell(source, usual(d0=500))
    client = browser(admin)
    limits = {"account": "", "currency": "USD", "floor": "20", "percent": "20", "sensitivity": "high"}
    assert "would have had 1 episode" in client.get("/anomalies/settings", limits).content.decode()
    assert client.post("/anomalies/settings", limits).status_code == 302
    assert client.post("/anomalies/settings", {**limits, "floor": "0"}).status_code == 400
    assert "All accounts" in client.get("/anomalies/settings").content.decode()
    assert client.post(f"/anomalies/settings/{AnomalyRule.objects.get().pk}/reset").status_code == 302


def test_empty_pages_say_what_would_be_there(admin: User, stranger: User) -> None:
    assert "Nothing is watched yet" in browser(stranger).get("/anomalies").content.decode()
    books.source(NUMBER, "production")
    assert "Nothing judged yet" in browser(admin).get("/anomalies").content.decode()
    assert "Nothing matches" in browser(admin).get("/anomalies?status=open").content.decode()


# --- what is announced


def told() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(kind="costs.anomaly").order_by("pk").values_list("severity", "title"))


def test_an_episode_is_announced_once_and_again_when_it_has_doubled(source: CostSource) -> None:
    tell(source, usual(d1=190))
    judged(source)
    judged(source)
    assert told() == [("warning", f"{EC2} in production costs $90.00 more than expected")]
    tell(source, usual(d1=190, d0=180))
    judged(source)
    assert len(told()) == 1
    tell(source, usual(d1=190, d0=400))
    (one,) = judged(source)
    assert told()[1:] == [("critical", f"{EC2} in production has grown to $390.00 more than expected")]
    assert (one.announcements, one.announced_impact) == (2, 390)
    alert = Alert.objects.get(title__contains="grown")
    assert alert.path == f"/anomalies/{one.pk}"
    assert [account.alias for account in alert.accounts.all()] == ["production"]
    assert any("production · us-east-1: +$" in line for line in alert.lines)
    assert alert.lines[0].startswith(f"2 unusual days, {figures.days(one.started_on, one.last_day)} (UTC): $590.00")


def test_what_is_muted_planned_or_long_over_is_not_announced(source: CostSource, admin: User, api: Api) -> None:
    AnomalyMute.objects.create(service=EC2, created_at=books.NOW)
    tell(source, usual(d20=500, d0=500))
    judged(source)
    assert told() == []
    AnomalyMute.objects.all().delete()
    address = f"/api/costs/anomalies/{CostAnomaly.objects.get(started_on=LAST).pk}/feedback"
    assert api(admin).post(address, {"assessment": "planned"}, format="json").status_code == 201
    judged(source)
    assert told() == []


def test_the_overview_tells_what_goes_on_and_is_not_muted(source: CostSource, viewer: User, stranger: User) -> None:
    tell(source, usual(d20=500, d0=500))
    judged(source)
    assert "Unusual costs going on" in browser(viewer).get("/").content.decode()
    assert "Unusual costs going on" not in browser(stranger).get("/").content.decode()
    AnomalyMute.objects.create(service=EC2, created_at=books.NOW)
    assert "Unusual costs going on" not in browser(viewer).get("/").content.decode()
