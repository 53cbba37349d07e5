"""Installations of their own in processes of their own, which a test may kill: `kill -9` asks no leave of Python.

The application is loaded once for each installation, by a process that forks for each command; a command starts at once then.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LONGEST_S = 300
_REACHED_WITHIN_S = 60
_PAUSE_S = 0.01  # polls a process outside; nothing is assumed about how long it takes
_LONGEST_MESSAGE = 65_536


class Installation:
    """Runs commands of `module`, each in a new process; `given` is told to it.

    `module` has `main(command, given)`. All processes share a database and a folder, as those of one installation do.
    """

    def __init__(self, module: str, *, database_url: str, folder: Path, **environment: str) -> None:
        own = {"DATABASE_URL": database_url, "REDIS_URL": "", "VAR_DIR": str(folder), "LOG_LEVEL": "ERROR"}
        self._loaded = _Loaded(module, os.environ | own | environment)

    def given(self) -> Mapping[str, Any]:
        return {}

    def start(self, command: str) -> Running:
        return self._loaded.start(command, self.given())

    def do(self, command: str) -> str:
        """What the command prints."""
        process = self.start(command)
        output = process.output()
        assert process.wait() == 0
        return output

    def told(self, command: str) -> dict[str, Any]:
        """The same, of a command that prints JSON."""
        found: dict[str, Any] = json.loads(self.do(command))
        return found

    def tell(self) -> dict[str, Any]:
        return self.told("tell")

    def kill_when(self, reached: Callable[[], bool], command: str = "work") -> None:
        """Start a worker and end it, without a warning, as soon as it came so far."""
        worker = self.start(command)
        deadline = time.monotonic() + _REACHED_WITHIN_S
        while not reached() and time.monotonic() < deadline:
            assert worker.poll() is None
        kill(worker)


class Running:
    """A process that runs one command; its standard output is `stdout`."""

    def __init__(self, loaded: _Loaded, pid: int, stdout: int) -> None:
        self._loaded, self.pid, self.stdout = loaded, pid, os.fdopen(stdout)
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit status, negative after a signal, or nothing while it runs."""
        if self._code is None:
            self._code = self._loaded.ask({"ended": self.pid})
        return self._code

    def wait(self) -> int:
        deadline = time.monotonic() + _LONGEST_S
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, "the command does not end"
            time.sleep(_PAUSE_S)
        self.stdout.close()
        return code

    def output(self) -> str:
        return self.stdout.read()


def kill(process: Running) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


class _Loaded:
    """The process that has the application loaded."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.installations", module]
            process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=ROOT, env=dict(environment))
        self.close = weakref.finalize(self, _end, self._line, process)

    def start(self, command: str, given: Mapping[str, Any]) -> Running:
        reads, writes = os.pipe()
        pid = self.ask({"command": command, "given": given}, writes)
        os.close(writes)
        assert pid is not None
        return Running(self, pid, reads)

    def ask(self, what: Mapping[str, Any], *descriptors: int) -> int | None:
        socket.send_fds(self._line, [json.dumps(what).encode()], list(descriptors))
        answer: int | None = json.loads(self._line.recv(_LONGEST_MESSAGE))
        return answer


def _end(line: socket.socket, process: subprocess.Popen[bytes]) -> None:
    line.close()
    process.wait(_LONGEST_S)


# --- in the process that has the application loaded


def _serve(module: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    commands = importlib.import_module(module)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line:
        while True:
            message, descriptors, _, _ = socket.recv_fds(line, _LONGEST_MESSAGE, 1)
            if not message:
                return
            asked = json.loads(message)
            if "ended" in asked:
                line.send(json.dumps(_ended(asked["ended"])).encode())
            elif (pid := os.fork()) == 0:
                break
            else:
                os.close(descriptors[0])
                line.send(json.dumps(pid).encode())
    os.dup2(descriptors[0], sys.stdout.fileno())
    os.close(descriptors[0])
    commands.main(asked["command"], asked["given"])


def _ended(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    _serve(sys.argv[1])
