"""The request console: what a person sends from a page, and what of it is shown, kept and taken along."""

from __future__ import annotations

import json
import re
import socket
from html import unescape
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, Reply
from gateway.models import ApiKey, RequestLog, Via
from gateway.rules import console
from gateway.rules.console import NotHeaders
from gateway.rules.json_layout import laid_out
from gateway.tests.conftest import SECRET, Store

HTMX = {"HX-Request": "true"}


@pytest.fixture
def key(store: Store) -> ApiKey:
    return store(api_name="svc")


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def form(key: ApiKey | None = None, **fields: str) -> dict[str, str]:
    return {"key": str(key.pk) if key else "", "method": "GET", "url": "/v1/things?page=2", "headers": "", "body": "", **fields}


def test_a_request_is_sent_with_the_key_and_its_answer_shown(page: Client, key: ApiKey, service: Listener) -> None:
    service.answer = lambda asked: Reply(201, {"Content-Type": "application/json", "X-Note": "hi"}, b'{"a":[1.10,2]}')
    sent = form(key, method="POST", headers="X-Mine: yes\n# not this: one", body='{"b": 1}')
    answer = page.post("/keys/console", sent, headers=HTMX).content.decode()
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/things?page=2", b'{"b": 1}')
    assert (asked.headers["Authorization"], asked.headers["X-Mine"]) == (f"Bearer {SECRET}", "yes")
    assert "201 Created" in answer
    assert "X-Note" in answer
    assert "1.10" in answer  # as it was written
    assert SECRET not in answer
    log = RequestLog.objects.get()
    assert (log.via, log.path, log.status) == (Via.CONSOLE, "/v1/things", 201)


def test_what_comes_back_is_text_and_never_html(page: Client, key: ApiKey, service: Listener) -> None:
    hostile = b"<script>alert(1)</script><img src=x onerror=alert(1)>"
    service.answer = lambda asked: Reply(200, {"Content-Type": "text/html", "X-Html": "<b>bold</b>"}, hostile)
    answer = page.post("/keys/console", form(key)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer
    assert "<script>alert(1)" not in answer
    assert "<img src=x" not in answer
    assert "<b>bold" not in answer


def test_bytes_that_are_no_text_are_named_and_not_shown(page: Client, key: ApiKey, service: Listener) -> None:
    service.answer = lambda asked: Reply(200, {"Content-Type": "image/png"}, b"\x89PNG\xff\xfe\x00")
    assert "The body is no text" in page.post("/keys/console", form(key)).content.decode()


def test_a_refused_address_says_so_in_the_place_of_the_answer(page: Client, service: Listener) -> None:
    sent = form(url="http://169.254.169.254/latest/meta-data")
    assert page.post("/keys/console", sent).status_code in (400, 403)
    part = page.post("/keys/console", sent, headers=HTMX)
    assert part.status_code == 200
    assert 'role="alert"' in part.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "/path"}, "whole address"),
        ({"url": "https://a.example", "headers": "no header"}, "is no header"),
        ({"url": "https://a.example", "headers": "X-Price: 5 €"}, "“X-Price” holds characters"),
        ({"url": "https://a.example/a b"}, "%20"),
        ({"url": "https://a.example/é"}, "%C3%A9"),
        ({"url": "https://a.example", "method": "BREW"}, "BREW"),
    ],
)
def test_what_cannot_be_sent_is_said_before_it_is(page: Client, service: Listener, fields: dict[str, Any], words: str) -> None:
    answer = page.post("/keys/console", form(**fields))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert service.asked == []


def test_a_path_without_its_slash_is_no_refused_address(page: Client, key: ApiKey, service: Listener) -> None:
    answer = page.post("/keys/console", form(key, url="user"))
    assert (answer.status_code, "A path begins with “/”" in answer.content.decode()) == (400, True)
    assert page.post("/keys/console", form(key, url="")).status_code == 200
    assert [asked.path for asked in service.asked] == ["/"]


@pytest.mark.parametrize("url", ["//[x", "http://[x", "x[y"])
def test_an_address_that_cannot_be_read_is_neither_sent_nor_written(
    page: Client, key: ApiKey, service: Listener, url: str
) -> None:
    for address in ("/keys/console", "/keys/console/code"):
        assert page.post(address, form(key, url=url)).status_code == 400
    assert service.asked == []


def test_the_key_of_somebody_else_cannot_be_chosen(client: Client, key: ApiKey, admin: User, service: Listener) -> None:
    client.force_login(admin)
    assert client.post("/keys/console", form(key)).status_code == 400
    assert key.base_url not in client.get(f"/keys/console?key={key.pk}").content.decode()
    assert service.asked == []


