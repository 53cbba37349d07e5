"""AWS/Bedrock in CloudWatch: tokens, invocations and throttles of each model in each minute (Bedrock user guide, monitoring).

A minute is told when it is over, and only if something happened in it. Production's story runs by itself; a test writes
minutes of its own.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.cloudwatch import Series
from cloudconsole.simulator.organization import PRODUCTION, STAGING
from cloudconsole.simulator.quotas.story import EU, US

_MINUTE = timedelta(minutes=1)
_METRICS = (
    "InputTokenCount", "OutputTokenCount", "CacheWriteInputTokens", "CacheReadInputTokens", "Invocations",
    "InvocationThrottles", "EstimatedTPMQuotaUsage",
)  # fmt: skip
_FIVE_FOLD = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """One minute of one model. `estimates`: the values of EstimatedTPMQuotaUsage that Bedrock sent in it."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write: int = 0
    cache_read: int = 0
    invocations: int = 0
    throttles: int = 0
    estimates: tuple[float, ...] = ()

    def values(self, metric: str) -> Sequence[float]:
        if metric == "EstimatedTPMQuotaUsage":
            return self.estimates
        told = {
            "InputTokenCount": self.input_tokens,
            "OutputTokenCount": self.output_tokens,
            "CacheWriteInputTokens": self.cache_write,
            "CacheReadInputTokens": self.cache_read,
            "Invocations": self.invocations,
            "InvocationThrottles": self.throttles,
        }[metric]
        return (float(told),) if told else ()


@dataclass(frozen=True, slots=True)
class _Use:
    """How busy a model is in the story: tokens that a usual busy minute burns, and the share refused in a rush."""

    model: str
    busy: int
    throttled: float = 0.0
    estimated: bool = True


_STORY: dict[tuple[str, str], tuple[_Use, ...]] = {
    (PRODUCTION, US): (
        _Use("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 415_000, 0.04),
        _Use("global.anthropic.claude-haiku-4-5-20251001-v1:0", 520_000),
        _Use("us.anthropic.claude-opus-4-6-v1", 130_000),
        _Use("anthropic.claude-3-haiku-20240307-v1:0", 60_000, estimated=False),
    ),
    (PRODUCTION, EU): (_Use("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 210_000),),
    (STAGING, EU): (_Use("eu.anthropic.claude-haiku-4-5-20251001-v1:0", 40_000, estimated=False),),
}


@dataclass(slots=True)
class _Written:
    figures: dict[datetime, Figures] = field(default_factory=dict)


class Bedrock:
    """The minutes of all accounts. Safe to use from many threads."""

    def __init__(self, seed: int, clock: SimulatedClock) -> None:
        self._seed = seed
        self._clock = clock
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._written: dict[tuple[str, str, str], _Written] = {}

    def write(self, account: str, region: str, model: str, at: datetime, figures: Figures) -> None:
        """What happened in the minute `at`; a second time replaces it."""
        with self._lock:
            minute = at.astimezone(UTC).replace(second=0, microsecond=0)
            self._written.setdefault((account, region, model), _Written()).figures[minute] = figures

    def series(self, account: str, region: str) -> Iterator[Series]:
        for use in _STORY.get((account, region), ()):
            for metric in _METRICS:
                yield self._of_story(account, use, metric)
        with self._lock:
            written = {model: dict(told.figures) for (a, r, model), told in self._written.items() if (a, r) == (account, region)}
        for model, figures in written.items():
            for metric in _METRICS:
                if any(one.values(metric) for one in figures.values()):
                    yield self._of_written(model, figures, metric)

    def _of_written(self, model: str, figures: dict[datetime, Figures], metric: str) -> Series:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            now = self._clock.now()
            for at, one in sorted(figures.items()):
                if start <= at < end and at + _MINUTE <= now:
                    yield from ((at, value) for value in one.values(metric))

        return Series("AWS/Bedrock", metric, frozenset({("ModelId", model)}), values)

    def _of_story(self, account: str, use: _Use, metric: str) -> Series:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            at = start.replace(second=0, microsecond=0)
            last = min(end, self._clock.now() - _MINUTE + timedelta(microseconds=1))
            while at < last:
                if at >= start:
                    yield from ((at, value) for value in self._told(account, use, at).values(metric))
                at += _MINUTE

        return Series("AWS/Bedrock", metric, frozenset({("ModelId", use.model)}), values)

    def _told(self, account: str, use: _Use, at: datetime) -> Figures:
        return _figures(self._seed, account, use, at)


@lru_cache(maxsize=100_000)
def _figures(seed: int, account: str, use: _Use, at: datetime) -> Figures:
    """More by day than by night, with a rush in some quarters of an hour."""
    minutes = int(at.timestamp()) // 60
    noise = zlib.crc32(f"{seed}:{account}:{use.model}:{minutes}".encode()) % 1000 / 1000
    rush = zlib.crc32(f"{seed}:{use.model}:{minutes // 15}".encode()) % 9 == 0
    by_day = 0.25 + 0.45 * max(0.0, math.sin((at.hour * 60 + at.minute - 360) / 720 * math.pi))
    burned = use.busy * by_day * (0.7 + 0.5 * noise) * (1.7 if rush else 1.0)
    factor = 1 if "claude-3-haiku" in use.model else _FIVE_FOLD
    output = int(burned * 0.55 / factor)
    written = int(burned * 0.08)
    entered = int(burned) - output * factor - written
    asked = max(1, int(burned / 4200))
    throttles = int(asked * use.throttled) if rush else 0
    estimates = (float(entered + written + output * factor),) if use.estimated else ()
    return Figures(entered, output, written, int(burned * 0.9), asked, throttles, estimates)
