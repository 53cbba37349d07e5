"""A short answer goes on in one piece, whatever it is; what only says that it is short does not."""

from __future__ import annotations

import gzip
import socket
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, Reply, raw_listener
from gateway.models import RequestLog
from gateway.tests.conftest import SECRET, Store
from gateway.tests.test_proxy import Api, body_of

pytestmark = pytest.mark.django_db


def test_it_is_in_one_piece_with_its_length(store: Store, service: Listener, ada: User, api: Api) -> None:
    store()
    service.answer = lambda asked: Reply(206, {"Content-Range": "bytes 0-3/9"}, b"part")
    answer = api(ada).get("/api/proxy/svc/x", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.streaming, answer.content) == (206, False, b"part")
    assert (answer["Content-Range"], answer["Proxy-Status"]) == ("bytes 0-3/9", "cloudconsole; received-status=206")
    assert "attachment" in answer["Content-Disposition"]
    assert RequestLog.objects.get().response_bytes == 4


def test_its_length_is_that_without_the_secret(store: Store, service: Listener, ada: User, api: Api) -> None:
    store()
    service.answer = lambda asked: Reply(body=f"You sent {SECRET}!".encode())
    answer = api(ada).get("/api/proxy/svc/x")
    assert (answer.content, answer["Content-Length"]) == (b"You sent [redacted]!", "20")


def test_what_is_kept_of_it_is_all_of_it(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(capture_until=(timezone.now() + timedelta(hours=1)).isoformat())
    service.answer = lambda asked: Reply(body=b"short and kept")
    body_of(api(ada).get("/api/proxy/svc/x"))
    kept = api(ada).get(f"/api/keys/{key.pk}/captured/{RequestLog.objects.get().pk}").json()
    assert kept["response"]["body"] == "short and kept"


@pytest.mark.parametrize(("method", "status"), [("head", 200), ("get", 204), ("get", 304), ("delete", 204)])
def test_an_answer_without_a_body_has_none(
    method: str, status: int, store: Store, service: Listener, ada: User, api: Api
) -> None:
    store()
    service.answer = lambda asked: Reply(status, {}, b"" if status != 200 else b"what GET would say")
    answer = getattr(api(ada), method)("/api/proxy/svc/x")
    row = RequestLog.objects.get()  # its caller has all of it with the head, and may leave: it is over by then
    assert (row.status, row.error, row.is_success) == (status, "", True)
    assert (answer.status_code, body_of(answer)) == (status, b"")
    assert answer.get("Content-Length") is None


def test_a_small_packed_answer_is_not_taken_for_a_short_one(store: Store, service: Listener, ada: User, api: Api) -> None:
    store()
    service.answer = lambda asked: Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"x" * 20_000_000))
    answer = api(ada).get("/api/proxy/svc/x")
    assert answer.streaming
    assert sum(len(part) for part in answer) == 20_000_000


def test_one_that_says_two_lengths_is_not_taken_for_a_short_one(store: Store, ada: User, api: Api) -> None:
    """Its chunks say where it ends (RFC 9112, 6.3), which may be never."""

    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            caller.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        caller.sendall(b"0\r\n\r\n")

    with raw_listener(script) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).get("/api/proxy/svc/x")
        assert answer.streaming
        assert sum(len(part) for part in answer) == 40 * 65_536


def test_one_that_breaks_off_is_an_error(store: Store, ada: User, api: Api) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    with raw_listener(script) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        answer = api(ada).get("/api/proxy/svc/x")
    assert (answer.status_code, answer.json()["code"]) == (502, "no_answer")
    row = RequestLog.objects.get()
    assert (row.status, row.error, row.is_success) == (200, "no_answer", False)


def test_one_that_comes_slowly_is_handed_on_as_it_comes(store: Store, ada: User, api: Api) -> None:
    may_end = threading.Event()

    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        may_end.wait(30)
        caller.sendall(b"half")

    with raw_listener(script) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        parts = iter(api(ada).get("/api/proxy/svc/x"))
        assert next(parts) == b"half"  # the service has not sent more
        may_end.set()
        assert b"".join(parts) == b"half"
    assert RequestLog.objects.get().is_success


def test_one_beyond_the_keys_budget_is_told_by_the_status(store: Store, service: Listener, ada: User, api: Api) -> None:
    store(bytes_per_day=10)
    service.answer = lambda asked: Reply(body=b"x" * 100)
    answer = api(ada).get("/api/proxy/svc/x")
    assert (answer.status_code, answer.json()["code"]) == (429, "budget_used_up")
    assert RequestLog.objects.get().error == "budget_used_up"
