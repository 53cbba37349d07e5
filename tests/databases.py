"""Migrated databases to copy: for the tests of a process, and for the processes that tests start and kill."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg

PROJECT = Path(__file__).resolve().parent.parent
MADE_BEFORE = "TEST_TEMPLATE_DATABASE"  # the environment's name of a migrated database on the server under test


class Template(Protocol):
    """A migrated database without rows of anybody's."""

    def copied(self, name: str, folder: Path) -> AbstractContextManager[str]:
        """The DATABASE_URL of a copy called `name`, or in a file in `folder`; it is gone at the end."""
        ...


@contextmanager
def template(folder: Path, kept_in: Path) -> Iterator[Template]:
    """On the server under test where there is one, else the file in `kept_in`."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield FileTemplate(migrated_file(kept_in))
        return
    if MADE_BEFORE in os.environ:
        yield ServerTemplate(server, os.environ[MADE_BEFORE])
        return
    with migrated_on(server, folder) as name:
        yield ServerTemplate(server, name)


@contextmanager
def migrated_on(server: str, folder: Path) -> Iterator[str]:
    """The name of a migrated database on the PostgreSQL `server`, for as long as this lasts. `folder` is its VAR_DIR."""
    name = f"template_{os.getpid()}"
    with _made(server, name) as url:
        _migrate(url, folder)
        yield name


def migrated_file(folder: Path) -> Path:
    """A SQLite database in `folder`, kept there until a migration changes. Safe for several processes at once."""
    path = folder / f"{_migrations_digest()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for older in folder.glob("*.sqlite3*"):
                older.unlink()
            unfinished = path.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            with tempfile.TemporaryDirectory() as var_dir:
                _migrate(f"sqlite:///{unfinished}", Path(var_dir))
            with closing(sqlite3.connect(unfinished)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            unfinished.rename(path)
    return path


@contextmanager
def in_memory(name: str, source: Path) -> Iterator[None]:
    """The shared database `name` of this process's memory is a copy of the file `source`."""
    with (
        closing(sqlite3.connect(source)) as stored,
        closing(sqlite3.connect(f"file:{name}?mode=memory&cache=shared", uri=True)) as kept,
    ):
        stored.backup(kept)
        yield


def _migrations_digest() -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted(PROJECT.glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:32]


class FileTemplate:
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def copied(self, name: str, folder: Path) -> Iterator[str]:
        path = folder / "cloudconsole.sqlite3"
        shutil.copy(self.path, path)
        yield f"sqlite:///{path}"


class ServerTemplate:
    """A database of a PostgreSQL server."""

    def __init__(self, server: str, name: str) -> None:
        self._server, self._name = server, name

    @contextmanager
    def copied(self, name: str, folder: Path) -> Iterator[str]:
        with _made(self._server, f"{name}_{os.getpid()}", f"TEMPLATE {self._name}") as url:
            yield url


@contextmanager
def _made(server: str, name: str, how: str = "") -> Iterator[str]:
    with psycopg.connect(urlunsplit(urlsplit(server)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {how}".encode())
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _migrate(url: str, folder: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "REDIS_URL": "", "VAR_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=PROJECT, env=environment, check=True)
