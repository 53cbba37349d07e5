"""Answers whose end is not plain, and those that come before the request is over."""

from __future__ import annotations

import ipaddress
import socket
from io import BytesIO

import pytest

from cloudconsole.net.egress import Door, Limits, Request, Unanswered, Upload
from cloudconsole.net.tests.listeners import raw_listener

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DOOR = Door(allowed=(ipaddress.ip_network("127.0.0.1/32"),), limits=Limits(read_s=20, total_s=30))


def told(port: int) -> bytes:
    return DOOR.send(Request("GET", f"http://127.0.0.1:{port}/")).body


def says(text: bytes) -> bytes:
    """What the door makes of it."""

    def script(caller: socket.socket) -> None:
        caller.recv(65_536)
        caller.sendall(text)

    with raw_listener(script) as port:
        return told(port)


@pytest.mark.parametrize(
    "body",
    [
        b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
        b"0x5\r\nabcde\r\n0\r\n\r\n",
        b"+5\r\nabcde\r\n0\r\n\r\n",
        b"5\r\nabcde\r\n0",  # which may be the first half of 0a
        b"5\r\nabcde\r\n5;" + b"x" * 70_000 + b"\r\nabcde\r\n0\r\n\r\n",
    ],
)
def test_a_chunk_has_a_size_that_every_reader_reads_alike(body: bytes) -> None:
    with pytest.raises(Unanswered):
        says(CHUNKED + body)


def test_no_size_is_handed_on_as_part_of_the_body() -> None:
    """Which is what a negative one was for: all behind it, with sizes in between that cut a secret."""

    def script(caller: socket.socket) -> None:
        caller.recv(65_536)
        caller.sendall(CHUNKED + b"-1\r\n4\r\nsecr\r\n2\r\net\r\n0\r\n\r\n")

    parts: list[bytes] = []
    with (
        raw_listener(script) as port,
        DOOR.stream(Request("GET", f"http://127.0.0.1:{port}/")) as streamed,
        pytest.raises(Unanswered),
    ):
        parts.extend(streamed.chunks)
    assert parts == []


@pytest.mark.parametrize(
    "body", [b"5 ;x=1\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n", b"05\nabcde\r\n0;y\r\n\r\n", b"0005\r\nabcde\r\n0\r\n"]
)
def test_sizes_may_be_padded_extended_and_followed_by_trailers(body: bytes) -> None:
    assert says(CHUNKED + body) == b"abcde"


def test_trailers_without_end_are_cut_off() -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(65_536)
        caller.sendall(CHUNKED + b"5\r\nabcde\r\n0\r\n")
        while True:
            caller.sendall(b"X-Trailer: more\r\n" * 1_000)

    with raw_listener(script) as port, pytest.raises(Unanswered) as caught:
        told(port)
    assert "took too long" not in str(caught.value)


@pytest.mark.parametrize("in_a_file", [True, False])
def test_who_refuses_a_body_early_is_heard(in_a_file: bool) -> None:
    """It answers with the head alone, and hangs up on the rest."""
    body = bytes(30_000_000)

    def script(caller: socket.socket) -> None:
        caller.recv(1_024)
        caller.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much")

    with raw_listener(script) as port:
        sent = Upload(BytesIO(body), len(body)) if in_a_file else body
        answer = DOOR.send(Request("POST", f"http://127.0.0.1:{port}/", body=sent))
    assert (answer.status, answer.body) == (413, b"too much")


def test_who_hangs_up_in_the_middle_of_a_body_without_a_word_has_not_answered() -> None:
    def script(caller: socket.socket) -> None:
        caller.recv(1_024)

    with raw_listener(script) as port, pytest.raises(Unanswered) as caught:
        DOOR.send(Request("POST", f"http://127.0.0.1:{port}/", body=bytes(30_000_000)))
    assert caught.value.may_have_acted
