from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudconsole.management import guard
from cloudconsole.management.processes import Processes, Program

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(600)"


class Told(list[str]):
    """What the person at the terminal was told."""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def processes(tmp_path: Path, told: Told) -> Iterator[Processes]:
    made = Processes(tmp_path / "log", told.append)
    yield made
    made.stop(grace_s=0.5)


def python(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_program_that_ends_is_told_with_its_last_words_and_started_again(processes: Processes, told: Told) -> None:
    child = processes.start(python("short", "print('my last words', flush=True); raise SystemExit(3)"))
    until(lambda: processes.tend() == ["short"], "a restart")
    assert "exit status 3" in told[0]
    assert "my last words" in told[0]
    first_pause = child.pause_s
    until(lambda: processes.tend() != [] or len(told) > 1, "a second end")
    assert child.pause_s > first_pause  # what dies young is started later each time


def test_a_program_that_does_not_listen_is_ended(tmp_path: Path, told: Told) -> None:
    processes = Processes(tmp_path / "log", told.append)
    child = processes.start(python("stubborn", STUBBORN))
    until(lambda: "here" in child.last_words(), "the program's start")
    processes.stop(grace_s=0.3)
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_the_guard_ends_what_is_left_when_its_input_closes() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as left:
        done = subprocess.run([sys.executable, guard.__file__], input=f"+{left.pid}\n", text=True, check=False, timeout=120)
        assert done.returncode == 0
        assert left.wait(5) == -signal.SIGTERM


def test_the_guard_leaves_alone_what_it_was_told_to_forget() -> None:
    assert guard.watch(["+11\n", "+12\n", "-11\n"]) == {12}
