"""AWS/Usage and the like in CloudWatch: how many vCPUs run, how many functions at once, how often APIs are called."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.cloudwatch import FunctionFigures, Series
from cloudconsole.simulator.ec2.instances import Instance, State

_STEP = timedelta(minutes=5)
_VCPUS = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32}
_STANDARD = frozenset("acdhimrtz")


class Usage:
    """`instances` and `functions` tell what there is in an account and region. Written figures replace what is told by itself."""

    def __init__(
        self,
        clock: SimulatedClock,
        instances: Callable[[str, str], Iterable[Instance]],
        functions: Callable[[str, str], Iterable[FunctionFigures]],
    ) -> None:
        self._clock = clock
        self._instances = instances
        self._functions = functions
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._written: dict[tuple[str, str, str, str, frozenset[tuple[str, str]]], dict[datetime, float]] = {}

    def write(
        self, place: tuple[str, str], metric: tuple[str, str, frozenset[tuple[str, str]]], at: datetime, value: float
    ) -> None:
        with self._lock:
            self._written.setdefault((*place, *metric), {})[at.astimezone(UTC)] = value

    def series(self, account: str, region: str) -> Iterator[Series]:
        with self._lock:
            written = {key[2:]: dict(points) for key, points in self._written.items() if key[:2] == (account, region)}
        for (namespace, metric, dimensions), points in written.items():
            yield self._of_points(namespace, metric, dimensions, points)
        for one in (*self._vcpus(account, region), *self._concurrency(account, region)):
            if one.name not in written:
                yield one

    def _of_points(
        self, namespace: str, metric: str, dimensions: frozenset[tuple[str, str]], points: dict[datetime, float]
    ) -> Series:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            now = self._clock.now()
            yield from ((at, value) for at, value in sorted(points.items()) if start <= at < end and at <= now)

        return Series(namespace, metric, dimensions, values)

    def _vcpus(self, account: str, region: str) -> Iterator[Series]:
        running = [
            (one.launched_at, _vcpus_of(one.kind.instance_type))
            for one in self._instances(account, region)
            if one.state is State.RUNNING and one.kind.instance_type[0] in _STANDARD
        ]
        if not running:
            return
        dimensions = {("Class", "Standard/OnDemand"), ("Resource", "vCPU"), ("Service", "EC2"), ("Type", "Resource")}

        def value(at: datetime) -> float:
            return float(sum(vcpus for since, vcpus in running if since <= at))

        yield self._told("AWS/Usage", "ResourceCount", frozenset(dimensions), value)

    def _concurrency(self, account: str, region: str) -> Iterator[Series]:
        busy = sum(one.per_hour for one in self._functions(account, region))
        if not busy:
            return

        def value(at: datetime) -> float:
            noise = zlib.crc32(f"{account}:{region}:{int(at.timestamp()) // 300}".encode()) % 100 / 100
            return float(max(1, round(busy / 60 * (0.4 + noise))))

        yield self._told("AWS/Lambda", "ConcurrentExecutions", frozenset(), value)

    def _told(
        self, namespace: str, metric: str, dimensions: frozenset[tuple[str, str]], value: Callable[[datetime], float]
    ) -> Series:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            at = datetime.fromtimestamp(start.timestamp() // 300 * 300, UTC)
            while at < min(end, self._clock.now()):
                if at >= start and (found := value(at)):
                    yield at, found
                at += _STEP

        return Series(namespace, metric, dimensions, values)


def _vcpus_of(instance_type: str) -> int:
    return _VCPUS.get(instance_type.partition(".")[2], 4)
