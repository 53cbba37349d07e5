"""What comes before an answer's body, from services that mean no good or follow the newest RFC, through the proxy's doors."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.net.egress import Unanswered
from cloudconsole.net.tests.listeners import raw_listener
from gateway.models import RateWindow, RequestLog
from gateway.services import outgoing, proxying
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nX-RateLimit-Limit: 7\r\nX-RateLimit-Remaining: 0\r\n\r\n"
FINAL = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Final: yes\r\n\r\nhello"


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        for part in parts:
            caller.sendall(part)

    return script


@pytest.mark.parametrize(
    "interim",
    [
        (HINTS,),
        (HINTS, HINTS, b"HTTP/1.1 102 Processing\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 199 Own\r\nContent-Length: 90\r\nTransfer-Encoding: own\r\n\r\n"),
        (b"HTTP/1.1 104 Upload Resumption Supported\r\nX-Echo: " + SECRET.encode() + b"\r\n\r\n",),
    ],
)
def test_the_answer_is_what_follows_the_interim_responses(interim: tuple[bytes, ...], store: Store, ada: User, api: Api) -> None:
    with raw_listener(says(*interim, FINAL)) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert (answer["status_code"], answer["body"]) == (201, "hello")
    assert answer["headers"] == {"X-Final": "yes"}
    row = RequestLog.objects.get()
    assert (row.status, row.error, row.attempts, row.response_bytes) == (201, "", 1, 5)
    assert not RateWindow.objects.exists()


def test_they_are_passed_over_in_a_stream_as_well(store: Store, ada: User, api: Api) -> None:
    with raw_listener(says(HINTS, FINAL)) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        answer: Any = api(ada).get("/api/proxy/svc/x")
        assert (answer.status_code, b"".join(answer), answer["X-Final"]) == (201, b"hello", "yes")
    assert "Link" not in answer


@pytest.mark.parametrize("interim", [HINTS, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_interim_responses_without_end_are_cut_off(interim: bytes, store: Store, ada: User, api: Api) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        while True:
            caller.sendall(interim * 100)

    with raw_listener(script) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"]) == (502, "no_answer")
    assert "more or longer headers" in answer.json()["detail"]
    row = RequestLog.objects.get()
    assert (row.status, row.error) == (None, "no_answer")


def test_another_protocol_is_no_answer(store: Store, ada: User, api: Api) -> None:
    with raw_listener(says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\n\r\n", FINAL)) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"]) == (502, "answer_unusable")
    assert RequestLog.objects.get().error == "answer_unusable"


def _trickling(beginning: bytes) -> Callable[[socket.socket], None]:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(beginning)
        while True:
            caller.sendall(b"x")
            time.sleep(0.1)

    return script


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", HINTS + b"HTTP/1.1 200 "])
def test_a_head_that_trickles_in_holds_nothing_for_long(beginning: bytes, store: Store, ada: User) -> None:
    """Each wait is short, and all the time that a stream may last is far away."""
    with raw_listener(_trickling(beginning)) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(Unanswered, match="too long"):
            proxying.begin(call=proxying.Call("GET", "/"), key=key, by=ada, caps=outgoing.Caps(1, 900, 1000))
        assert time.monotonic() - began < 60
    row = RequestLog.objects.get()
    assert (row.status, row.error, row.key) == (None, "no_answer", key)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nno header\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
    ],
)
def test_a_framing_that_is_hidden_cuts_no_secret_into_pieces(head: bytes, store: Store, ada: User, api: Api) -> None:
    first, second = SECRET[:9].encode(), SECRET[9:].encode()
    body = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(first), first, len(second), second)
    with raw_listener(says(head, body)) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert SECRET[:9] not in answer.content.decode()
    assert SECRET[9:] not in answer.content.decode()
    assert RequestLog.objects.count() == 1


@pytest.mark.parametrize("header", [b"RateLimit-Policy: a\0b", b"X-RateLimit-Scope: \0", b"X-Own: a\r\n \0b"])
def test_nul_in_a_header_costs_no_row_of_the_log(header: bytes, store: Store, ada: User, api: Api) -> None:
    """Limits are kept from headers, and not every database holds a NUL."""
    limits = b"X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 50\r\nX-RateLimit-Reset: 30\r\n"
    with raw_listener(says(b"HTTP/1.1 200 OK\r\n" + limits + header + b"\r\nContent-Length: 2\r\n\r\nok")) as port:
        key = store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"]) == (502, "no_answer")
    assert RequestLog.objects.get().error == "no_answer"
