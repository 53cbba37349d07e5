"""The clock of processes that a test starts: real time, moved ahead by the seconds in the file that MOVED_CLOCK names.

The interpreter imports this module by itself where the folder is on PYTHONPATH. Only a test puts it there, and what moves the
clock is a dependency of the tests alone: nothing that is shipped knows of it.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import time_machine

_LOOK_EVERY_S = 0.05


class MovedClock:
    """Follows the file; a forked process goes on with a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead_s = 0.0
        self._traveller = time_machine.travel(datetime.now(UTC), tick=True).start()
        self._follow()
        os.register_at_fork(after_in_child=self._start)

    def _start(self) -> None:
        threading.Thread(target=self._keep_following, daemon=True).start()

    def _keep_following(self) -> None:
        while True:
            self._follow()
            time.sleep(_LOOK_EVERY_S)

    def _follow(self) -> None:
        wanted = float(self._path.read_text() or 0)
        if wanted != self._ahead_s:
            self._traveller.shift(wanted - self._ahead_s)
            self._ahead_s = wanted

    @classmethod
    def begin(cls, path: Path) -> None:
        cls(path)._start()


if path := os.environ.get("MOVED_CLOCK"):
    MovedClock.begin(Path(path))
