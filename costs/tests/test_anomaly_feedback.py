"""What people say of unusual costs, what they mute, and from where on costs are unusual: through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Grant, User
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from costs.models import AnomalyMute, AnomalyRule, BillingScope, CostAnomaly, CostSource
from costs.services import anomalies
from costs.tests import books
from costs.tests.unusual import DAYS, EC2, LAST, NUMBER, browser, judged, lasting, tell, usage, usual

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def source(db: None) -> CostSource:
    return books.source(NUMBER, "production", BillingScope.STANDALONE)


def say(api: Api, user: User, anomaly: CostAnomaly, assessment: str) -> int:
    answer = api(user).post(
        f"/api/costs/anomalies/{anomaly.pk}/feedback", {"assessment": assessment, "note": "why"}, format="json"
    )
    return int(answer.status_code)


def test_an_expected_level_is_the_new_normal(source: CostSource, admin: User, api: Api) -> None:
    tell(source, lasting(12))
    (one,) = judged(source)
    assert (one.status, one.days) == ("open", 12)
    assert say(api, admin, one, "expected") == 201
    judged(source)
    one.refresh_from_db()
    assert (one.status, one.days, CostAnomaly.objects.count()) == ("closed", 12, 1)
    days = lasting(12)
    days[LAST] = usage(700)
    tell(source, days)
    judged(source)
    assert CostAnomaly.objects.count() == 1  # the accepted days stay accepted


def test_after_a_new_level_was_accepted_more_is_unusual_again(source: CostSource, admin: User, api: Api) -> None:
    tell(source, {day: costs for day, costs in lasting(12).items() if day <= LAST - timedelta(days=2)})
    (one,) = judged(source)
    say(api, admin, one, "expected")
    days = lasting(12)
    days[LAST] = usage(700)
    tell(source, days)
    assert [(found.status, found.impact) for found in judged(source)] == [("closed", 2000), ("open", 400)]


def test_feedback_is_kept_audited_and_may_change(source: CostSource, admin: User, api: Api) -> None:
    tell(source, usual(d0=500))
    (one,) = judged(source)
    assert [say(api, admin, one, word) for word in ("expected", "not_expected")] == [201, 201]
    assert say(api, admin, one, "so-so") == 400
    judged(source)
    one.refresh_from_db()
    assert (one.assessment, one.status) == ("not_expected", "open")
    assert [said.assessment for said in one.feedback.all()] == ["not_expected", "expected"]
    assert AuditEvent.objects.filter(action="anomaly.assessed").count() == 2
    assert anomalies.due() == []


def test_a_viewer_reads_and_says_nothing(source: CostSource, viewer: User, stranger: User, api: Api) -> None:
    tell(source, usual(d0=500))
    (one,) = judged(source)
    assert say(api, viewer, one, "planned") == 403
    assert say(api, stranger, one, "planned") == 404
    assert api(stranger).get("/api/costs/anomalies").json()["count"] == 0
    assert api(viewer).get(f"/api/costs/anomalies/{one.pk}").json()["impact"] == "400"


def test_who_sees_a_member_alone_sees_its_episodes_in_the_payers_bill(db: None, make_user: Callable[..., User], api: Api) -> None:
    payer = books.source(NUMBER, "management")
    member = books.source("222222222222", "member", BillingScope.MEMBER)
    CostSource.objects.filter(pk=member.pk).update(covered_by=payer)
    both = {**usage(100), **usage(100, account="222222222222")}
    spike = {**usage(500), **usage(400, account="222222222222")}
    tell(payer, {day: spike if day == LAST else both for day in DAYS})
    judged(payer)
    reader = make_user("grace", Role.OPERATOR)
    Grant.objects.create(user=reader, account=member.account, role=Role.OPERATOR)
    found = api(reader).get("/api/costs/anomalies").json()["results"]
    assert [one["account"] for one in found] == ["222222222222"]
    assert "Where nothing is decided" in browser(reader).get("/anomalies/settings").content.decode()
    one = CostAnomaly.objects.get(account_number="222222222222")
    assert say(api, reader, one, "planned") == 201
    assert browser(reader).get(f"/anomalies/{one.pk}").status_code == 200


def test_the_api_lists_filters_and_details(source: CostSource, admin: User, api: Api) -> None:
    tell(source, usual(d20=500, d0=300))
    judged(source)
    client = api(admin)
    assert [one["impact"] for one in client.get("/api/costs/anomalies").json()["results"]] == ["200", "400"]
    for query, count in (("status=open", 1), ("service=x", 0), ("account=production", 2), ("muted=true", 0), ("found_by=aws", 0)):
        assert client.get(f"/api/costs/anomalies?{query}").json()["count"] == count, query
    detail = client.get(f"/api/costs/anomalies/{CostAnomaly.objects.get(status='open').pk}").json()
    assert [day["day"] for day in detail["day_by_day"] if day["unusual"]] == [LAST.isoformat()]
    assert [(one["account"], one["change"]) for one in detail["drivers"]["found"]] == [(NUMBER, "200")]
    assert client.get("/api/costs/anomalies/99999").status_code == 404


# --- mutes and limits


def test_a_mute_is_kept_audited_and_lifted(source: CostSource, operator: User, api: Api) -> None:
    tell(source, usual(d0=500))
    judged(source)
    client = api(operator)
    made = client.post("/api/costs/anomalies/mutes", {"account": NUMBER, "service": EC2, "until": "2026-12-01"}, format="json")
    assert made.status_code == 201, made.json()
    assert client.get("/api/costs/anomalies?muted=true").json()["count"] == 1
    again = client.post("/api/costs/anomalies/mutes", {"account": NUMBER, "service": EC2}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "muted_already")
    with time_machine.travel(books.NOW + timedelta(days=14), tick=False):
        assert api(operator).get("/api/costs/anomalies?muted=true").json()["count"] == 0
        assert (
            api(operator).post("/api/costs/anomalies/mutes", {"account": NUMBER, "service": EC2}, format="json").status_code
            == 201
        )
    mute = AnomalyMute.objects.get(lifted_at=None)
    assert [client.delete(f"/api/costs/anomalies/mutes/{mute.pk}").status_code for _ in range(2)] == [204, 204]
    assert client.delete("/api/costs/anomalies/mutes/99999").status_code == 404
    assert AuditEvent.objects.filter(action__in=["anomaly.muted", "anomaly.mute_lifted"]).count() == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"service": EC2}, 403), ({"account": "999999999999"}, 403), ({"account": NUMBER, "until": "2026-11-18"}, 400)],
)
def test_what_is_not_ones_to_mute_is_refused(
    source: CostSource, operator: User, api: Api, body: dict[str, str], status: int
) -> None:
    assert api(operator).post("/api/costs/anomalies/mutes", body, format="json").status_code == status


def test_limits_hold_for_an_account_or_for_all_and_the_last_days_are_judged_again(
    source: CostSource, admin: User, operator: User, api: Api
) -> None:
    tell(source, usual(d0=150))
    (one,) = judged(source)
    limits = {"currency": "USD", "floor": "75", "percent": 10, "sensitivity": "low"}
    assert api(operator).put("/api/costs/anomalies/limits", limits, format="json").status_code == 403
    assert api(operator).put("/api/costs/anomalies/limits", {**limits, "account": NUMBER}, format="json").status_code == 200
    assert anomalies.due() == [source.pk]
    judged(source)
    one.refresh_from_db()
    assert one.status == "withdrawn"
    assert api(admin).put("/api/costs/anomalies/limits", {**limits, "floor": "20"}, format="json").status_code == 200
    own = AnomalyRule.objects.get(account_number=NUMBER)
    assert api(operator).delete(f"/api/costs/anomalies/limits/{own.pk}").status_code == 204
    judged(source)
    one.refresh_from_db()
    assert one.status == "open"
    assert AuditEvent.objects.filter(action__startswith="anomaly.limits").count() == 3


def test_the_preview_counts_what_other_limits_would_have_found(source: CostSource, viewer: User, api: Api) -> None:
    tell(source, usual(d20=150, d0=500))
    query: dict[str, str | float] = {"currency": "USD", "percent": 30, "sensitivity": "medium"}
    for floor, episodes in (("10", 2), ("100", 1), ("1000", 0)):
        found = api(viewer).get("/api/costs/anomalies/limits/preview", {**query, "floor": floor}).json()
        assert (found["episodes"], found["days"]) == (episodes, 73)
