"""Limits as APIs tell them: kept after each answer, looked at before each request, shown to their owner alone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.net.tests.listeners import Listener, Reply
from gateway.models import ApiKey, RateSample, RateWindow
from gateway.selectors import rate_windows as selectors
from gateway.services import manual_windows, rate_windows
from gateway.services.manual_windows import WindowInput
from gateway.tests.conftest import Store

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
Api = Callable[..., APIClient]


def github(remaining: int, reset: datetime, limit: int = 60) -> list[tuple[str, str]]:
    return [
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(int(reset.timestamp()))),
        ("X-RateLimit-Resource", "core"),
    ]


@pytest.fixture
def key(store: Store) -> ApiKey:
    return store(preset="github")


def told(key: ApiKey, remaining: int, *, minutes: int = 10, at: datetime | None = None, status: int = 200) -> None:
    moment = at or clock.now()
    reset = moment + timedelta(minutes=minutes)
    rate_windows.observe(key, status, github(remaining, reset), moment, rate_windows.kept(key))


def test_a_request_through_the_proxy_leaves_what_is_left(store: Store, service: Listener, ada: User, api: Api) -> None:
    store(api_name="GitHub")
    reset = clock.now().replace(microsecond=0) + timedelta(minutes=5)
    service.answer = lambda asked: Reply(headers=dict(github(41, reset)))
    assert api(ada).get("/api/proxy/GitHub/user").status_code == 200
    found = api(ada).get("/api/rate-limits/github").json()
    assert (found["limit"], found["remaining"], found["unit"], found["policy"]) == (60, 41, "requests", "core")
    assert (found["dialect"], found["source"]) == ("github", "x-ratelimit-remaining")
    assert abs(datetime.fromisoformat(found["reset_at"]) - reset) <= timedelta(seconds=4)
    assert found["percentage"] == 68.3
    assert [one["policy"] for one in found["windows"]] == ["core"]
    assert api(ada).get("/api/rate-limits").json()["results"][0]["api_name"] == "GitHub"


def test_an_answer_that_failed_tells_its_limits_as_well(key: ApiKey) -> None:
    told(key, 0, status=403)
    assert RateWindow.objects.get().remaining == 0


def test_of_requests_that_began_together_the_newest_answer_counts(key: ApiKey) -> None:
    now = clock.now()
    before = rate_windows.kept(key)  # nothing yet, for each of them
    for remaining, after in ((49, 0), (47, 2), (48, 1)):
        at = now + timedelta(seconds=after)
        rate_windows.observe(key, 200, github(remaining, now + timedelta(minutes=10)), at, before)
    assert RateWindow.objects.get().remaining == 47


def test_an_older_answer_that_comes_late_changes_nothing(key: ApiKey) -> None:
    now = clock.now()
    told(key, 5, at=now)
    told(key, 50, at=now - timedelta(seconds=2))
    assert RateWindow.objects.get().remaining == 5


def test_two_keys_of_one_api_keep_their_own_limits(store: Store) -> None:
    first, second = store(api_name="one"), store(api_name="two")
    told(first, 1)
    told(second, 2)
    assert {row.key_id: row.remaining for row in RateWindow.objects.all()} == {first.pk: 1, second.pk: 2}


def test_a_window_past_its_reset_is_unknown_and_never_full(key: ApiKey, ada: User, api: Api, client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as travel:
        told(key, 7)
        travel.shift(601)
        assert api(ada).get("/api/rate-limits").json()["results"] == []
        assert api(ada).get("/api/rate-limits/svc").status_code == 404
        client.force_login(ada)
        page = client.get("/keys/limits").content.decode()
        assert "Not known any more" in page
        assert "100 %" not in page


def test_an_empty_window_warns_or_holds_as_its_key_says(store: Store, service: Listener, ada: User, api: Api) -> None:
    warned, held = store(api_name="warned"), store(api_name="held", when_empty="hold")
    for one in (warned, held):
        told(one, 0)
    assert api(ada).get("/api/proxy/warned/x").status_code == 200
    answer = api(ada).get("/api/proxy/held/x")
    assert answer.status_code == 503
    assert answer.json()["code"] == "limit_reached"
    assert 0 < int(answer["Retry-After"]) <= 601
    assert len(service.asked) == 1


def test_a_held_key_sends_again_after_the_reset(store: Store, service: Listener) -> None:
    held = store(when_empty="hold")
    with time_machine.travel(NOW, tick=False) as travel:
        told(held, 0)
        with pytest.raises(rate_windows.LimitReached) as refused:
            rate_windows.check(held, rate_windows.kept(held))
        assert refused.value.retry_after_s == 601
        travel.shift(601)
        assert rate_windows.check(held, rate_windows.kept(held)) is None


def test_refusals_without_a_word_wait_longer_each_time_until_one_is_answered(key: ApiKey) -> None:
    at = clock.now()

    def waits() -> float:
        rate_windows.observe(key, 429, [], at, rate_windows.kept(key))
        window = RateWindow.objects.get(policy="pause")
        assert window.reset_at is not None
        return (window.reset_at - at).total_seconds()

    assert [waits(), waits(), waits()] == [30, 60, 120]
    at += timedelta(seconds=500)
    rate_windows.observe(key, 200, [], at, rate_windows.kept(key))
    assert waits() == 30


def test_a_busy_key_leaves_few_samples(key: ApiKey) -> None:
    at = clock.now()
    for second in range(30):
        told(key, 59 - second, at=at + timedelta(seconds=second))
    told(key, 60, at=at + timedelta(seconds=31))
    told(key, 0, at=at + timedelta(seconds=32))
    assert [one.remaining for one in RateSample.objects.all()] == [59, 49, 39, 60, 0]


def test_what_runs_out_first_stands_first(store: Store, ada: User) -> None:
    for name, left in (("plenty", 59), ("empty", 0), ("little", 3)):
        told(store(api_name=name), left)
    assert [one.window.key.api_name for one in selectors.gauges(ada)] == ["empty", "little", "plenty"]


def test_a_window_that_runs_out_at_its_pace_says_when(key: ApiKey, ada: User) -> None:
    with time_machine.travel(NOW, tick=False):
        for seconds, left in ((-60, 50), (-30, 30), (0, 10)):
            told(key, left, at=NOW + timedelta(seconds=seconds))
        (gauge,) = selectors.gauges(ada)
        assert gauge.runs_out_at == NOW + timedelta(seconds=15)


def test_reading_the_limits_takes_as_many_queries_for_forty_as_for_two(store: Store, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            selectors.gauges(ada)
        return len(caught)

    keys = [store(api_name=f"api-{number}") for number in range(2)]
    for one in keys:
        told(one, 3)
    few = queries()
    for number in range(2, 40):
        told(store(api_name=f"api-{number}"), 3)
    assert queries() == few


# --- by hand


def test_a_limit_kept_by_hand_is_used_up_by_requests_and_fills_up_again(
    store: Store, service: Listener, ada: User, api: Api
) -> None:
    store()
    with time_machine.travel(NOW, tick=False) as travel:
        made = api(ada).put("/api/rate-limits/svc", {"limit": 2, "window": 60})
        assert (made.status_code, made.json()["manual"], made.json()["remaining"]) == (200, True, 2)
        for _ in range(3):
            assert api(ada).get("/api/proxy/svc/x").status_code == 200
        assert api(ada).get("/api/rate-limits/svc").json()["remaining"] == 0
        travel.shift(61)
        api(ada).get("/api/proxy/svc/x")
        found = api(ada).get("/api/rate-limits/svc").json()
        assert (found["remaining"], found["reset_at"]) == (1, "2026-11-28T12:02:00Z")


def test_a_limit_kept_by_hand_fills_up_without_a_request(key: ApiKey, ada: User) -> None:
    with time_machine.travel(NOW, tick=False) as travel:
        manual_windows.put(key=key, given=WindowInput(limit=5, remaining=0, seconds=60), by=ada)
        travel.shift(200)
        rate_windows.tend()
        window = RateWindow.objects.get()
        assert (window.remaining, window.reset_at) == (5, NOW + timedelta(seconds=240))


def test_a_limit_kept_by_hand_lives_beside_what_the_api_tells(key: ApiKey, ada: User, api: Api) -> None:
    told(key, 7)
    made = api(ada).post("/api/rate-limits", {"api_name": "SVC", "limit": 1000, "remaining": 900, "policy": "month"})
    assert (made.status_code, made.json()["manual"], made.json()["source"]) == (201, True, "manual")
    again = api(ada).post("/api/rate-limits", {"api_name": "svc", "limit": 1000, "policy": "month"})
    assert (again.status_code, again.json()["code"]) == (409, "rate_limit_exists")
    windows = api(ada).get("/api/rate-limits/svc").json()["windows"]
    assert [(one["policy"], one["manual"]) for one in windows] == [("core", False), ("month", True)]
    other = api(ada).post("/api/rate-limits", {"api_name": "svc", "limit": 5, "policy": "minute"}).json()["id"]
    for query, status in ((f"?id={other}", 204), (f"?id={other}", 404), ("?id=x", 400)):
        assert api(ada).delete(f"/api/rate-limits/svc{query}").status_code == status
    assert RateWindow.objects.count() == 2
    assert api(ada).delete("/api/rate-limits/svc").status_code == 204
    assert not RateWindow.objects.exists()
    assert list(AuditEvent.objects.filter(action__startswith="rate_limit").values_list("action", flat=True)) == [
        "rate_limit.forgotten",
        "rate_limit.removed",
        "rate_limit.set",
        "rate_limit.set",
    ]


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": 5, "remaining": 6}, "remaining"),
        ({"limit": 5, "reset_at": "2020-01-01T00:00:00Z"}, "reset_at"),
        ({"limit": 5, "window": 0}, "window"),
        ({"limit": 5, "unit": "apples"}, "unit"),
        ({"limit": 2**63}, "limit"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(key: ApiKey, ada: User, api: Api, body: dict[str, Any], attr: str) -> None:
    answer = api(ada).put("/api/rate-limits/svc", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr


def test_nobody_else_sees_changes_or_infers_a_limit(key: ApiKey, make_user: Callable[..., User], admin: User, api: Api) -> None:
    told(key, 7)
    bob = make_user("bob")
    for other in (bob, admin):
        assert api(other).get("/api/rate-limits").json()["results"] == []
        for call in (api(other).get, api(other).delete):
            assert call("/api/rate-limits/svc").status_code == 404
            assert call("/api/rate-limits/svc").json()["code"] == call("/api/rate-limits/none").json()["code"]
        assert api(other).put("/api/rate-limits/svc", {"limit": 1}).status_code == 404
    assert RateWindow.objects.get().remaining == 7


# --- pages


def test_the_page_shows_gauges_and_keeps_limits_by_hand(key: ApiKey, ada: User, client: Client) -> None:
    client.force_login(ada)
    told(key, 3)
    page = client.get("/keys/limits").content.decode()
    assert "core" in page
    assert 'value="5"' in page  # of a hundred
    form = {
        "key": key.pk,
        "limit": "1000",
        "remaining": "",
        "unit": "credits",
        "seconds": "86400",
        "reset_at": "",
        "policy": "plan",
    }
    assert client.post("/keys/limits/by-hand", form).status_code == 302
    window = RateWindow.objects.get(is_manual=True)
    assert (window.limit, window.remaining, window.seconds) == (1000, 1000, 86_400)
    assert "By hand" in client.get("/keys/limits").content.decode()
    assert 'value="1000"' in client.get(f"/keys/limits/by-hand/{window.pk}").content.decode()
    assert client.post("/keys/limits/by-hand", {**form, "remaining": "2000"}).status_code == 400
    gone = client.post(f"/keys/limits/forget/{window.pk}", follow=True).content.decode()
    assert not RateWindow.objects.filter(is_manual=True).exists()
    found = re.search(r'href="([^"]+)">Keep it again', gone)
    assert found is not None
    again = client.get(html.unescape(found[1])).content.decode()
    for words in ('value="1000"', 'value="plan"', '<option value="86400" selected>', '<option value="credits" selected>'):
        assert words in again, words


def test_a_limit_kept_by_hand_is_edited_in_its_place(key: ApiKey, ada: User, api: Api, client: Client) -> None:
    client.force_login(ada)
    told(key, 3)
    odd = api(ada).post("/api/rate-limits", {"api_name": "svc", "limit": 10, "policy": "old", "window": 5400}).json()["id"]
    api(ada).post("/api/rate-limits", {"api_name": "svc", "limit": 10, "policy": "other"})
    form = client.get(f"/keys/limits/by-hand/{odd}").context["form"]
    posted = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert posted["seconds"] == 5400
    posted["reset_at"] = posted["reset_at"].isoformat(timespec="seconds")[:19]
    assert client.post(f"/keys/limits/by-hand/{odd}", {**posted, "policy": "new", "limit": 20}).status_code == 302
    window = RateWindow.objects.get(pk=odd)
    assert (window.policy, window.limit, window.remaining, window.seconds) == ("new", 20, 10, 5400)
    assert RateWindow.objects.filter(is_manual=True).count() == 2
    refused = client.post(f"/keys/limits/by-hand/{odd}", {**posted, "policy": "other"})
    assert (refused.status_code, "another limit of this name" in refused.content.decode()) == (409, True)
    of_the_api = RateWindow.objects.get(is_manual=False).pk
    assert client.get(f"/keys/limits/by-hand/{of_the_api}").status_code == 404


def test_the_page_says_what_to_do_where_nothing_is_known(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert "No key yet" in client.get("/keys/limits").content.decode()


def test_what_was_not_told_for_a_week_is_forgotten(key: ApiKey) -> None:
    told(key, 3, at=clock.now() - timedelta(days=8))
    rate_windows.tend()
    assert not RateWindow.objects.exists()
    assert not RateSample.objects.exists()
