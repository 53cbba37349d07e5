"""The door on real sockets: what is refused is never connected to, what is connected to is what was judged."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloudconsole.net.egress import Cause, Door, Limits, PlainHttp, Refused, Request, Unanswered, door
from cloudconsole.net.names import system_resolver
from cloudconsole.net.ranges import IPAddress
from cloudconsole.net.tests.listeners import Authority, Reply, http_listener, raw_listener, untouched_listener

BROKEN_CHUNKS = (b"-5\r\nhello\r\n0\r\n\r\n", b"zz\r\nhello", b"F" * 20 + b"\r\nhello", b"5\r\nhel", b"5\r\nhello\r\n")
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def means(*answers: str) -> Flipping:
    return Flipping([list(answers)])


class Flipping:
    """A resolver that gives its answers in turn, the last one for ever, and counts how often it was asked."""

    def __init__(self, answers: list[list[str]]) -> None:
        self.answers, self.asked = answers, 0

    def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [ipaddress.ip_address(text) for text in answer]


def cause_of(url: str, at: Door) -> Cause:
    with pytest.raises(Refused) as refused:
        at.send(Request("GET", url))
    return refused.value.cause


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "①②⑦.⓪.⓪.①"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_address_is_never_connected_to(host: str, scheme: str) -> None:
    with untouched_listener("::1" if host == "[::1]" else "127.0.0.1") as listener:
        cause_of(f"{scheme}://{host}:{listener.port}/", Door())
    assert listener.touches == 0


def test_one_private_answer_among_public_ones_is_enough_to_refuse() -> None:
    with untouched_listener() as listener:
        url = f"https://rebind.example.com:{listener.port}/"
        assert cause_of(url, Door(resolve=means("8.8.8.8", "127.0.0.1"))) is Cause.ADDRESS_DENIED
        assert cause_of(url, Door(resolve=means("127.0.0.1", "8.8.8.8"))) is Cause.ADDRESS_DENIED
    assert listener.touches == 0


def test_a_name_that_flips_is_asked_once_and_the_judged_address_is_the_connected_one() -> None:
    with http_listener() as allowed, untouched_listener("127.0.0.2") as forbidden:
        flipping = Flipping([["127.0.0.1"], ["127.0.0.2"]])
        at = Door(allowed=(ipaddress.ip_network("127.0.0.1/32"),), resolve=flipping)
        checked = at.check("http://rebind.example.com/")
        assert [str(target) for target in checked.targets] == ["127.0.0.1"]
        flipping.asked = 0
        answer = at.send(Request("GET", allowed.url("rebind.example.com")))
        assert (flipping.asked, answer.peer) == (1, "127.0.0.1")
        assert allowed.asked[0].headers["Host"] == f"rebind.example.com:{allowed.port}"
        assert cause_of(f"http://rebind.example.com:{forbidden.port}/", at) is Cause.ADDRESS_DENIED
    assert forbidden.touches == 0


def test_tls_proves_the_name_although_the_number_is_dialled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.made(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    at = Door(allowed=LOOPBACK, resolve=means("127.0.0.1"))
    with http_listener(tls=authority.server_context("hooks.example.com")) as listener:
        answer = at.send(Request("POST", listener.url("hooks.example.com", "https"), {"X-Own": "1"}, b"hello"))
        assert (answer.status, answer.body, answer.peer) == (200, b"ok", "127.0.0.1")
        asked = listener.asked[0]
        assert (asked.server_name, asked.headers["X-Own"], asked.body) == ("hooks.example.com", "1", b"hello")
        with pytest.raises(Unanswered) as failed:
            at.send(Request("POST", listener.url("other.example.com", "https"), {}, b"hello"))
    assert (failed.value.may_have_acted, len(listener.asked)) == (False, 1)


def test_a_certificate_that_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    at = Door(allowed=LOOPBACK, resolve=means("127.0.0.1"))
    tls = Authority.made(tmp_path).server_context("hooks.example.com")
    with http_listener(tls=tls) as listener, pytest.raises(Unanswered) as failed:
        at.send(Request("GET", listener.url("hooks.example.com", "https")))
    assert (failed.value.may_have_acted, listener.asked) == (False, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with untouched_listener() as inside:
        to = f"http://127.0.0.1:{inside.port}/"
        with http_listener(lambda asked: Reply(status, {"Location": to})) as listener:
            answer = Door(allowed=LOOPBACK).send(Request("POST", listener.url(), {}, b"x"))
        assert (answer.status, answer.header("location"), len(listener.asked)) == (status, to, 1)
    assert inside.touches == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with untouched_listener() as proxy, http_listener() as listener:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert Door(allowed=LOOPBACK).send(Request("GET", listener.url())).status == 200
    assert proxy.touches == 0


def test_a_failed_request_is_not_sent_again() -> None:
    with http_listener(lambda asked: Reply(503, {"Retry-After": "1"})) as listener:
        assert Door(allowed=LOOPBACK).send(Request("GET", listener.url())).status == 503
    assert len(listener.asked) == 1


def test_a_longer_answer_than_allowed_is_cut() -> None:
    with http_listener(lambda asked: Reply(body=b"x" * 100_000)) as listener:
        answer = Door(allowed=LOOPBACK, limits=Limits(body_bytes=1000)).send(Request("GET", listener.url()))
    assert (len(answer.body), answer.truncated) == (1000, True)


def test_a_compressed_answer_is_handed_on_as_it_is() -> None:
    with http_listener(lambda asked: Reply(headers={"Content-Encoding": "gzip"}, body=b"not really")) as listener:
        answer = Door(allowed=LOOPBACK).send(Request("GET", listener.url()))
    assert (answer.body, listener.asked[0].headers["Accept-Encoding"]) == (b"not really", "identity")


def _hinting(caller: socket.socket) -> None:
    caller.recv(4096)
    while True:
        caller.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        time.sleep(0.02)


def _silent(caller: socket.socket) -> None:
    """Says nothing until the other side goes."""
    while caller.recv(4096):
        continue


def _trickle(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        caller.sendall(b"x")
        time.sleep(0.02)


def _continuing(caller: socket.socket) -> None:
    caller.recv(4096)
    while True:
        caller.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def _endless_trailers(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
    while True:
        caller.sendall(b"X-More: to come\r\n")
        time.sleep(0.02)


def _trickling_head(caller: socket.socket) -> None:
    while True:
        caller.sendall(b"H")
        time.sleep(0.02)


@pytest.mark.parametrize("script", [_trickle, _trickling_head, _continuing, _hinting, _endless_trailers, _silent])
def test_a_slow_answer_ends_when_the_time_is_over(script: object) -> None:
    limits = Limits(read_s=1.0, total_s=0.3)
    with raw_listener(script) as port:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(Unanswered) as failed:
            Door(allowed=LOOPBACK, limits=limits).send(Request("GET", f"http://127.0.0.1:{port}/"))
        assert time.monotonic() - began < 1.5
    assert failed.value.may_have_acted


@pytest.mark.parametrize("script", [_trickling_head, _continuing, _hinting, _silent])
def test_a_head_has_to_be_whole_within_one_wait(script: object) -> None:
    with raw_listener(script) as port:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(Unanswered) as failed:
            Door(allowed=LOOPBACK, limits=Limits(read_s=0.3, total_s=60)).send(Request("GET", f"http://127.0.0.1:{port}/"))
        assert time.monotonic() - began < 30
    assert failed.value.may_have_acted


def test_a_body_may_take_longer_than_one_wait() -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for part in (b"ab", b"cd", b"ef"):
            time.sleep(0.7)
            caller.sendall(part)

    with raw_listener(script) as port:
        at = Door(allowed=LOOPBACK, limits=Limits(read_s=2, total_s=60))
        assert at.send(Request("GET", f"http://127.0.0.1:{port}/")).body == b"abcdef"


def test_a_handshake_that_drips_ends_when_connecting_may_take_no_longer() -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"\x16\x03\x03\x40\x00")  # a record of which the rest comes a byte at a time
        while True:
            caller.sendall(b"x")
            time.sleep(0.02)

    limits = Limits(connect_s=0.3, total_s=600)
    with raw_listener(script) as port, pytest.raises(Unanswered) as failed:
        Door(allowed=LOOPBACK, limits=limits).send(Request("GET", f"https://127.0.0.1:{port}/"))
    assert not failed.value.may_have_acted


def test_a_handshake_that_never_ends_is_ended() -> None:
    with raw_listener(_silent) as port, pytest.raises(Unanswered) as failed:
        Door(allowed=LOOPBACK, limits=Limits(total_s=0.3)).send(Request("GET", f"https://127.0.0.1:{port}/"))
    assert not failed.value.may_have_acted


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"HTTP/1.1 99 None\r\n\r\n",
        b"HTTP/1.1 200 " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n X: a\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n: a\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\r\n \0b\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\r\n",
        b"HTTP/1.1 200 OK\r\nX: a",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        *(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks for chunks in BROKEN_CHUNKS),
    ],
)
def test_nonsense_is_no_answer(nonsense: bytes) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(nonsense)

    with raw_listener(script) as port, pytest.raises(Unanswered) as failed:
        Door(allowed=LOOPBACK).send(Request("GET", f"http://127.0.0.1:{port}/"))
    assert failed.value.may_have_acted


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: \tchunked \t\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\nX-Folded: a\n b\n\n5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: CHUNKED\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n",
        b"\r\nhello",
    ],
)
def test_an_answer_ends_where_it_says(head: bytes) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + head)

    with raw_listener(script) as port:
        assert Door(allowed=LOOPBACK).send(Request("GET", f"http://127.0.0.1:{port}/")).body == b"hello"


def test_a_closed_port_is_known_to_have_got_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unanswered) as failed:
        Door(allowed=LOOPBACK).send(Request("GET", f"http://127.0.0.1:{port}/"))
    assert not failed.value.may_have_acted


def test_the_next_address_is_tried_where_the_first_takes_nobody() -> None:
    with http_listener() as listener:
        at = Door(allowed=(*LOOPBACK, ipaddress.ip_network("::1/128")), resolve=means("::1", "127.0.0.1"))
        assert at.send(Request("GET", listener.url("two.example.com"))).peer == "127.0.0.1"


def test_an_answer_can_be_read_as_it_comes() -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        caller.recv(1)
        caller.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    with raw_listener(script) as port, Door(allowed=LOOPBACK).stream(Request("GET", f"http://127.0.0.1:{port}/")) as streamed:
        assert (streamed.status, next(streamed.chunks), streamed.peer) == (200, b"first", "127.0.0.1")


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET\r\nX: y", "https://example.com/"),
        Request("GET", "https://example.com/", {"X-A": "a\r\nX-B: b"}),
        Request("GET", "https://example.com/", {"X-A\r\nX-B": "b"}),
        Request("GET", "https://example.com/", {"": "b"}),
    ],
)
def test_one_line_stays_one_line(request_: Request) -> None:
    with pytest.raises(Refused) as refused:
        Door(resolve=means("8.8.8.8")).send(request_)
    assert refused.value.cause is Cause.CHARACTERS


def test_the_doors_own_headers_are_not_the_callers() -> None:
    with http_listener() as listener:
        headers = {"Host": "evil.example", "content-length": "999", "Transfer-Encoding": "chunked", "Connection": "keep-alive"}
        Door(allowed=LOOPBACK).send(Request("POST", listener.url(), headers, b"abc"))
    asked = listener.asked[0]
    assert (asked.headers["Host"], asked.body) == (f"127.0.0.1:{listener.port}", b"abc")


def test_the_installations_door_follows_its_settings(settings: object) -> None:
    settings.EGRESS_ALLOW_CIDRS = list(LOOPBACK)  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", ".console.example.org", "*"]  # type: ignore[attr-defined]
    with http_listener() as listener:
        assert door().send(Request("GET", listener.url("localhost"))).status == 200
    assert cause_of("https://a.console.example.org/", door()) is Cause.OWN_NAME


def test_the_machines_own_resolver_is_asked_for_every_address() -> None:
    assert ipaddress.ip_address("127.0.0.1") in system_resolver("localhost", 80)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_has_come_is_told_from_what_has_not(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, may_go_on = Authority.made(tmp_path), threading.Event()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = authority.server_context("hooks.example.com")

    def script(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True) if scheme == "https" else caller as spoken:
            spoken.recv(4096)
            spoken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            may_go_on.wait(30)
            spoken.sendall(b"def")

    with raw_listener(script) as port:
        door = Door(allowed=LOOPBACK, plain_http=PlainHttp.ANYWHERE, resolve=means("127.0.0.1"))
        with door.stream(Request("GET", f"{scheme}://hooks.example.com:{port}/")) as streamed:
            assert streamed.is_ready(30)
            assert next(streamed.chunks) == b"abc"
            assert not streamed.is_ready(0.05)
            may_go_on.set()
            assert streamed.is_ready(30)
            assert next(streamed.chunks) == b"def"
            assert streamed.is_ready(0)  # it is over
            assert list(streamed.chunks) == []


@pytest.mark.parametrize("sent", [b"Content-Length: 6\r\n\r\n", b"\r\n"])
def test_a_connection_that_ends_leaves_nothing_to_wait_for(sent: bytes) -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 200 OK\r\n" + sent)

    with raw_listener(script) as port, Door(allowed=LOOPBACK).stream(Request("GET", f"http://127.0.0.1:{port}/")) as streamed:
        assert streamed.is_ready(30)
