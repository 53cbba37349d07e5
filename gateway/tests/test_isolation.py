"""A key of somebody else: told apart from one that does not exist by nothing, for anybody, admins included."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from gateway.models import ApiKey, RequestLog
from gateway.services import manual_windows
from gateway.services.manual_windows import WindowInput
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]
NOTHING = 987_654
KEY = {"api_name": "new", "api_key": SECRET, "base_url": "https://api.example.com"}
CALLS: list[tuple[str, str, Any]] = [
    ("get", "/api/keys/{key}", None),
    ("put", "/api/keys/{key}", KEY),
    ("patch", "/api/keys/{key}", {"description": "x"}),
    ("delete", "/api/keys/{key}", None),
    ("post", "/api/keys/{key}/rotate", {"api_key": SECRET}),
    ("post", "/api/keys/{key}/undo-rotation", {}),
    ("post", "/api/keys/{key}/retire", {}),
    ("post", "/api/keys/{key}/test", {}),
    ("get", "/api/keys/{key}/captured/{log}", None),
    ("post", "/api/proxy", {"url": "/", "api_key_id": "{key}"}),
    ("get", "/api/proxy/{name}/x", None),
    ("post", "/api/proxy/{name}/x", {"a": 1}),
    ("get", "/api/rate-limits/{name}", None),
    ("put", "/api/rate-limits/{name}", {"limit": 1}),
    ("delete", "/api/rate-limits/{name}", None),
    ("delete", "/api/rate-limits/{name}?id={window}", None),
    ("post", "/api/rate-limits", {"api_name": "{name}", "limit": 1}),
    ("get", "/api/stats/request-logs?api_key_id={key}", None),
    ("get", "/api/stats/request-logs?api_name={name}", None),
    ("get", "/api/keys?search={name}", None),
]
PAGES = [
    "/keys/{key}",
    "/keys/{key}/edit",
    "/keys/{key}/rotate",
    "/keys/{key}/delete",
    "/keys/{key}/captured/{log}",
    "/keys/limits/by-hand/{window}",
    "/keys/limits/by-hand?key={key}",
    "/keys/console?key={key}",
    "/keys/statistics?key={key}",
    "/keys?q={name}",
]


@pytest.fixture
def theirs(store: Store, ada: User, api: Api) -> dict[str, Any]:
    """Everything that Ada has, by its placeholder; its name is none that a page says by itself."""
    key = store(api_name="zq-ledger", test_path="/user")
    assert api(ada).post(f"/api/keys/{key.pk}/test").status_code == 200
    window = manual_windows.put(key=key, given=WindowInput(limit=7654), by=ada)
    return {"key": key.pk, "name": key.api_name, "log": RequestLog.objects.get().pk, "window": window.pk}


@pytest.fixture(params=["operator", "admin"])
def other(request: pytest.FixtureRequest, make_user: Callable[..., User], admin: User) -> User:
    return admin if request.param == "admin" else make_user("bob")


def _said(text: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_the_api_answers_as_if_there_were_none(
    method: str, path: str, body: Any, theirs: dict[str, Any], other: User, api: Api
) -> None:
    missing: dict[str, Any] = {"key": NOTHING, "name": "zq-absent", "log": NOTHING, "window": NOTHING}
    client = api(other)

    def asked(values: dict[str, Any]) -> tuple[int, str, int]:
        given = None if body is None else {name: _said(str(one), values) for name, one in body.items()}
        with CaptureQueriesContext(connection) as caught:
            answer = (
                getattr(client, method)(_said(path, values), given) if given else getattr(client, method)(_said(path, values))
            )
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = re.sub(r'"request_id":"[^"]*"', "", content.decode()).replace(str(values["name"]), "{name}")
        return answer.status_code, text, len(caught)

    asked(missing)  # what a first request of a session alone does
    absent, present = asked(missing), asked(theirs)
    assert present[:2] == absent[:2]
    assert present[2] == absent[2], "as many questions to the database, and so no other time"
    assert ApiKey.objects.filter(pk=theirs["key"], description="").exists()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_tells_of_one(path: str, theirs: dict[str, Any], other: User, client: Client) -> None:
    client.force_login(other)
    answer = client.get(_said(path, theirs))
    text = answer.content.decode()
    asked_for = text.count(str(theirs["name"])) if "{name}" in path else 0
    assert text.count(str(theirs["name"])) == asked_for
    assert "7,654" not in text
    absent = client.get(_said(path, {"key": NOTHING, "name": "zq-absent", "log": NOTHING, "window": NOTHING}))
    assert answer.status_code == absent.status_code


def test_the_same_name_and_the_same_secret_tell_nothing(theirs: dict[str, Any], other: User, api: Api, client: Client) -> None:
    found = api(other).post("/api/keys/import", {"text": f"ZQ_LEDGER_KEY={SECRET}"})
    assert found.status_code == 200
    assert [one["verdict"] for one in found.json()] == ["new"]
    made = api(other).post("/api/keys", {**KEY, "api_name": theirs["name"]})
    assert made.status_code == 201
    client.force_login(other)
    assert "same" not in client.get(f"/keys/{made.json()['id']}").content.decode().partition("<main")[2].lower()


def test_lists_statistics_limits_and_the_admin_hold_nothing_of_it(
    theirs: dict[str, Any], admin: User, api: Api, client: Client
) -> None:
    for path in ("/api/keys", "/api/rate-limits", "/api/stats", "/api/stats/request-logs"):
        assert str(theirs["name"]) not in api(admin).get(path).content.decode(), path
    client.force_login(admin)
    places = ("apikey", "requestlog", "ratewindow")
    for path in ("/keys", "/keys/limits", "/keys/console", "/keys/statistics", *(f"/admin/gateway/{one}/" for one in places)):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert str(theirs["name"]) not in answer.content.decode(), path
    for place, row in zip(places, (theirs["key"], theirs["log"], theirs["window"]), strict=True):
        assert client.get(f"/admin/gateway/{place}/{row}/change/").status_code == 302, place
