"""Quotas as people and programs see them, and what they may do about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AwsAccount, Grant, User
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Operation, Quota, QuotaHour, QuotaIncrease, QuotaPlace
from resources.rules.quota_names import Measure
from resources.rules.quotas import HOUR, hour_of
from resources.services import operations, quotas
from resources.tests.quotas import NOON, US, Clock, read

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MINUTE = timedelta(minutes=1)
Api = Callable[[User | None], APIClient]


@pytest.fixture
def sonnet(account: AwsAccount, simulator: SimulatorHandle) -> Quota:
    """A quota of which four fifths were used two minutes ago."""
    figures = {"input_tokens": 60_000, "output_tokens": 20_000, "invocations": 9, "throttles": 3}
    simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - 2 * MINUTE, **figures)
    read()
    return Quota.objects.get(code="L-F4DDD3EB")


def page(user: User, path: str) -> str:
    browser = Client()
    browser.force_login(user)
    answer = browser.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def post(user: User, path: str, **fields: object) -> Any:
    browser = Client()
    browser.force_login(user)
    return browser.post(path, fields)


def test_the_list_shows_those_under_most_pressure_first(sonnet: Quota, viewer: User, api: Api) -> None:
    text = page(viewer, "/quotas")
    assert "Claude Sonnet 4.5, cross-region" in text
    assert "80 % in the last hour" in text
    assert "3 refused in 24 h" in text
    assert api(viewer).get("/api/quotas").json()["results"][0]["id"] == sonnet.pk
    assert "Running On-Demand P instances" not in text  # nothing was ever seen to use it
    assert "Running On-Demand P instances" in page(viewer, "/quotas?state=all")
    assert "L-F4DDD3EB" not in text
    assert "Claude Sonnet 4.5, cross-region" in page(
        viewer, "/quotas?search=l-f4ddd3eb&service=bedrock&region=us-east-1&state=warning"
    )
    assert "Nothing matches" in page(viewer, "/quotas?search=nothing-of-the-kind")


def test_one_says_how_its_use_is_known(sonnet: Quota, viewer: User) -> None:
    text = page(viewer, f"/quotas/{sonnet.pk}")
    assert "160,000" in text
    assert "output by the model's burndown factor (here 5)" in text.replace("&#x27;", "'")
    assert "max_tokens" in text
    for span in ("1h", "24h", "30d"):
        assert "160,000 tokens a minute" in page(viewer, f"/quotas/{sonnet.pk}?range={span}")
    assert "Asking takes the role operator" in text


def test_the_api_tells_the_same(sonnet: Quota, viewer: User, api: Api) -> None:
    told = api(viewer).get(f"/api/quotas/{sonnet.pk}").json()
    wanted = {
        "account": sonnet.account_id, "region": US, "service": "bedrock", "code": "L-F4DDD3EB", "limit": 200_000.0,
        "applied": 200_000.0, "usage": 160_000.0, "usage_percent": 80.0, "peak_24h": 160_000.0, "status": "warning",
        "method": "counted_tokens", "throttles_24h": 3, "headroom": 40_000.0,
    }  # fmt: skip
    assert {name: told[name] for name in wanted} == wanted
    assert told["observed_at"] == told["peak_at"] == "2026-11-22T11:58:00Z"
    history = api(viewer).get(f"/api/quotas/{sonnet.pk}/history?range=1h").json()
    assert (len(history["results"]), history["step_seconds"], history["limit"]) == (60, 60, 200_000.0)
    used = [point for point in history["results"] if point["usage"]]
    assert used == [{"at": "2026-11-22T11:58:00Z", "usage": 160_000.0, "throttles": 3}]
    assert api(viewer).get(f"/api/quotas/{sonnet.pk}/history?range=1y").status_code == 400


def test_a_limit_of_a_day_is_compared_with_the_last_24_hours(sonnet: Quota, viewer: User, api: Api) -> None:
    Quota.objects.filter(pk=sonnet.pk).update(measure=Measure.TOKENS_PER_DAY.value)
    QuotaHour.objects.filter(quota=sonnet).delete()
    QuotaHour.objects.bulk_create(
        QuotaHour(quota=sonnet, hour=hour_of(NOON) - number * HOUR, peak=1, peak_at=NOON, total=1000, throttles=int(number == 2))
        for number in range(30)
    )
    for span in ("1h", "24h", "30d"):
        results = api(viewer).get(f"/api/quotas/{sonnet.pk}/history?range={span}").json()["results"]
        assert results[-1]["usage"] == 24_000  # the hours of the day before count as well
        assert sum(point["throttles"] for point in results) == (0 if span == "1h" else 1)
        assert "24,000 tokens a day" in page(viewer, f"/quotas/{sonnet.pk}?range={span}")
    oldest = api(viewer).get(f"/api/quotas/{sonnet.pk}/history?range=24h").json()["results"][0]
    assert oldest == {"at": "2026-11-21T12:15:00Z", "usage": 6_000.0, "throttles": 0}  # of earlier hours nothing is known


def test_what_belongs_to_others_is_not_there(sonnet: Quota, stranger: User, api: Api) -> None:
    assert api(stranger).get("/api/quotas").json()["count"] == 0
    for path in ("", "/history", "/increases"):
        assert api(stranger).get(f"/api/quotas/{sonnet.pk}{path}").status_code == 404
    assert post(stranger, f"/quotas/{sonnet.pk}/increase", desired="900000").status_code == 404
    assert "No account to look at" in page(stranger, "/quotas")


def test_thresholds_are_for_operators_and_audited(sonnet: Quota, operator: User, viewer: User, api: Api) -> None:
    path = f"/api/quotas/{sonnet.pk}"
    assert api(viewer).patch(path, {"warning_percent": 85}, format="json").status_code == 403
    assert api(operator).patch(path, {"warning_percent": 95}, format="json").json()["code"] == "invalid_thresholds"
    told = api(operator).patch(path, {"warning_percent": 85}, format="json").json()
    assert (told["warning_percent"], told["critical_percent"], told["status"]) == (85, 90, "ok")
    assert AuditEvent.objects.get(action="quota.thresholds_set").detail["warning"] == 85
    answer = post(operator, f"/quotas/{sonnet.pk}/thresholds", warning_percent="50", critical_percent="60")
    assert answer.status_code == 302
    sonnet.refresh_from_db()
    assert (sonnet.state, sonnet.warning_percent) == ("critical", 50)
    refused = post(operator, f"/quotas/{sonnet.pk}/thresholds", warning_percent="60", critical_percent="50")
    assert refused.status_code == 400
    assert "the warning comes first" in refused.content.decode()


def test_asking_for_more_is_an_operation_whose_answer_is_followed(
    sonnet: Quota, operator: User, api: Api, simulator: SimulatorHandle, clock: Clock
) -> None:
    path = f"/api/quotas/{sonnet.pk}/increases"
    assert api(operator).post(path, {"desired": "200000"}, format="json").json()["code"] == "not_higher"
    answer = api(operator).post(path, {"desired": "900000", "reason": "launch"}, format="json")
    assert (answer.status_code, answer.json()["target"]) == (202, "bedrock/L-F4DDD3EB")
    operation = Operation.objects.get()
    operations.run(operation_id=operation.pk)
    clock.move(NOON + MINUTE)
    operations.run(operation_id=operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.after_state) == ("succeeded", "pending")
    [asked] = api(operator).get(path).json()["results"]
    assert (asked["desired"], asked["status"], asked["requested_by"]) == (900_000.0, "PENDING", "operator")
    again = api(operator).post(path, {"desired": "950000"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "increase_open")
    assert Operation.objects.count() == 1
    simulator.quotas.decide(DEVELOPMENT, "L-F4DDD3EB", "APPROVED")
    QuotaPlace.objects.update(next_limits_at=clock.now)
    quotas.read_limits()
    sonnet.refresh_from_db()
    assert sonnet.limit == Decimal(900_000)
    assert QuotaIncrease.objects.get().status == "APPROVED"
    assert "Granted" in page(operator, f"/quotas/{sonnet.pk}")
    assert AuditEvent.objects.filter(action="operation.requested").count() == 1


def test_asking_takes_the_capability_and_a_quota_that_can_be_raised(sonnet: Quota, operator: User, api: Api) -> None:
    AwsAccount.objects.update(capabilities=["quotas.read"])
    answer = api(operator).post(f"/api/quotas/{sonnet.pk}/increases", {"desired": "900000"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "capability_off")
    assert "is switched off for development" in page(operator, f"/quotas/{sonnet.pk}")
    fixed = Quota.objects.get(code="L-381AD9EE")
    answer = api(operator).post(f"/api/quotas/{fixed.pk}/increases", {"desired": "900000000"}, format="json")
    assert answer.json()["code"] == "quota_not_adjustable"
    refused = post(operator, f"/quotas/{fixed.pk}/increase", desired="900000000")
    assert "is not one that AWS raises on request" in refused.content.decode()


def test_the_empty_list_says_what_to_do(admin: User, account: AwsAccount) -> None:
    AwsAccount.objects.update(capabilities=["identity"])
    text = page(admin, "/quotas")
    assert "Quotas are not read anywhere" in text
    assert "“Quotas: read” is switched off." in text
    AwsAccount.objects.update(capabilities=["quotas.read"])
    quotas.tick()
    assert "Being read" in page(admin, "/quotas")


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(account: AwsAccount, viewer: User) -> None:
    def make(count: int) -> None:
        Quota.objects.bulk_create(
            Quota(account=account, region=US, service_code="ec2", code=f"L-{number}", name=f"Quota {number}", kind="metric",
                  usage=number, default_value=100, pressure=number, rank=number, state="ok")
            for number in range(Quota.objects.count(), count)
        )  # fmt: skip

    counts = []
    for size in (2, 40):
        make(size)
        with CaptureQueriesContext(connection) as queries:
            page(viewer, "/quotas")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_reader_of_one_account_sees_its_quotas_alone(sonnet: Quota, stranger: User, api: Api) -> None:
    Grant.objects.create(user=stranger, account=sonnet.account, role=Role.VIEWER)
    assert api(stranger).get("/api/quotas?status=all").json()["count"] == Quota.objects.count()
