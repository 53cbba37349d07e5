"""What was asked of the simulator, so that tests can count requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS request: `status` 0 is a connection that was broken; `error` is AWS's code or empty."""

    service: str
    operation: str
    account: str
    access_key_id: str
    region: str
    page: int
    status: int
    error: str


class CallLog:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: deque[Call] = deque(maxlen=_REMEMBERED)

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
