"""Metrics as somebody arranged them: from a moment on, each minute of a series has a value, or none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

_MINUTE = timedelta(minutes=1)
Name = tuple[str, str, frozenset[tuple[str, str]]]  # namespace, metric, dimensions


@dataclass(frozen=True, slots=True)
class Level:
    """What each minute from `since` on is; None: CloudWatch gets no data."""

    since: datetime
    value: float | None


class Levels:
    """The arranged series of all accounts. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._levels: dict[tuple[str, str], dict[Name, list[Level]]] = {}

    def put(self, account: str, region: str, name: Name, level: Level) -> None:
        """Levels are told in the order of time; one at an earlier moment forgets those after it."""
        with self._lock:
            told = self._levels.setdefault((account, region), {}).setdefault(name, [])
            told[:] = [*(one for one in told if one.since < level.since), level]

    def of(self, account: str, region: str) -> dict[Name, list[Level]]:
        with self._lock:
            return {name: list(told) for name, told in self._levels.get((account, region), {}).items()}


def minutes(told: list[Level], start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Every minute from `start` up to, without, `end` that has a value."""
    begins = [level.since for level in told]
    at = max(start, begins[0]).replace(second=0, microsecond=0)
    while at < end:
        level = told[max(0, bisect_right(begins, at) - 1)]
        if at >= start and level.value is not None:
            yield at, level.value
        at += _MINUTE
