"""How long requests took, out of how often each duration came: exact, and packed small enough to be kept for every day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PAIR = np.dtype("<u4")  # milliseconds, then how often they came; a whole month of milliseconds fits

_DENSE = 64


@dataclass(frozen=True, slots=True)
class Latency:
    """In milliseconds. Percentiles are durations that occurred (nearest rank)."""

    mean_ms: float
    p50_ms: int
    p95_ms: int


def packed(times: Mapping[int, int]) -> bytes:
    """`times`: milliseconds → how often."""
    return np.array(sorted(times.items()), dtype=_PAIR).tobytes()


def together(parts: Iterable[bytes | memoryview]) -> bytes:
    """One of several packed ones, in which each duration stands once."""
    durations, times = _pairs(b"".join(parts))
    if not len(durations):
        return b""
    if durations.max() <= _DENSE * len(durations):  # counted in their places, which takes no sorting
        often = np.bincount(durations, weights=times)
        once = np.flatnonzero(often)
        often = often[once]
    else:
        once, places = np.unique(durations, return_inverse=True)
        often = np.bincount(places, weights=times)
    return np.stack((once, often.astype(np.int64)), axis=1).astype(_PAIR).tobytes()


def latency(part: bytes) -> Latency | None:
    """Of what `packed` or `together` returned; None where nothing is in it."""
    durations, times = _pairs(part)
    if not len(durations):
        return None
    passed = np.cumsum(times)
    count = int(passed[-1])
    mean = float(np.dot(durations, times)) / count
    return Latency(round(mean, 1), *(int(durations[np.searchsorted(passed, -(-count * one // 100))]) for one in (50, 95)))


def _pairs(part: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pairs = np.frombuffer(part, dtype=_PAIR).astype(np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
