"""Token buckets: how often one account may be asked in one region, counted over the whole process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

_MAX_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` calls on the long run, `burst` at once after a pause."""

    per_second: float
    burst: int


class TokenBucket:
    """A bucket that is full at first and fills at a steady rate."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._lock = Lock()
        self._tokens = float(rate.burst)
        self._at = time.monotonic()

    def take(self) -> float:
        """Take a token and return 0.0, or take none and return the seconds until there will be one."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
            self._at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return 0.0
            return (1 - self._tokens) / self._rate.per_second

    def wait(self) -> None:
        """Take a token, however long it takes to get one."""
        while (pause := self.take()) > 0:
            time.sleep(pause)


_buckets: OrderedDict[tuple[Hashable, Rate], TokenBucket] = OrderedDict()
_lock = Lock()


def bucket_for(key: Hashable, rate: Rate) -> TokenBucket:
    """The bucket of this process for `key`; the least used ones are forgotten, and so are full again."""
    with _lock:
        bucket = _buckets.setdefault((key, rate), TokenBucket(rate))
        _buckets.move_to_end((key, rate))
        while len(_buckets) > _MAX_BUCKETS:
            _buckets.popitem(last=False)
        return bucket
