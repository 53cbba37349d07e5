"""The log says how a host was spoken to, also where no key tells it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.net.tests.listeners import Listener, Reply
from gateway.tests.conftest import Store

Api = Callable[..., APIClient]


@pytest.fixture
def sent(service: Listener, store: Store, ada: User, api: Api) -> Listener:
    """One answered over http, one that found no TLS where it asked for it, one with a key, and one without an address."""
    service.answer = lambda asked: Reply(302, {"Location": "https://127.0.0.1:1/elsewhere"})
    api(ada).post("/api/proxy", {"url": service.url(path="/plain")})
    api(ada).post("/api/proxy", {"url": service.url(scheme="https", path="/secure")})
    api(ada).post("/api/proxy", {"url": "/keyed", "api_key_id": store().pk})
    api(ada).post("/api/proxy", {"url": "gopher://example.com/"})
    return service


def test_the_api_and_the_file_tell_the_scheme(sent: Listener, ada: User, api: Api) -> None:
    told = {row["path"]: row["scheme"] for row in api(ada).get("/api/stats/request-logs").json()["results"]}
    assert told == {"/plain": "http", "/secure": "https", "/keyed": "http", "": ""}
    answer: Any = api(ada).get("/api/stats/request-logs/export")
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert {row["path"]: row["scheme"] for row in rows} == told


def test_the_page_shows_the_whole_address(sent: Listener, ada: User, client: Client) -> None:
    client.force_login(ada)
    html = client.get("/keys/statistics").content.decode()
    assert [f"{one}://127.0.0.1:{sent.port}/" in html for one in ("http", "https")] == [True, True]


def test_a_replay_from_the_log_speaks_as_the_request_did(service: Listener, ada: User, client: Client) -> None:
    client.force_login(ada)
    for scheme in ("http", "https"):
        client.post("/keys/console", {"method": "GET", "url": service.url(scheme=scheme, path=f"/{scheme}")})
    html = client.get("/keys/console").content.decode()
    for scheme in ("http", "https"):
        assert f"method=GET&amp;url={scheme}%3A//127.0.0.1%3A{service.port}/{scheme}" in html


def test_a_row_from_before_is_shown_without_one(ada: User, api: Api, client: Client) -> None:
    """Such a row names no scheme at all: the version before wrote it, perhaps while this one was rolled out."""
    before = MigrationLoader(connection).project_state([("gateway", "0006_unanswered_requests")]).apps
    row = {"at": clock.now(), "user_id": ada.pk, "via": "envelope", "method": "GET", "host": "before.example.com", "path": "/old"}
    before.get_model("gateway", "RequestLog").objects.create(**row, status=200)
    rows = {row["path"]: row["scheme"] for row in api(ada).get("/api/stats/request-logs").json()["results"]}
    assert rows["/old"] == ""
    client.force_login(ada)
    html = client.get("/keys/statistics").content.decode()
    assert "</strong> before.example.com/old" in html
