"""Whose turn it is to read quotas, and what a turn is: places are claimed, asked side by side, and their answers stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from django.core.cache import cache

from accounts.services import credentials
from cloudconsole.aws import fanout
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.fanout import Failed
from cloudconsole.core.errors import CloudconsoleError
from resources.models import QuotaPlace
from resources.services.quotas import places

_TURN = "quotas:turn"
# Longer than reading takes; the turn of a worker that dies ends by itself. Two at once would do no harm: places are claimed.
_AT_MOST_S = 300
_SIDE_BY_SIDE = 16


class Ask(Protocol):
    """What is asked of one place."""

    @property
    def place(self) -> QuotaPlace: ...


A = TypeVar("A", bound=Ask)
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[A, R]):
    """One of the works on a place. `ask` runs in a thread and reads no database.

    `lease`: longer than a batch takes; a worker that dies gives its places back after that. `within_s`: when no further
    batch is begun. `deadline_s`: when a place that has not answered is given up.
    """

    work: places.Work
    prepare: Callable[[QuotaPlace, Access], A]
    ask: Callable[[A], R]
    store: Callable[[A, R], None]
    lost: Callable[[QuotaPlace, CloudconsoleError], None]
    lease: timedelta = timedelta(minutes=4)
    batch: int = 64
    within_s: float = 120.0
    deadline_s: float = 120.0

    def due(self) -> int:
        """Read the places whose time has come, a bounded number of them; how many that were."""
        done, end = 0, time.monotonic() + self.within_s
        while claimed := places.claim(self.work, lease=self.lease, most=self.batch):
            self._read(claimed)
            done += len(claimed)
            if time.monotonic() >= end:
                break
        return done

    def _read(self, claimed: Sequence[QuotaPlace]) -> None:
        asks = []
        for place in claimed:
            try:
                asks.append(self.prepare(place, credentials.access_for(place.account, None)))
            except CloudconsoleError as error:
                self.lost(place, error)
        for outcome in fanout.run(asks, self.ask, concurrency=_SIDE_BY_SIDE, deadline_s=self.deadline_s):
            if isinstance(outcome, Failed):
                self.lost(outcome.target.place, outcome.error)
            else:
                self.store(outcome.target, outcome.value)


def in_turn(read: Callable[[], int]) -> int:
    """How much was read; nothing while another worker reads, for the scheduler rings again. So what people ask for finds
    another worker free.
    """
    if not cache.add(_TURN, 1, _AT_MOST_S):
        return 0
    try:
        return read()
    finally:
        cache.delete(_TURN)
