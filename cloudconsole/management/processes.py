"""The processes that `manage.py up` keeps running: started in groups of their own, restarted when they die, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloudconsole.management import guard

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
LOG_KEPT_BYTES = 10_000_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One process: what people call it, and how it is started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Child:
    """A program and its running process, if it has one."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    restart_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """Starts programs and looks after them. `say` tells the person at the terminal what happened."""

    def __init__(self, log_dir: Path, say: Say) -> None:
        self._log_dir = log_dir
        self._say = say
        self._children: dict[str, Child] = {}
        self._guard = subprocess.Popen(
            [sys.executable, "-I", guard.__file__], stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        log_dir.mkdir(parents=True, exist_ok=True)

    def start(self, program: Program) -> Child:
        child = Child(program, self._log_dir / f"{program.name}.log")
        if child.log.exists() and child.log.stat().st_size > LOG_KEPT_BYTES:
            child.log.replace(child.log.with_suffix(".log.1"))
        self._children[program.name] = child
        self._spawn(child)
        return child

    def tend(self) -> list[str]:
        """Restart what died and is due; the names of the programs that were restarted. To be called again and again."""
        now = time.monotonic()
        return [child.program.name for child in self._children.values() if self._tend(child, now)]

    def is_running(self, name: str) -> bool:
        return self._children[name].is_running

    def stop(self, grace_s: float = guard.GRACE_S) -> None:
        """Ask every process to end, and end what did not within `grace_s` seconds. Nothing is left behind."""
        for child in self._children.values():
            child.restart_at = None
        groups = {child.process.pid for child in self._children.values() if child.process}
        for child in self._children.values():
            if child.process and child.is_running:
                child.process.terminate()  # it alone: a worker ends its own children when their work is done
        self._wait(grace_s)
        for group in groups:
            guard.send(group, signal.SIGKILL)
        self._wait(grace_s)
        for group in groups:
            self._tell_guard(f"-{group}")
        self._guard.communicate()

    def _spawn(self, child: Child) -> None:
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(
                child.program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **child.program.environment},
                start_new_session=True,
            )
        child.started_at, child.restart_at = time.monotonic(), None
        self._tell_guard(f"+{child.process.pid}")

    def _tend(self, child: Child, now: float) -> bool:
        if child.is_running:
            return False
        if child.restart_at is None:
            self._mourn(child, now)
        if child.restart_at is not None and now >= child.restart_at:
            self._spawn(child)
            return True
        return False

    def _mourn(self, child: Child, now: float) -> None:
        """Note that the process is gone, clear away what it left, and plan its successor: later each time it dies young."""
        assert child.process is not None  # noqa: S101 - a child is spawned before it is tended
        guard.send(child.process.pid, signal.SIGKILL)  # its own children, if it left some
        self._tell_guard(f"-{child.process.pid}")
        young = now - child.started_at < STEADY_AFTER_S
        child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S) if young else FIRST_PAUSE_S
        child.restart_at = now + child.pause_s
        self._say(
            f"The {child.program.name} process ended ({ending(child.process.returncode)}); "
            f"starting it again in {child.pause_s:.0f} s. Its log: {child.log}\n{child.last_words()}"
        )

    def _tell_guard(self, line: str) -> None:
        assert self._guard.stdin is not None  # noqa: S101 - opened as a pipe above
        try:
            self._guard.stdin.write(f"{line}\n")
            self._guard.stdin.flush()
        except BrokenPipeError:
            self._say("The guard process is gone; if this command is killed, its processes may stay behind.")

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(child.is_running for child in self._children.values()) and time.monotonic() < deadline:
            time.sleep(0.05)


def ending(code: int) -> str:
    """How a process ended, for people."""
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
