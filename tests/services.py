"""The real parts that tests run against: what this machine has of PostgreSQL, Redis and Chromium, and why not the rest."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import psycopg
import redis


@dataclass(frozen=True)
class Part:
    """A real part: where it is, or why it is missing."""

    name: str
    url: str = ""
    missing: str = ""

    @property
    def is_there(self) -> bool:
        return not self.missing


def postgresql() -> Part:
    """The server in TEST_DATABASE_URL, else the one on this machine's own address. Tests make databases of their own there."""
    user = os.environ.get("PGUSER") or getuser()
    url = os.environ.get("TEST_DATABASE_URL") or f"postgres://{user}@127.0.0.1:{os.environ.get('PGPORT', '5432')}/postgres"
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.OperationalError as error:
        return Part("PostgreSQL", missing=f"no server at 127.0.0.1 or in TEST_DATABASE_URL ({str(error).splitlines()[0]})")
    if row is None or not row[0]:
        return Part("PostgreSQL", missing="the user there may not create databases")
    base, _, _ = url.rpartition("/")
    return Part("PostgreSQL", url=f"{base}/cloudconsole_{os.getpid()}")


@contextmanager
def redis_server() -> Iterator[Part]:
    """The server in TEST_REDIS_URL (its databases 0 to 15 are emptied), else one started here for the tests alone."""
    given = os.environ.get("TEST_REDIS_URL", "")
    binary = shutil.which("redis-server")
    if given:
        yield Part("Redis", url=given) if _answers(given) else Part("Redis", missing="the server in TEST_REDIS_URL is silent")
    elif binary is None:
        yield Part("Redis", missing="no redis-server is installed and TEST_REDIS_URL is not set")
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield from _private_redis(binary, folder)


def chromium() -> Path | None:
    """The browser that page tests drive, if this machine has one."""
    given = os.environ.get("CHROMIUM", "")
    found = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return Path(found) if found else None


def browser() -> Part:
    found = chromium()
    return Part("Chromium", url=str(found)) if found else Part("Chromium", missing="it is not installed (package chromium)")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _private_redis(binary: str, folder: str) -> Iterator[Part]:
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--maxmemory-policy", "noeviction"]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 10
        while not _answers(url) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield Part("Redis", url=f"{url}/0") if _answers(url) else Part("Redis", missing="redis-server did not start")
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