def sent_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="sent-request" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def test_a_replay_holds_what_was_sent_without_credentials(page: Client, key: ApiKey) -> None:
    headers = "Authorization: Bearer typed-by-hand\nX-Api-Key: typed-too\nAccept: text/plain"
    sent = form(key, url="/x?token=typed-as-well&page=2", headers=headers)
    kept = sent_of(page.post("/keys/console", sent).content.decode())
    assert (kept["url"], kept["headers"], kept["key_name"]) == ("/x?page=2", "Accept: text/plain", "svc")
    assert "typed" not in json.dumps(kept)


def test_what_failed_can_be_sent_again_too(page: Client, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"http://127.0.0.1:{server.getsockname()[1]}"
    key = store(base_url=gone)
    sent = form(key, method="PUT", url="/v1/things?page=2&token=typed", headers="Accept: text/plain", body="a=1")
    for headers in ({}, HTMX):
        html = page.post("/keys/console", sent, headers=headers).content.decode()
        kept = sent_of(html)
        assert (kept["method"], kept["url"], kept["headers"]) == ("PUT", "/v1/things?page=2", "Accept: text/plain")
        assert (kept["body"], kept["key"], kept["status"]) == ("a=1", key.pk, None)
    refused = sent_of(page.post("/keys/console", form(url="http://169.254.169.254/latest")).content.decode())
    assert (refused["url"], refused["status"]) == ("http://169.254.169.254/latest", None)
    listed = page.get("/keys/console").content.decode()
    assert f"method=PUT&amp;url=http%3A//127.0.0.1%3A{gone.rpartition(':')[2]}/v1/things" in listed
    assert RequestLog.objects.filter(via=Via.CONSOLE, status=None).count() == 3


def test_a_pasted_command_finds_its_key_and_loses_its_secret(page: Client, key: ApiKey) -> None:
    command = f"curl '{key.base_url}/v1/things' -H 'Authorization: Bearer {SECRET}' -H 'Accept: text/plain' --data-raw 'a=1'"
    html = page.post("/keys/console/curl", {"curl": command}).content.decode()
    assert f'<option value="{key.pk}" selected>' in html
    assert 'value="/v1/things"' in html
    assert '<option value="POST" selected>' in html
    assert "Left out" in html
    assert SECRET not in html


def test_a_command_that_is_none_is_refused_with_a_reason(page: Client) -> None:
    answer = page.post("/keys/console/curl", {"curl": "wget https://a.example"})
    assert answer.status_code == 400
    assert "does not begin with" in answer.content.decode()


def test_code_calls_the_proxy_by_the_name_of_the_key(page: Client, key: ApiKey) -> None:
    html = page.post("/keys/console/code", form(key, url=f"{key.base_url}/v1/things"), headers=HTMX).content.decode()
    assert "/api/proxy/svc/v1/things" in html
    assert "CLOUDCONSOLE_TOKEN" in html
    assert SECRET not in html
    without = page.post("/keys/console/code", form(url="https://a.example/x"), headers=HTMX).content.decode()
    assert "https://a.example/x" in without
    assert "/api/proxy" in without


def test_the_address_fills_in_the_form(page: Client, store: Store) -> None:
    key = store(api_name="gh", preset="github", test_path="/user")
    html = page.get(f"/keys/console?key={key.pk}").content.decode()
    assert 'value="/user"' in html
    assert "application/vnd.github+json" in html


def test_what_was_sent_before_can_be_opened_from_the_log(page: Client, key: ApiKey) -> None:
    page.post("/keys/console", form(key))
    html = page.get("/keys/console").content.decode()
    assert "From the log" in html
    found = re.search(r'href="(/keys/console\?key=[^"]+)"', html)
    assert found is not None
    again = page.get(unescape(found[1])).context["form"]
    assert again["url"].value() == f"{key.base_url}/v1/things"  # by the scheme that its key is bound to
    assert page.post("/keys/console", form(key, url=again["url"].value())).status_code == 200
    assert "page=2" not in html  # the log knows no query


# --- rules

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_laying_out_changes_only_the_space(value: object, is_tight: bool) -> None:
    text = json.dumps(value, separators=(",", ":") if is_tight else None)
    pretty = laid_out(text)
    assert pretty is not None
    assert json.loads(pretty) == value
    assert pretty == json.dumps(value, indent=2)


def test_numbers_stay_as_they_were_written() -> None:
    assert laid_out("[1.10,1E400,123456789012345678901234567890]") == "[\n  1.10,\n  1E400,\n  123456789012345678901234567890\n]"


@pytest.mark.parametrize("text", ["", "no", "[1", "[" * 100_000, '"a" "b"'])
def test_what_is_no_json_is_left_alone(text: str) -> None:
    assert laid_out(text) is None


def test_headers_are_read_one_in_each_line() -> None:
    assert console.headers_of(" A: b \n\n# no\nC:d:e\nA: f") == (("A", "b"), ("C", "d:e"), ("A", "f"))
    for line in ("a", "a b: c", ": x", "é: x"):
        with pytest.raises(NotHeaders):
            console.headers_of(line)
