"""Hostile addresses through the proxy's own doors: typed, as a base address, and as where a redirect leads."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.net import tests as net_tests
from cloudconsole.net.tests.listeners import Asked, Listener, Reply, http_listener, untouched_listener
from gateway.models import RequestLog, Via
from gateway.services import proxying
from gateway.services.proxying import Call
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]
_CORPUS = Path(net_tests.__file__).parent / "data" / "hostile.txt"
_LINES = [line.split("\t") for line in _CORPUS.read_text().splitlines() if not line.startswith("#")]
HOSTILE = [json.loads(text) for expected, _, text in _LINES if expected != "allow" and json.loads(text) != "LONG"]


class Connections:
    """Who was connected to, seen from below everything of ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.to: list[tuple[str, int]] = []
        really = socket.create_connection

        def connect(address: tuple[str, int], *rest: Any, **named: Any) -> socket.socket:
            self.to.append(address)
            if address[0] != "127.0.0.1":
                raise ConnectionRefusedError
            return really(address, *rest, **named)

        monkeypatch.setattr(socket, "create_connection", connect)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(monkeypatch)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names mean, answer after answer, the last one for ever; every other name means a public address."""
    meanings: dict[str, list[list[str]]] = {}
    really = socket.getaddrinfo

    def asked(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if _is_number(host):
            return really(host, port, *rest, **named)
        answers = meanings.get(host, [["192.0.2.1"]])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answer]

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    return meanings


@pytest.fixture
def unthrottled(settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "user": "1000000/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


def _led_to(url: str, asked: Asked) -> Reply:
    return Reply(302, {"Location": url}) if asked.path == "/start" else Reply(404)


def _is_number(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


@pytest.mark.usefixtures("unthrottled", "names")
def test_no_hostile_address_is_connected_to(connections: Connections, ada: User, api: Api, settings: Any) -> None:
    settings.EGRESS_ALLOW_CIDRS = []
    assert len(HOSTILE) >= 480
    client, told = api(ada), set()
    for url in HOSTILE:
        answer = client.post("/api/proxy", {"url": url})
        assert answer.status_code == 400, (url, answer.status_code)
        told.add((answer.json()["code"], answer.json()["detail"]) if url else ("", ""))
    assert connections.to == []
    assert {code for code, _ in told} <= {"address_refused", "", "invalid", "blank", "null_characters_not_allowed"}
    assert len({words for code, words in told if code == "address_refused"}) == 1
    causes = {event.detail["cause"] for event in AuditEvent.objects.filter(action="gateway.request_refused")}
    assert {"metadata", "address_denied", "userinfo", "numeric_host"} <= causes


@pytest.mark.usefixtures("names")
def test_no_redirect_leads_to_one(connections: Connections, store: Store, service: Listener, ada: User) -> None:
    key = store(follow_redirects=True)
    sendable = [url for url in HOSTILE if url.isascii() and url.isprintable()]
    for url in sendable:
        service.answer = partial(_led_to, url)
        with contextlib.suppress(CloudconsoleError):
            proxying.send(call=Call("GET", "/start", (), b"", via=Via.CONSOLE), key=key, by=ada)
    assert len([asked for asked in service.asked if asked.path == "/start"]) >= len(sendable)
    assert len(sendable) > 200
    # Of all of it, what the operator has opened, under whatever spelling; and there, the service alone listens.
    assert {host.removeprefix("::ffff:") for host, _ in connections.to} <= {"127.0.0.1", "7f00:1"}


@pytest.mark.usefixtures("names")
def test_a_base_address_that_is_a_private_number_is_not_stored(ada: User, api: Api) -> None:
    for url in ("http://10.0.0.1/", "https://[::1]/", "https://127.1/", "https://169.254.169.254/", "https://user@example.com/"):
        answer = api(ada).post("/api/keys", {"api_name": "x", "api_key": SECRET, "base_url": url})
        assert (answer.status_code, answer.json()["code"]) == (400, "address_refused"), url


def test_a_name_that_flips_gets_the_judged_address(
    names: dict[str, list[list[str]]], connections: Connections, ada: User, api: Api
) -> None:
    with http_listener() as allowed, untouched_listener("127.0.0.2") as forbidden:
        names["rebind.example.com"] = [["127.0.0.1"], ["127.0.0.2"]]
        answer = api(ada).post("/api/proxy", {"url": allowed.url("rebind.example.com")})
        assert answer.json()["status_code"] == 200
        assert connections.to == [("127.0.0.1", allowed.port)]
        assert allowed.asked[0].headers["Host"] == f"rebind.example.com:{allowed.port}"
        again = api(ada).post("/api/proxy", {"url": f"http://rebind.example.com:{forbidden.port}/"})
        assert (again.status_code, again.json()["code"]) == (400, "address_refused")
        names["mixed.example.com"] = [["127.0.0.1", "127.0.0.2"]]
        assert api(ada).post("/api/proxy", {"url": allowed.url("mixed.example.com")}).status_code == 400
    assert forbidden.touches == 0


def test_a_redirect_that_flips_is_judged_anew(
    names: dict[str, list[list[str]]], store: Store, service: Listener, ada: User, api: Api
) -> None:
    with untouched_listener("127.0.0.2") as forbidden:
        names["flip.example.com"] = [["127.0.0.1"], ["127.0.0.2"]]
        key = store(base_url=service.url("flip.example.com", path=""), follow_redirects=True)
        service.answer = lambda asked: Reply(302, {"Location": f"http://flip.example.com:{forbidden.port}/"})
        assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).status_code == 400
    assert (len(service.asked), forbidden.touches) == (1, 0)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/%2E%2E%2Fadmin",
        "/v1/..%2fadmin",
        "/v1/%252e%252e/admin",
        "/v1/..;/admin",
        "/v1/..\\admin",
        "/v1%2f..%2fadmin",
        "/v2/x",
        "//evil.example.com/v1",
        "/v1x",
        "/%76%31x/",
        "@evil.example.com/",
        ":80@evil.example.com/",
        "?x=/v1/",
    ],
)
def test_no_path_leaves_what_a_key_is_bound_to(path: str, store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(base_url=service.url(path="/v1"))
    for url in (service.url(path=path), f"http://127.0.0.1:{service.port}{path}"):
        answer = api(ada).post("/api/proxy", {"url": url, "api_key_id": key.pk})
        assert answer.status_code in (400, 403), answer.json()
    assert service.asked == []


def test_globs_and_methods_narrow_a_key(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(allowed_paths=["/repos/*/issues", "/open/**"], allowed_methods=["get"])

    def status(url: str, method: str = "GET") -> int:
        return api(ada).post("/api/proxy", {"url": url, "method": method, "api_key_id": key.pk}).status_code

    assert [status(url) for url in ("/repos/a/issues", "/open/a/b/c?x=1")] == [200, 200]
    refused = ("/repos/a/b/issues", "/repos/a%2fb/issues", "/admin", "/open/%2e%2e/admin", "/Repos/a/issues")
    assert {status(url) for url in refused} == {403}
    assert status("/open/a", "POST") == 403
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X-A", "a\r\nX-B: b", "“X-A” holds a line break"),
        ("X-A", "a\nAuthorization: x", "“X-A” holds a line break"),
        ("X-A", "a\x7f", "“X-A” holds a line break or another control character"),
        ("X-A\r\nX-B", "b", r"“X-A\r\nX-B” is no name of a header"),
        ("X A", "b", "“X A” is no name"),
        ("", "b", "“” is no name"),
        ("X-É", "b", r"“X-\xc9” is no name"),
        ("X-Note", "a – b", "“X-Note” holds characters that no header can carry: only those of Latin-1 are sent."),
        ("X-Note", "漢字\r\nX-B: b", "“X-Note” holds characters"),
        ("X-" + "N" * 500, "–", f"“X-{'N' * 58}” holds"),
    ],
)
def test_a_header_that_cannot_be_sent_is_told_by_its_name(
    name: str, value: str, words: str, store: Store, service: Listener, ada: User, api: Api
) -> None:
    """It never becomes two, and the address, which is a good one, is not blamed."""
    key = store()
    for body in ({"url": "/at", "api_key_id": key.pk}, {"url": service.url(path="/at")}):
        answer = api(ada).post("/api/proxy", {**body, "headers": {"Accept": "a/b", name: value}})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "header_unsendable")
        assert words in problem["detail"]
        assert problem["errors"] == [{"attr": "headers", "code": "header_unsendable", "detail": problem["detail"]}]
    assert service.asked == []
    rows = RequestLog.objects.values_list("error", "status", "host", "path", "key")
    assert set(rows) == {("header_unsendable", None, f"127.0.0.1:{service.port}", "/at", one) for one in (key.pk, None)}
    assert not AuditEvent.objects.filter(action="gateway.request_refused").exists()


def test_latin_letters_in_a_header_arrive_as_they_are(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    answer = api(ada).post("/api/proxy", {"url": "/", "headers": {"X-Note": "Zürich"}, "api_key_id": key.pk})
    assert (answer.status_code, service.asked[0].headers["X-Note"]) == (200, "Zürich")


def test_a_header_that_stays_here_anyway_hinders_nothing(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    answer = api(ada).post("/api/proxy", {"url": "/", "headers": {"Cookie": "a=–"}, "api_key_id": key.pk})
    assert (answer.status_code, "Cookie" in service.asked[0].headers) == (200, False)


def test_nul_in_a_header_is_refused_before(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    assert api(ada).post("/api/proxy", {"url": "/", "headers": {"X-A": "\u0000"}, "api_key_id": key.pk}).status_code == 400
    assert service.asked == []


def test_what_speaks_of_this_hop_stays_here(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(auth_scheme="header", auth_name="X-Api-Key")
    given = {
        "Host": "evil.example.com",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil.example.com",
        "Forwarded": "for=10.0.0.1",
        "Via": "1.1 evil",
        "Cookie": "sessionid=1",
        "Proxy-Authorization": "Basic x",
        "Transfer-Encoding": "chunked",
        "Content-Length": "9999",
        "Connection": "close, X-Secret-Hop",
        "X-Secret-Hop": "1",
        "TE": "trailers",
        "Upgrade": "h2c",
        "x-api-key": "of-the-caller",
        "X-Http-Method-Override": "DELETE",
        "X-Own": "kept",
    }
    api(ada).post("/api/proxy", {"url": "/", "method": "POST", "headers": given, "body": "abc", "api_key_id": key.pk})
    asked = service.asked[0]
    names = {name.lower() for name in asked.headers}
    doors_own = {"host", "connection", "accept-encoding", "user-agent", "content-length", "content-type"}
    assert names == {*doors_own, "x-api-key", "x-own"}
    assert (asked.headers["Host"], asked.headers["X-Api-Key"], asked.body) == (f"127.0.0.1:{service.port}", SECRET, b"abc")
