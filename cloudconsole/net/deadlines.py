"""Ends what takes too long. One thread of the process watches over everything that has a deadline: a timer of its own for each
request, as `threading.Timer` is, costs more than all else that the door does.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import structlog

log = structlog.get_logger(__name__)


class Watch:
    """`within` calls what it is given when the time is over, from the watching thread: it must be quick and must not wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, end: Callable[[], None]) -> Iterator[None]:
        """`end` is called once if the `with` lasts longer than `seconds`; where both happen at once, perhaps just behind it."""
        one, due = object(), time.monotonic() + seconds
        try:
            with self._changed:
                self._due[one] = due, end
                self._awake(due)
            yield
        finally:
            with self._changed:
                self._due.pop(one, None)

    def _awake(self, due: float) -> None:
        """Raises RuntimeError where the machine has no thread left; the next one tries again."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
            thread.start()
            self._thread = thread
        elif due < self._wakes_at:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            try:
                ends = self._over()
            except RuntimeError:  # a collection of garbage ended something, in this thread, while all were looked through
                continue
            for end in ends:
                try:
                    end()
                except Exception:
                    log.exception("deadline_failed")

    def _over(self) -> list[Callable[[], None]]:
        """Waits until the next deadline, or until there is an earlier one. What ended before its time is passed over."""
        with self._changed:
            self._wakes_at = min((due for due, _ in self._due.values()), default=math.inf)
            self._changed.wait(None if self._wakes_at == math.inf else max(0.0, self._wakes_at - time.monotonic()))
            now = time.monotonic()
            over = [one for one, (due, _) in list(self._due.items()) if due <= now]
            ended = [self._due.pop(one, None) for one in over]  # None: a collection of garbage was quicker
            return [end for _, end in filter(None, ended)]


_watches = [Watch()]


def _watch_anew() -> None:
    """A forked process has no thread but the one that forked, and nothing of what its parent was waiting for."""
    _watches[:] = [Watch()]


os.register_at_fork(after_in_child=_watch_anew)


def within(seconds: float, end: Callable[[], None]) -> AbstractContextManager[None]:
    """`Watch.within` of this process."""
    return _watches[0].within(seconds, end)
