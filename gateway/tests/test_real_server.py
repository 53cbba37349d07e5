"""The proxy in a worker as it is deployed: who goes away, who waits, and what the others have of it meanwhile."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.installations import Installation, Running, kill
from tests.services import free_port

pytestmark = pytest.mark.django_db  # of processes of its own, on the database under test

WITHIN_S = 30  # a loaded machine takes its time; nothing here would end by itself within that
BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
MANY = 24  # more than a pool lends connections to the database

Script = Callable[[socket.socket], None]


@dataclass
class Service:
    """Does with each caller as its script says. `hung_up`: one has ended the connection."""

    script: Script
    port: int
    hung_up: threading.Event

    def serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.recv(65_536)
            self.script(caller)
        self.hung_up.set()


@contextmanager
def serving(script: Script) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0), backlog=MANY) as server:
        service = Service(script, server.getsockname()[1], threading.Event())

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=service.serve, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield service
        server.shutdown(socket.SHUT_RDWR)


def talks(caller: socket.socket) -> None:
    """Event after event, as long as somebody listens."""
    caller.sendall(BEGINNING)
    while True:
        caller.sendall(b"data: more\n\n")
        time.sleep(0.05)


def falls_silent(caller: socket.socket) -> None:
    """One event, and then none until the other side hangs up."""
    caller.sendall(BEGINNING)
    caller.recv(1)


def promises(caller: socket.socket) -> None:
    """The beginning of something large, and then nothing until the other side hangs up."""
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\ndata: 1\n\n")
    caller.recv(1)


def takes_its_time(caller: socket.socket) -> None:
    time.sleep(2)
    caller.sendall(BEGINNING)
    caller.recv(1)


def says_nothing(caller: socket.socket) -> None:
    caller.recv(1)


SCRIPTS = (talks, falls_silent, promises, takes_its_time, says_nothing)


@dataclass(frozen=True)
class Console:
    port: int
    token: str
    services: dict[str, Service]

    def ask(self, path: str) -> tuple[HTTPConnection, Callable[[], HTTPResponse]]:
        """The request is sent; what is returned second waits for the head of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        connection.request("GET", path, headers={"Authorization": f"Token {self.token}"})
        return connection, connection.getresponse

    def told(self, path: str) -> Any:
        connection, answer = self.ask(path)
        try:
            return json.load(answer())
        finally:
            connection.close()

    def log_of(self, name: str) -> dict[str, Any]:
        """The only request to that service, once it is over."""
        rows = within(lambda: self.told(f"/api/stats/request-logs?api_name={name}")["results"])
        assert len(rows) == 1
        found: dict[str, Any] = rows[0]
        return found


class _Installation(Installation):
    def __init__(self, url: str, folder: Path, services: dict[str, Service]) -> None:
        super().__init__("gateway.tests.installation", database_url=url, folder=folder, EGRESS_ALLOW_CIDRS="127.0.0.1/32")
        self.port = free_port()
        self._services = {name: f"http://127.0.0.1:{one.port}" for name, one in services.items()}

    def given(self) -> dict[str, Any]:
        return {"port": self.port, "services": self._services}


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with ExitStack() as stack:
        services = {script.__name__: stack.enter_context(serving(script)) for script in SCRIPTS}
        installation = _Installation(database_url, tmp_path, services)
        token = installation.told("prepare")["token"]
        worker = installation.start("serve")
        stack.callback(kill, worker)
        within(lambda: _answers(installation.port, worker), 4 * WITHIN_S)
        yield Console(installation.port, token, services)


def _answers(port: int, worker: Running) -> bool:
    assert worker.poll() is None
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def within(tell: Callable[[], Any], seconds: float = WITHIN_S) -> Any:
    """What is told, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (found := tell()):
        assert time.monotonic() < deadline
        time.sleep(0.05)  # asks another process; nothing is assumed about how long it takes
    return found


@pytest.mark.parametrize("name", ["talks", "falls_silent", "promises"])
def test_a_caller_who_goes_away_in_the_middle_ends_the_request(name: str, console: Console) -> None:
    connection, answer = console.ask(f"/api/proxy/{name}/events")
    head = answer()
    assert (head.status, head.read1(9)) == (200, b"data: 1\n\n")
    assert not console.services[name].hung_up.is_set()
    head.close()
    connection.close()
    assert console.services[name].hung_up.wait(WITHIN_S)
    row = console.log_of(name)
    assert (row["status_code"], row["error"]) == (200, "caller_gone")
    assert row["response_bytes"] >= len(b"data: 1\n\n")


def test_an_answer_that_nobody_waited_for_is_in_the_log(console: Console) -> None:
    connection, _ = console.ask("/api/proxy/takes_its_time/")
    time.sleep(0.5)  # for it to leave
    connection.close()
    assert console.services["takes_its_time"].hung_up.wait(WITHIN_S)
    row = console.log_of("takes_its_time")
    assert (row["status_code"], row["error"], row["response_bytes"]) == (200, "caller_gone", 0)


def test_those_who_wait_for_a_service_leave_the_database_to_others(console: Console) -> None:
    """Streams that are open, and requests whose answers have not begun, each more than there are connections in the pool."""
    with ExitStack() as stack:
        waiting = [console.ask(f"/api/proxy/{name}/{n}") for n in range(MANY) for name in ("falls_silent", "says_nothing")]
        for connection, _ in waiting:
            stack.callback(connection.close)
        heads = [answer() for _, answer in waiting[::2]]
        assert {head.read1(4096) for head in heads} == {b"data: 1\n\n"}
        began = time.monotonic()
        assert [console.told("/api/keys")["count"] for _ in range(3)] == [len(SCRIPTS)] * 3
        assert time.monotonic() - began < WITHIN_S / 3
