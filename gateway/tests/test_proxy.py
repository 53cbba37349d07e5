"""The proxy through its doors: what goes out, what comes back, what it survives."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import PersonalToken, Scope, User
from accounts.services import personal_tokens
from cloudconsole.net.egress import Unanswered
from cloudconsole.net.tests.listeners import Asked, Listener, Reply, http_listener, raw_listener
from gateway.models import RequestLog
from gateway.services import outgoing, proxying
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]


def body_of(answer: Any) -> bytes:
    return b"".join(answer)


def test_any_method_goes_through_with_its_body_path_and_query(store: Store, service: Listener, ada: User, api: Api) -> None:
    store(base_url=service.url(path="/v1"))
    for method in ("get", "post", "put", "patch", "delete", "head", "options"):
        answer = api(ada).generic(method.upper(), "/api/proxy/SVC/a%20b/c/?q=1&q=2", b"\x00\xff", "application/x-own")  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["Proxy-Status"]) == (200, "cloudconsole; received-status=200")
        body_of(answer)
    assert [asked.method for asked in service.asked] == ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    assert {asked.path for asked in service.asked} == {"/v1/a%20b/c/?q=1&q=2"}
    assert all(asked.headers["Authorization"] == f"Bearer {SECRET}" for asked in service.asked)
    assert service.asked[1].body == b"\x00\xff"
    assert set(RequestLog.objects.values_list("via", "status", "path")) == {("stream", 200, "/v1/a%20b/c/")}


@pytest.mark.parametrize(
    ("fields", "where", "value"),
    [
        ({"auth_scheme": "basic", "auth_name": "me"}, "Authorization", "Basic bWU6c2stdGVzdC8wMTIzNDU2Nzg5K2FiY2RlZj09"),
        ({"auth_scheme": "query", "auth_name": "key"}, "path", "/x?a=1&key=sk-test%2F0123456789%2Babcdef%3D%3D"),
        ({"auth_scheme": "path", "base_url": "/bot{key}"}, "path", "/botsk-test%2F0123456789%2Babcdef%3D%3D/x?a=1"),
        ({"auth_scheme": "headers", "api_key": "X-One: first-secret\nX-Two: second-secret"}, "X-Two", "second-secret"),
    ],
)
def test_each_scheme_puts_the_secret_in_its_place(
    store: Store, service: Listener, ada: User, api: Api, fields: dict[str, str], where: str, value: str
) -> None:
    if "base_url" in fields:
        fields = {**fields, "base_url": service.url(path=fields["base_url"])}
    store(**fields)
    answer = api(ada).get(
        "/api/proxy/svc/x?a=1&key=of-the-caller" if where == "path" and "key=" in value else "/api/proxy/svc/x?a=1"
    )
    assert (answer.status_code, body_of(answer)) == (200, b"ok")
    asked = service.asked[0]
    assert (asked.path if where == "path" else asked.headers[where]) == value
    assert SECRET not in RequestLog.objects.get().path


def test_how_the_caller_signed_in_stays_here(store: Store, service: Listener, ada: User, api: Api) -> None:
    store(auth_scheme="query", auth_name="key")
    client = api(ada)
    client.cookies["sessionid"] = "of-the-caller"
    body_of(client.get("/api/proxy/svc/x", HTTP_X_OWN="1", HTTP_ACCEPT="text/event-stream"))
    headers = {name.lower(): value for name, value in service.asked[0].headers.items()}
    assert not {"authorization", "cookie"} & set(headers)
    assert (headers["x-own"], headers["accept"]) == ("1", "text/event-stream")


def test_nothing_of_another_origin_is_drawn_on_ours(store: Store, service: Listener, ada: User, api: Api) -> None:
    theirs = {
        "Content-Type": "text/html",
        "Set-Cookie": "sessionid=theirs",
        "Content-Security-Policy": "script-src *",
        "Content-Disposition": "inline",
        "Strict-Transport-Security": "max-age=1",
        "Clear-Site-Data": '"*"',
        "Refresh": "0;url=https://evil.example.com",
        "X-Frame-Options": "ALLOWALL",
        "Access-Control-Allow-Origin": "*",
        "Alt-Svc": "h3",
        "Accept-CH": "Sec-CH-UA",
        "Origin-Agent-Cluster": "?1",
        "Use-As-Dictionary": 'match="/*"',
        "Trailer": "X-Later",
        "Keep-Alive": "timeout=5",
        "Connection": "close, X-Of-This-Hop",
        "X-Of-This-Hop": "1",
    }
    service.answer = lambda asked: Reply(500, theirs, b"<script>alert(1)</script>")
    store()
    answer = api(ada).get("/api/proxy/svc/x")
    assert (answer.status_code, body_of(answer)) == (500, b"<script>alert(1)</script>")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert not answer.cookies
    kept = {name for name, value in theirs.items() if answer.headers.get(name) == value}
    assert kept == {"Content-Type"}


def test_a_session_has_to_send_what_a_link_cannot(store: Store, service: Listener, ada: User) -> None:
    store()
    client = Client()
    client.force_login(ada)
    refused = client.get("/api/proxy/svc/x")
    assert (refused.status_code, refused.json()["code"], service.asked) == (403, "header_needed", [])
    assert client.get("/api/proxy/svc/x", HTTP_X_REQUESTED_WITH="fetch").status_code == 200


def test_a_token_that_only_reads_sends_nothing(store: Store, service: Listener, ada: User) -> None:
    store()
    made = personal_tokens.create(user=ada, name="reader", scope=Scope.READ)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {made.plain}")
    for method in ("get", "head", "options", "post"):
        assert getattr(client, method)("/api/proxy/svc/x").status_code == 403
    assert client.get("/api/proxy/svc").json()["code"] == "token_reads_only"
    assert client.post("/api/proxy", {"url": "/", "api_name": "svc"}).status_code == 403
    assert (service.asked, RequestLog.objects.count(), PersonalToken.objects.count()) == ([], 0, 1)
    writer = personal_tokens.create(user=ada, name="writer", scope=Scope.WRITE)
    client.credentials(HTTP_AUTHORIZATION=f"Token {writer.plain}")
    assert client.get("/api/proxy/svc/x").status_code == 200


def test_events_pass_as_they_come(store: Store, ada: User, api: Api) -> None:
    go_on = threading.Event()

    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        go_on.wait(60)
        caller.sendall(b"data: 2\n\n")

    with raw_listener(script) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).get("/api/proxy/svc/events")
        parts = iter(answer.streaming_content)  # type: ignore[attr-defined]
        assert next(parts) == b"data: 1\n\n"  # the second is not sent before this one has come
        go_on.set()
        assert b"".join(parts) == b"data: 2\n\n"


def _packed(name: str, body: bytes, asked: Asked) -> Reply:
    return Reply(headers={"Content-Encoding": name}, body=body)


def test_compressed_answers_come_opened(store: Store, service: Listener, ada: User, api: Api) -> None:
    store()
    plain = f"a {SECRET} b".encode() * 100
    for name, packed in (
        ("gzip", gzip.compress(plain)),
        ("deflate", zlib.compress(plain)),
        ("gzip, identity", gzip.compress(plain)),
    ):
        service.answer = partial(_packed, name, packed)
        answer = api(ada).get("/api/proxy/svc/x", HTTP_ACCEPT_ENCODING="gzip, br")
        assert body_of(answer) == b"a [redacted] b" * 100
        assert "Content-Encoding" not in answer.headers
    assert service.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip, gzip"])
def test_a_compression_that_was_not_asked_for_is_an_error(
    encoding: str, store: Store, service: Listener, ada: User, api: Api
) -> None:
    store()
    service.answer = lambda asked: Reply(headers={"Content-Encoding": encoding}, body=b"x")
    answer = api(ada).get("/api/proxy/svc/x")
    assert (answer.status_code, answer.json()["code"]) == (502, "answer_unusable")
    assert RequestLog.objects.get().error == "answer_unusable"


# --- what it survives


def test_a_zip_bomb_ends_in_a_clear_error(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    bomb = gzip.compress(gzip.compress(b"\0" * 200_000_000, 9), 9)
    service.answer = lambda asked: Reply(headers={"Content-Encoding": "gzip, gzip"}, body=bomb)
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"], len(bomb) < 10_000) == (502, "answer_too_large", True)


def test_an_answer_that_cannot_be_read_is_no_reason_to_send_the_request_again(
    store: Store, service: Listener, ada: User, api: Api
) -> None:
    key = store()
    service.answer = lambda asked: Reply(headers={"Content-Encoding": "br"}, body=b"x")
    body = {"url": "/charges", "method": "POST", "api_key_id": key.pk}
    answers = [api(ada).post("/api/proxy", body, HTTP_IDEMPOTENCY_KEY="one") for _ in range(2)]
    assert [answer.json()["code"] for answer in answers] == ["answer_unusable"] * 2
    assert len(service.asked) == 1


def test_a_long_answer_is_cut_and_says_so(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    service.answer = lambda asked: Reply(body=b"x" * (proxying.WHOLE_BYTES + 1))
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert (answer["truncated"], len(answer["body"])) == (True, proxying.WHOLE_BYTES)


def _endless(caller: socket.socket) -> None:
    caller.recv(65536)
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        caller.sendall(b"x" * 65536)


def _loris(caller: socket.socket) -> None:
    caller.recv(65536)
    for part in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"s" * 100_000:
        caller.sendall(bytes([part]))
        time.sleep(0.05)


def _many_headers(caller: socket.socket) -> None:
    caller.recv(65536)
    caller.sendall(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\nbody")


def _one_long_header(caller: socket.socket) -> None:
    caller.recv(65536)
    caller.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n")


def test_an_endless_answer_is_cut(store: Store, ada: User, api: Api) -> None:
    with raw_listener(_endless) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert answer["truncated"]


@pytest.mark.parametrize("script", [_loris, _many_headers, _one_long_header])
def test_a_misbehaving_service_is_a_clear_error(script: Callable[[socket.socket], None], store: Store, ada: User) -> None:
    with raw_listener(script) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(Unanswered):
            proxying.begin(call=proxying.Call("GET", "/"), key=key, by=ada, caps=outgoing.Caps(1, 1, 1000))
        assert time.monotonic() - began < 5
    assert (RequestLog.objects.get().error, RequestLog.objects.get().status) == ("no_answer", None)


@pytest.mark.parametrize("status", [101, 199, 999])
def test_a_status_that_means_nothing_is_an_error(status: int, store: Store, ada: User, api: Api) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    with raw_listener(script) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).status_code == 502


def test_a_broken_stream_is_no_whole_answer(store: Store, ada: User, api: Api) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly this")

    with raw_listener(script) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).get("/api/proxy/svc/x")
        with pytest.raises(Unanswered):
            body_of(answer)
    row = RequestLog.objects.get()
    assert (row.status, row.error, row.is_success) == (200, "no_answer", False)


# --- again, and elsewhere


def test_a_passing_failure_is_tried_again_where_that_does_no_harm(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(retries=2)

    def answer(asked: Any) -> Reply:
        return Reply(503, {"Retry-After": "0"}) if len(service.asked) < 3 else Reply(body=b"at last")

    service.answer = answer
    told = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert (told["status_code"], told["body"], len(service.asked)) == (200, "at last", 3)
    assert RequestLog.objects.get().attempts == 3


@pytest.mark.parametrize(
    ("method", "headers", "retry_after", "asked"),
    [
        ("POST", {}, "0", 1),
        ("POST", {"Idempotency-Key": "k-1"}, "0", 3),
        ("PUT", {}, "0", 3),
        ("GET", {}, "3600", 1),
        ("GET", {}, "Fri, 31 Dec 2099 23:59:59 GMT", 1),
    ],
)
def test_nothing_is_doubled_and_nobody_waits_too_long(
    store: Store, service: Listener, ada: User, api: Api, method: str, headers: dict[str, str], retry_after: str, asked: int
) -> None:
    key = store(retries=2)
    service.answer = lambda asked: Reply(429, {"Retry-After": retry_after})
    body = {"url": "/", "method": method, "headers": headers, "api_key_id": key.pk}
    assert api(ada).post("/api/proxy", body).json()["status_code"] == 429
    assert len(service.asked) == asked


def test_a_refused_key_is_not_tried_again(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(retries=3)
    service.answer = lambda asked: Reply(401)
    assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()["status_code"] == 401
    assert len(service.asked) == 1


def test_a_redirect_is_handed_on_unless_its_key_follows(store: Store, service: Listener, ada: User, api: Api) -> None:
    service.answer = lambda asked: Reply(302, {"Location": "/next"}) if asked.path == "/" else Reply(body=b"there")
    key = store()
    told = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert (told["status_code"], told["headers"]["Location"]) == (302, "/next")
    follows = store(api_name="follows", follow_redirects=True)
    told = api(ada).post("/api/proxy", {"url": "/", "api_key_id": follows.pk}).json()
    assert (told["status_code"], told["body"]) == (200, "there")
    assert service.asked[-1].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_secret_does_not_follow_to_another_host(store: Store, service: Listener, ada: User, api: Api) -> None:
    with http_listener() as other:
        service.answer = lambda asked: Reply(302, {"Location": other.url(path="/file?x=1")})
        key = store(follow_redirects=True, auth_scheme="query", auth_name="key")
        body = {"url": "/", "api_key_id": key.pk, "headers": {"X-Own": "private", "Accept": "text/plain"}}
        told = api(ada).post("/api/proxy", body).json()
        posted = api(ada).post("/api/proxy", {"url": "/", "method": "PUT", "body": "secret text", "api_key_id": key.pk}).json()
    assert (told["status_code"], len(other.asked), posted["status_code"]) == (200, 1, 302)
    asked = other.asked[0]
    assert (asked.path, asked.headers["Accept"]) == ("/file?x=1", "text/plain")
    assert not {"authorization", "x-own", "cookie"} & {name.lower() for name in asked.headers}


def test_a_ring_of_redirects_ends(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(follow_redirects=True)
    service.answer = lambda asked: Reply(302, {"Location": "/again"})
    assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()["status_code"] == 302
    assert len(service.asked) == 6


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/gone", "http://169.254.169.254/", "/elsewhere"])
def test_a_step_that_fails_behind_a_redirect_repeats_no_first_one(
    to: str, store: Store, service: Listener, ada: User, api: Api
) -> None:
    """The POST was carried out. Asked for the same once more, the console tells the same failure and sends nothing."""
    key = store(follow_redirects=True, allowed_paths=["/pay"])
    service.answer = lambda asked: Reply(303, {"Location": to})
    body = {"url": "/pay", "method": "POST", "body": "1", "api_key_id": key.pk}
    first, second = (api(ada).post("/api/proxy", body, HTTP_IDEMPOTENCY_KEY="pay-once") for _ in range(2))
    assert first.status_code in (400, 403, 502)
    assert (second.status_code, second.json()["code"]) == (first.status_code, first.json()["code"])
    assert [asked.method for asked in service.asked] == ["POST"]
