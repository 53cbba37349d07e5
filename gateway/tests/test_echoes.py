"""What a service says back of a secret never reaches the caller."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, Reply, raw_listener
from gateway.models import RequestLog
from gateway.rules.scrubbing import Scrubber
from gateway.tests.conftest import SECRET, Store
from gateway.tests.test_proxy import Api, body_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        "sk-test%2F0123456789%2Babcdef%3D%3D",
        "sk-test%2f0123456789%2babcdef%3d%3d",
        "c2stdGVzdC8wMTIzNDU2Nzg5K2FiY2RlZj09",
        "AHNrLXRlc3QvMDEyMzQ1Njc4OSthYmNkZWY9PQ",
        "sk-test\\/0123456789+abcdef==",
        SECRET.encode().hex(),
    ],
)
def test_a_secret_that_is_said_back_is_taken_out(written: str, store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    service.answer = lambda asked: Reply(headers={"X-Echo": f"a {written} b"}, body=f"begin {written} end".encode())
    streamed = api(ada).get("/api/proxy/svc/echo")
    text = body_of(streamed).decode()
    assert text.startswith("begin ")
    assert text.endswith(" end")
    whole = api(ada).post("/api/proxy", {"url": "/echo", "api_key_id": key.pk}).json()
    for said in (text, streamed.headers["X-Echo"], whole["body"], whole["headers"]["X-Echo"]):
        assert "[redacted]" in said
        assert written not in said


@pytest.mark.parametrize("letters", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("written", [SECRET, "c2stdGVzdC8wMTIzNDU2Nzg5K2FiY2RlZj09"])
def test_a_secret_is_taken_out_of_wide_letters(
    letters: str, written: str, store: Store, service: Listener, ada: User, api: Api
) -> None:
    store()
    service.answer = lambda asked: Reply(body=f"begin {written} ends".encode(letters))
    assert body_of(api(ada).get("/api/proxy/svc/echo")).decode(letters) == "begin [redacted] ends"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, partial(zlib.compress, level=1)])
def test_an_answer_that_is_compressed_more_often_than_it_says_is_refused(
    pack: Callable[[bytes], bytes], store: Store, service: Listener, ada: User, api: Api
) -> None:
    key = store()
    service.answer = lambda asked: Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(pack(SECRET.encode())))
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"]) == (502, "answer_unusable")
    assert RequestLog.objects.get().error == "answer_unusable"


def _chunks(*parts: bytes) -> Callable[[socket.socket], None]:
    def script(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            caller.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            time.sleep(0.01)
        caller.sendall(b"0\r\n\r\n")

    return script


def test_a_secret_is_found_where_chunks_meet(store: Store, ada: User, api: Api) -> None:
    parts = [f"data: {SECRET[:i]}".encode() + b"" for i in (3,)] + [SECRET[3:9].encode(), SECRET[9:].encode(), b"\n\n"]
    with raw_listener(_chunks(*parts)) as port:
        store(base_url=f"http://127.0.0.1:{port}")
        assert body_of(api(ada).get("/api/proxy/svc/events")) == b"data: [redacted]\n\n"


@pytest.mark.parametrize("first", ["identity", ""])
def test_a_coding_that_a_second_header_names_is_opened_as_well(
    first: str, store: Store, service: Listener, ada: User, api: Api
) -> None:
    key = store()
    packed = gzip.compress(f"begin {SECRET} end".encode())
    service.answer = lambda asked: Reply(headers={"Content-Encoding": first}, body=packed, more=(("Content-Encoding", "gzip"),))
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert (answer["body"], answer["body_encoding"]) == ("begin [redacted] end", "utf-8")


def test_a_header_whose_name_is_the_secret_is_not_handed_on(store: Store, service: Listener, ada: User, api: Api) -> None:
    store(api_key="sk-test-0123456789")
    service.answer = lambda asked: Reply(headers={"X-sk-test-0123456789": "a", "X-Kept": "b"})
    answer = api(ada).get("/api/proxy/svc/x")
    assert body_of(answer) == b"ok"
    assert [name for name in answer.headers if name.startswith("X-") and name != "X-Content-Type-Options"].count("X-Kept") == 1
    assert "sk-test" not in str(answer.headers)
    assert "redacted" not in str(answer.headers)


@pytest.mark.parametrize("written", ["sk-test-0123456789", "c2stdGVzdC0wMTIzNDU2Nzg5"])
@pytest.mark.parametrize("scheme", ["path", "bearer"])
def test_a_secret_that_its_owner_types_into_a_path_is_not_kept(
    scheme: str, written: str, store: Store, service: Listener, ada: User, api: Api, client: Client
) -> None:
    """As when a whole address is pasted beside the key that would have filled it in."""
    base = service.url(path="/bot{key}" if scheme == "path" else "")
    key = store(api_key="sk-test-0123456789", auth_scheme=scheme, base_url=base)
    for url in (service.url(path=f"/bot{written}/me?token={written}"), service.url(path="/" + "a" * 1010 + "/" + written)):
        api(ada).post("/api/proxy", {"url": url, "api_key_id": key.pk})
    rows = list(RequestLog.objects.values_list("path", flat=True))
    assert len(rows) == 2
    assert not any(written[:8] in path for path in rows)
    assert any(path.startswith("/bot[redacted]") for path in rows)
    client.force_login(ada)
    assert written not in client.get("/keys/statistics").content.decode()


LETTERS = st.binary(max_size=60).map(lambda some: bytes(97 + one % 2 for one in some))


@given(st.lists(LETTERS.filter(lambda one: len(one) >= 8), min_size=1, max_size=3), st.lists(LETTERS, max_size=8))
def test_what_is_held_back_is_what_may_be_the_beginning(found: list[bytes], chunks: list[bytes]) -> None:
    """No piece that is handed on ends with the beginning of a form, and no more than that is held back."""
    scrubber = Scrubber(tuple(sorted(found, key=lambda form: (-len(form), form))))
    passed = b""
    for chunk in chunks:
        clean = scrubber.feed(chunk)
        held = scrubber._held
        assert not held or any(form.startswith(held) for form in found)
        assert not any(
            clean.endswith(form[:n]) and form.startswith(clean[-n:] + held) for form in found for n in range(1, len(form))
        )
        passed += clean
    assert not any(form in passed + scrubber.end() for form in found)


def test_an_answer_that_is_nearly_a_long_secret_takes_no_time(store: Store, service: Listener, ada: User, api: Api) -> None:
    """Four mebibytes of beginnings that lead nowhere; to try each of them takes a minute."""
    key = store(api_key="ab" * 4096)
    service.answer = lambda asked: Reply(body=b"a" * 4_194_304)
    began = time.process_time()
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert answer["body"] == "a" * 4_194_304
    assert time.process_time() - began < 20
