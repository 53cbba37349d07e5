"""What a key may be used for at most: counted before anything leaves, by one statement, whoever else does so."""

from __future__ import annotations

import socket
from collections.abc import Callable

from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.net.tests.listeners import Listener, Reply
from gateway.models import KeyBudget, RequestLog
from gateway.services import proxying
from gateway.tests.conftest import Store

Api = Callable[..., APIClient]


def test_a_budget_ends_and_says_when_it_begins_again(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(requests_per_minute=2, requests_per_day=100)
    statuses = [api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).status_code for _ in range(2)]
    over = api(ada).get("/api/proxy/svc/x")
    assert (statuses, over.status_code, over.json()["code"]) == ([200, 200], 429, "budget_used_up")
    assert 1 <= int(over.headers["Retry-After"]) <= 60
    assert len(service.asked) == 2
    assert RequestLog.objects.first().error == "budget_used_up"  # type: ignore[union-attr]


def test_a_request_that_never_left_is_given_back(store: Store, ada: User, api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    key = store(base_url=f"http://127.0.0.1:{port}", requests_per_day=5)
    assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).status_code == 502
    assert KeyBudget.objects.get(key=key).day_requests == 0


def test_bytes_are_counted_both_ways_and_never_more_than_allowed(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(bytes_per_day=3000)
    service.answer = lambda asked: Reply(body=b"x" * 1000)
    first = api(ada).post("/api/proxy", {"url": "/", "method": "POST", "body": "y" * 500, "api_key_id": key.pk})
    assert (first.status_code, KeyBudget.objects.get(key=key).day_bytes) == (200, 1500)
    service.answer = lambda asked: Reply(body=b"x" * 2000)
    over = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (over.status_code, over.json()["code"]) == (429, "budget_used_up")
    assert KeyBudget.objects.get(key=key).day_bytes <= 3000


def test_fifty_requests_at_once_get_as_many_as_there_are(
    threads: Callable[..., None], store: Store, service: Listener, ada: User
) -> None:
    key = store(requests_per_minute=20, requests_per_day=20)
    outcomes: list[str] = []

    def send() -> None:
        try:
            proxying.send(call=proxying.Call("GET", "/"), key=key, by=ada)
            outcomes.append("sent")
        except CloudconsoleError as error:
            outcomes.append(error.code)

    threads(*[send] * 50)
    assert (outcomes.count("sent"), outcomes.count("budget_used_up"), len(service.asked)) == (20, 30, 20)
    assert KeyBudget.objects.get(key=key).day_requests == 20
