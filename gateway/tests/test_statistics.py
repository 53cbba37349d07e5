"""What requests came to, for who sent them; and the log of them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from math import ceil
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from gateway.models import ApiKey, DaySum, RequestLog, Via
from gateway.rules.latency import latency, packed, together
from gateway.selectors import statistics as selectors
from gateway.selectors.statistics import LogFilter
from gateway.services import day_sums, ticks
from gateway.tests.conftest import SECRET, Store

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
Api = Callable[..., APIClient]


def log(user: User, key: ApiKey | None = None, **fields: Any) -> RequestLog:
    usual: dict[str, Any] = {
        "at": NOW,
        "via": Via.STREAM,
        "method": "GET",
        "host": "api.example.com",
        "path": "/v1/things",
        "status": 200,
        "duration_ms": 10,
        "request_bytes": 1,
        "response_bytes": 100,
    }
    return RequestLog.objects.create(user=user, key=key, api_name=key.api_name if key else "", **{**usual, **fields})


@pytest.fixture(autouse=True)
def _today() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def filled(store: Store, ada: User) -> ApiKey:
    """Ten requests with a key (seven fine, two refused, one unanswered), one without, and one that is too old."""
    key = store()
    for number in range(7):
        log(ada, key, duration_ms=10 * (number + 1), at=NOW - timedelta(days=number % 2))
    log(ada, key, status=404, duration_ms=80)
    log(ada, key, status=500, duration_ms=900, via=Via.CONSOLE)
    log(ada, key, status=None, error="no_answer", duration_ms=60_000, response_bytes=0)
    log(ada, None, method="POST", host="other.example")
    log(ada, key, at=NOW - timedelta(days=30))
    return key


def test_the_statistics_of_a_month(filled: ApiKey, ada: User, api: Api) -> None:
    found = api(ada).get("/api/stats").json()
    assert (found["total_api_keys"], found["api_calls"], found["succeeded"], found["failed"], found["unanswered"]) == (
        1,
        11,
        8,
        3,
        1,
    )
    assert found["success_rate"] == 72.73
    assert found["average_latency_ms"] == 127.0  # (280 + 80 + 900 + 10) / 10 that were answered
    assert (found["p50_latency_ms"], found["p95_latency_ms"]) == (40, 900)
    assert found["causes"] == {"no_answer": 1, "status_404": 1, "status_500": 1}
    assert found["response_bytes"] == 1000
    assert [(one["api_name"], one["api_calls"], one["p95_latency_ms"]) for one in found["by_key"]] == [
        ("svc", 10, 900),
        ("", 1, 10),
    ]
    assert [(one["host"], one["name"], one["api_calls"], one["failed"]) for one in found["by_api"]] == [
        ("api.example.com", "", 10, 3),
        ("other.example", "", 1, 0),
    ]
    assert [(one["day"], one["api_calls"]) for one in found["by_day"][-2:]] == [("2026-11-27", 3), ("2026-11-28", 8)]
    assert len(found["by_day"]) == 30
    assert found["by_user"] == []
    assert found["rate_limits"] == {}


def test_an_api_is_its_host_whatever_key_was_used(store: Store, ada: User, api: Api, client: Client) -> None:
    for key in (store(api_name="mine"), store(api_name="robot", api_key="another-secret-0123456789")):
        log(ada, key, host="api.github.com")
    log(ada, None, host="api.github.com:8443", status=503)
    found = api(ada).get("/api/stats").json()
    assert [(one["host"], one["name"], one["api_calls"], one["success_rate"]) for one in found["by_api"]] == [
        ("api.github.com", "GitHub", 2, 100.0),
        ("api.github.com:8443", "GitHub", 1, 0.0),
    ]
    assert [(one["api_name"], one["api_calls"]) for one in found["by_key"]] == [("", 1), ("mine", 1), ("robot", 1)]
    assert len(api(ada).get("/api/stats/request-logs?host=API.github.com").json()["results"]) == 2
    client.force_login(ada)
    assert 'href="?host=api.github.com"' in client.get("/keys/statistics").content.decode()
    narrowed = client.get("/keys/statistics?host=api.github.com:8443").context["found"]
    assert (narrowed.total.calls, narrowed.total.failed) == (1, 1)


def test_the_span_can_be_chosen(filled: ApiKey, ada: User, api: Api) -> None:
    assert api(ada).get("/api/stats?days=1").json()["api_calls"] == 8
    assert api(ada).get("/api/stats?days=31").json()["api_calls"] == 12
    for wrong in ("0", "367", "x"):
        assert api(ada).get(f"/api/stats?days={wrong}").status_code == 400


def test_nothing_sent_is_no_rate_of_zero(ada: User, api: Api) -> None:
    found = api(ada).get("/api/stats").json()
    assert (found["api_calls"], found["success_rate"], found["average_latency_ms"]) == (0, None, None)


def test_the_log_is_read_by_a_cursor_and_filters(filled: ApiKey, ada: User, api: Api) -> None:
    first = api(ada).get("/api/stats/request-logs?days=30&page_size=6").json()
    second = api(ada).get(first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (6, 5, None)
    assert len({one["id"] for one in (*first["results"], *second["results"])}) == 11
    for query, count in (
        ("outcome=failed", 3),
        ("outcome=ok", 8),
        ("outcome=unanswered", 1),
        ("outcome=4xx", 1),
        ("method=POST", 1),
        (f"api_key_id={filled.pk}", 10),
        ("api_name=SVC", 10),
        ("via=console", 1),
        ("days=1", 8),
    ):
        assert len(api(ada).get(f"/api/stats/request-logs?{query}").json()["results"]) == count, query
    assert api(ada).get("/api/stats/request-logs?outcome=9xx").status_code == 400
    assert api(ada).get(f"/api/stats/request-logs?api_key_id={10**30}").status_code == 400


def test_the_log_goes_out_as_csv_just_as_it_is_shown(filled: ApiKey, ada: User, admin: User, api: Api, client: Client) -> None:
    log(ada, None, path="=cmd()", host="zq.example")

    def lines(user: User, path: str) -> list[list[str]]:
        answer: Any = api(user).get(path)
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))

    client.force_login(ada)
    page = client.get("/keys/statistics?host=zq.example").content.decode()
    shown = re.search(r'href="(/api/stats/request-logs/export[^"]*)"', page)
    assert shown is not None
    head, row = lines(ada, unescape(shown[1]))
    assert (row[head.index("host")], row[head.index("path")]) == ("zq.example", "'=cmd()")
    failed = client.get(f"/keys/statistics?key={filled.pk}&outcome=failed").context["export"]
    assert len(lines(ada, failed)) == 1 + 3
    assert len(lines(admin, failed)) == 1  # the log of somebody else
    assert api(ada).get("/api/stats/request-logs/export?outcome=x").status_code == 400


def test_no_row_of_the_log_tells_more_than_it_may(filled: ApiKey, ada: User, api: Api) -> None:
    row = api(ada).get("/api/stats/request-logs").json()["results"][0]
    assert not {"headers", "body", "query"} & set(row)
    assert "?" not in row["path"]


def test_others_see_nothing_and_an_admin_sees_counts(
    filled: ApiKey, make_user: Callable[..., User], admin: User, api: Api
) -> None:
    bob = make_user("bob")
    for other in (bob, admin):
        assert api(other).get("/api/stats").json()["api_calls"] == 0
        assert api(other).get("/api/stats/request-logs").json()["results"] == []
        assert api(other).get(f"/api/stats/request-logs?api_key_id={filled.pk}").json()["results"] == []
    assert api(bob).get("/api/stats").json()["by_user"] == []
    (everybody,) = api(admin).get("/api/stats").json()["by_user"]
    assert (everybody["username"], everybody["api_calls"], everybody["failed"]) == ("ada", 11, 3)
    assert SECRET not in str(everybody)


def test_the_page_shows_figures_days_and_the_log(filled: ApiKey, ada: User, client: Client) -> None:
    client.force_login(ada)
    html = client.get("/keys/statistics").content.decode()
    for words in (
        "72.7",
        "p95 900 ms",
        "Calls by day",
        "Without a key",
        "api.example.com/v1/things",
        "Status 404",
        "No answer came",
    ):
        assert words in html, words
    assert "other.example" not in client.get(f"/keys/statistics?key={filled.pk}").content.decode()
    assert client.get("/keys/statistics?key=999&outcome=x&days=y&before=z").status_code == 200


def test_the_page_of_the_log_goes_back_and_forth(ada: User, client: Client) -> None:
    for number in range(120):
        log(ada, at=NOW - timedelta(seconds=number // 2))  # two at the same moment
    client.force_login(ada)
    seen: list[int] = []
    context = client.get("/keys/statistics").context
    for _ in range(3):
        seen += [one.pk for one in context["logs"]]
        older = context["older"]
        if older:
            context = client.get(f"/keys/statistics{older}").context
    assert len(seen) == len(set(seen)) == 120
    assert older == ""
    back = client.get(f"/keys/statistics{context['newer']}").context["logs"]
    assert [one.pk for one in back] == seen[50:100]


def test_an_admin_sees_what_each_person_sent(filled: ApiKey, ada: User, admin: User, client: Client) -> None:
    client.force_login(admin)
    assert "/keys/statistics/people?days=7" in client.get("/keys/statistics?days=7").content.decode()
    html = client.get("/keys/statistics/people?days=x").content.decode()
    for words in (">ada<", "72.7 %", "127 ms", "900 ms"):
        assert words in html, words
    client.force_login(ada)
    assert "people?days" not in client.get("/keys/statistics").content.decode()
    assert client.get("/keys/statistics/people").status_code == 403


def test_the_page_says_what_to_do_where_nothing_was_sent(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert "No request yet" in client.get("/keys/statistics").content.decode()


def test_statistics_take_as_many_queries_for_a_thousand_rows_as_for_two(store: Store, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            selectors.of(ada)
        return len(caught)

    key = store()
    log(ada, key)
    few = queries()
    rows = [
        RequestLog(user=ada, key=key, api_name="svc", at=NOW, via=Via.STREAM, method="GET", status=200, duration_ms=n % 90)
        for n in range(1000)
    ]
    RequestLog.objects.bulk_create(rows)
    assert queries() == few


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=60))
def test_latency_is_exact(durations: list[int]) -> None:
    middle = len(durations) // 2
    found = latency(together(packed(Counter(part)) for part in (durations[:middle], durations[middle:])))
    assert found is not None
    ordered = sorted(durations)
    assert found.p50_ms == ordered[ceil(len(ordered) / 2) - 1]
    assert found.p95_ms == ordered[ceil(len(ordered) * 95 / 100) - 1]
    assert abs(found.mean_ms - sum(durations) / len(durations)) <= 0.0501


def test_a_summed_day_tells_what_its_rows_told(filled: ApiKey, ada: User, admin: User, make_user: Callable[..., User]) -> None:
    log(make_user("bob"), duration_ms=5, at=NOW - timedelta(days=1))
    for wanted in (
        LogFilter(),
        LogFilter(days=2),
        LogFilter(key=filled.pk),
        LogFilter(host="other.example"),
        LogFilter(outcome="failed"),
        LogFilter(outcome="4xx"),
        LogFilter(method="POST"),
        LogFilter(via="console"),
    ):
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            before, people = selectors.of(ada, wanted), selectors.of_people(admin, wanted.days)
            with transaction.atomic():
                assert day_sums.sum_up(NOW + timedelta(days=1)) == 31
                RequestLog.objects.filter(at__lt=NOW + timedelta(hours=12)).delete()
                assert selectors.of(ada, wanted) == before
                assert selectors.of_people(admin, wanted.days) == people
                assert before.total.calls
                transaction.set_rollback(True)


def test_a_day_is_summed_once_and_not_before_its_last_request_is_over(filled: ApiKey, ada: User) -> None:
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    assert day_sums.sum_up(midnight + timedelta(minutes=30)) == 30  # up to the day before
    before = selectors.of(ada).total
    assert day_sums.sum_up(midnight + timedelta(minutes=61)) == 1
    assert day_sums.sum_up(midnight + timedelta(minutes=61)) == 0
    assert selectors.of(ada).total == before
    log(ada, filled, at=midnight)
    with time_machine.travel(midnight + timedelta(hours=2), tick=False):
        assert selectors.of(ada, LogFilter(days=31)).total.calls == before.calls + 1


def test_sums_go_with_the_log(filled: ApiKey, ada: User, settings: Any) -> None:
    settings.REQUEST_LOG_RETENTION_DAYS = 7
    with time_machine.travel(NOW + timedelta(days=20), tick=False):
        ticks.forget_requests()
        assert selectors.of(ada, LogFilter(days=366)).total.calls == 0
    assert (RequestLog.objects.count(), DaySum.objects.count()) == (0, 0)
