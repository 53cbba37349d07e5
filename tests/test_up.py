"""`manage.py up` as people use it: a process started in an empty folder, looked at over HTTP, and stopped or killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.services import free_port

ROOT = Path(__file__).resolve().parent.parent
WITHIN_S = 120


class Up:
    """A running `manage.py up` on data of its own."""

    def __init__(self, var_dir: Path, **environment: str) -> None:
        inherited = {
            k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL", "DEMO_DATA")
        }
        self.port = int(environment.get("PORT") or free_port())
        self._output = var_dir.with_suffix(".out")
        self._file = self._output.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env={**inherited, "VAR_DIR": str(var_dir), "PORT": str(self.port), **environment},
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def until_said(self, pattern: str) -> re.Match[str]:
        """Wait until the terminal shows `pattern`; fails when the process ends before."""
        found: re.Match[str] | None = None

        def said_it() -> bool:
            nonlocal found
            found = re.search(pattern, self.said)
            return found is not None or self.process.poll() is not None

        wait_until(said_it, f"{pattern} in:\n{self.said}")
        assert found, self.said
        return found

    def children(self) -> set[int]:
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(WITHIN_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._file.close()

    def ask(self, path: str, body: dict[str, str] | None = None, token: str = "") -> Any:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers), timeout=20) as answer:
            return json.load(answer)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    running: list[Up] = []

    def start_one(**environment: str) -> Up:
        running.append(Up(tmp_path / "var", **environment))
        return running[-1]

    yield start_one
    for each in running:
        each.close()


def test_one_command_fills_the_overview_and_leaves_nothing_behind(start: Callable[..., Up]) -> None:
    up = start()
    password = up.until_said(r"Sign in +admin +/ +(\S+)").group(1)
    up.until_said(r"costs +up to date")
    token = up.ask("/api/auth/token", {"username": "admin", "password": password})["access_token"]
    assert up.ask("/api/accounts", token=token)["count"] == 4
    costs = up.ask("/api/costs?start=2026-01-01&end=2026-02-01&group_by=service", token=token)
    assert costs["results"]
    children = up.children()
    assert up.stop() == 0
    wait_until(lambda: all(map(is_gone, children)), f"the end of {children}")
    # Starting again is quick, goes on with the same data, and says no password twice.
    again = start(PORT=str(up.port))
    again.until_said(r"costs +up to date")
    assert password not in again.said
    assert again.ask("/api/accounts", token=token)["count"] == 4
    children = again.children()
    again.process.kill()
    wait_until(lambda: all(map(is_gone, children)), f"the end of {children} after a kill")


def test_a_process_that_dies_is_started_again(start: Callable[..., Up], database_url: str) -> None:
    up = start(DATABASE_URL=database_url, DEMO="0", ADMIN_PASSWORD="correct horse battery staple")
    up.until_said("Ready after")
    assert "with the password in ADMIN_PASSWORD" in up.said
    assert "simulator" not in up.said
    web = next(pid for pid in up.children() if "uvicorn" in Path(f"/proc/{pid}/cmdline").read_text())
    os.kill(web, signal.SIGKILL)
    up.until_said(r"The web process ended \(signal SIGKILL\)")
    wait_until(lambda: _answers(up), "the next web process")
    assert up.stop(signal.SIGTERM) == 0


def _answers(up: Up) -> bool:
    try:
        return bool(up.ask("/healthz") == {"status": "ok"})
    except OSError:
        return False


def test_a_taken_port_is_said_in_a_sentence(start: Callable[..., Up], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        up = start(PORT=str(taken.getsockname()[1]))
        assert up.process.wait(WITHIN_S) == 1
    assert f"Port {up.port} is taken" in up.said
    assert "Traceback" not in up.said


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(start: Callable[..., Up], tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    up = start(VAR_DIR=str(blocked / "var"))
    assert up.process.wait(WITHIN_S) == 1
    assert "Let VAR_DIR name a folder that this user may write" in up.said
    assert "Traceback" not in up.said


def test_a_folder_that_can_no_longer_be_written_is_said_in_a_sentence(start: Callable[..., Up], tmp_path: Path) -> None:
    secrets = {name: f"{name} of an installation that was here before" for name in ("SECRET_KEY", "FERNET_KEYS", "AUDIT_KEY")}
    (tmp_path / "var" / "up.lock").mkdir(parents=True)  # permissions would not stop root
    up = start(**secrets)
    assert up.process.wait(WITHIN_S) == 1
    assert f"{tmp_path / 'var'} cannot be written" in up.said
    assert "Traceback" not in up.said


def test_a_setting_that_means_nothing_is_said_in_a_sentence(start: Callable[..., Up]) -> None:
    up = start(DEBUG="maybe")
    assert up.process.wait(WITHIN_S) == 1
    assert "Misconfigured: DEBUG must be true or false, not 'maybe'." in up.said
    assert "Traceback" not in up.said


def test_a_database_that_does_not_answer_is_said_in_a_sentence(start: Callable[..., Up]) -> None:
    up = start(DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/nothing")
    assert up.process.wait(WITHIN_S) == 1
    assert "The database in DATABASE_URL does not answer" in up.said
    assert "Traceback" not in up.said


def test_a_broker_that_does_not_answer_is_said_in_a_sentence(start: Callable[..., Up]) -> None:
    up = start(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert up.process.wait(WITHIN_S) == 1
    assert "Redis in REDIS_URL does not answer" in up.said
    assert "Traceback" not in up.said
