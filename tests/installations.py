"""A whole installation of its own for a test in the browser: started by `manage.py up`, on databases that nobody else uses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings

from cloudconsole.simulator.process import SimulatorHandle
from tests.services import free_port

PROJECT = Path(__file__).resolve().parent.parent
ADMIN, PASSWORD = "ada", "correct-horse-battery-staple"


@dataclass(frozen=True)
class Console:
    """An installation that runs on its own, and the organization whose costs it reads."""

    url: str
    simulator: SimulatorHandle


@contextmanager
def installation(simulator: SimulatorHandle, folder: Path, *, number: int) -> Iterator[Console]:
    """`manage.py up` on SQLite or, in the team run, on PostgreSQL and Redis. `number` keeps two of one process apart."""
    with own_database(number) as database:
        port = free_port()
        environment = {
            **os.environ,
            **database,
            "VAR_DIR": str(folder),
            "PORT": str(port),
            "AWS_ENDPOINT_URL": simulator.url,
            "ADMIN_USERNAME": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "manage.py", "up"]
        with (folder / "terminal").open("wb") as terminal:
            running = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=terminal, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(port) or running.poll() is not None, "the installation answers")
            assert running.poll() is None, (folder / "terminal").read_text()
            yield Console(f"http://127.0.0.1:{port}", simulator)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 0


def ask(console: Console, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    """The JSON that a program gets from the API."""
    connection = HTTPConnection(urlsplit(console.url).netloc, timeout=30)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        assert answer.status < 400, answer.read()
        return json.load(answer)
    finally:
        connection.close()


@contextmanager
def own_database(number: int) -> Iterator[dict[str, str]]:
    """Environment of a database that only this installation uses."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield {"DATABASE_URL": "", "REDIS_URL": ""}
        return
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    name = f"cloudconsole_browser_{os.getpid()}_{number}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"DATABASE_URL": f"{server}/{name}", "REDIS_URL": redis_database(number)}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def redis_database(number: int) -> str:
    """Of the sixteen, the tests' own are counted from the first on, so those of the installations are from the last."""
    server, _, worker = settings.REDIS_URL.rpartition("/")
    return f"{server}/{15 - 2 * int(worker) - number}"


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)  # polls a process outside; nothing is assumed about how long it takes
