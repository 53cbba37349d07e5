"""How busy instances, groups and load balancers of the story are, as CloudWatch measures it every five minutes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.levels import Name

_HOUR, _FIVE_MINUTES = timedelta(hours=1), timedelta(minutes=5)
# Over longer spans the figures are made hour by hour: their means come out alike.
_SHORT = timedelta(days=2)
_OF_EC2 = ("CPUUtilization", "NetworkIn", "NetworkOut")
_OF_BALANCER = ("RequestCount", "TargetResponseTime", "ActiveConnectionCount", "HTTPCode_Target_5XX_Count")

Values = Callable[[datetime, datetime], Iterator[tuple[datetime, float]]]
Named = tuple[Name, Values]


@dataclass(frozen=True, slots=True)
class InstanceFigures:
    """An instance that runs since `launched_at`, whether anybody uses it, and the auto scaling group that it is of."""

    instance_id: str
    launched_at: datetime
    idle: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class BalancerFigures:
    """An application load balancer: its names as dimensions, and how many healthy targets share its requests."""

    balancer: str
    target_group: str
    healthy: int


class Load:
    """Made up from the seed, and the same each time."""

    def __init__(self, seed: int, clock: SimulatedClock) -> None:
        self._seed = seed
        self._clock = clock

    def series(self, instances: Iterable[InstanceFigures], balancers: Iterable[BalancerFigures]) -> Iterator[Named]:
        """Every series of what runs in one place."""
        groups: dict[str, list[InstanceFigures]] = {}
        for instance in instances:
            if instance.group:
                groups.setdefault(instance.group, []).append(instance)
            for metric in _OF_EC2:
                yield self._of_instances(("InstanceId", instance.instance_id), [instance], metric)
        for name, members in groups.items():
            for metric in _OF_EC2:
                yield self._of_instances(("AutoScalingGroupName", name), members, metric)
        for balancer in balancers:
            for metric in _OF_BALANCER:
                yield self._of_balancer(("LoadBalancer", balancer.balancer), balancer, metric)
            yield self._of_balancer(("TargetGroup", balancer.target_group), balancer, "RequestCountPerTarget")

    def _of_instances(self, dimension: tuple[str, str], members: list[InstanceFigures], metric: str) -> Named:
        """Samples of one instance, or of all of a group: CloudWatch aggregates them by the statistic."""

        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            step, parts = _steps(start, end)
            for instance in members:
                for at in _times(max(start, instance.launched_at), min(end, self._clock.now()), step):
                    if at >= start:
                        load = self._of(instance, metric, at, step)
                        yield at, load if metric == "CPUUtilization" else round(load / parts)

        return ("AWS/EC2", metric, frozenset({dimension})), values

    def _of_balancer(self, dimension: tuple[str, str], balancer: BalancerFigures, metric: str) -> Named:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            step, parts = _steps(start, end)
            for at in _times(start, min(end, self._clock.now()), step):
                if at >= start and (found := self._traffic(balancer, metric, at, parts)):
                    yield at, found

        return ("AWS/ApplicationELB", metric, frozenset({dimension})), values

    def _traffic(self, balancer: BalancerFigures, metric: str, at: datetime, parts: int) -> float:
        """Nothing where no target is healthy: CloudWatch tells only what is not zero."""
        noise = self._noise(f"{balancer.balancer}:{at:%Y%m%d%H%M}")
        requests = round((9_000 + noise * 3_000) * (1.0 if 6 <= at.hour < 19 else 0.35) * min(balancer.healthy, 1) / parts)
        told = {
            "RequestCount": requests,
            "ActiveConnectionCount": requests // 6,
            "HTTPCode_Target_5XX_Count": requests // 2_000,
            "TargetResponseTime": round(0.08 + noise * 0.06, 4) if requests else 0,
            "RequestCountPerTarget": requests / max(1, balancer.healthy),
        }
        return float(told[metric])

    def _of(self, instance: InstanceFigures, metric: str, at: datetime, step: timedelta) -> float:
        """CPU in percent, traffic in bytes an hour: an idle one still breathes."""
        noise = self._noise(f"{instance.instance_id}:{at:%Y%m%d%H}" + (f"{at:%M}" if step < _HOUR else ""))
        by_day = 1.0 if 6 <= at.hour < 19 else 0.4
        if metric == "CPUUtilization":
            return round(0.6 + noise * 1.1, 3) if instance.idle else round((14 + noise * 40) * by_day, 3)
        return round(20_000 + noise * 60_000) if instance.idle else round((40 + noise * 200) * 1_000_000 * by_day)

    def _noise(self, name: str) -> float:
        """From 0 to 1, the same for a seed and a name."""
        return hmac.digest(f"cloudconsole-simulator-load-{self._seed}".encode(), name.encode(), hashlib.sha256)[0] / 255


def _steps(start: datetime, end: datetime) -> tuple[timedelta, int]:
    """How far samples are apart over so long a span, and how many of them make an hour."""
    return (_FIVE_MINUTES, 12) if end - start <= _SHORT else (_HOUR, 1)


def _times(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """The steps within an hour that begin before `end`, from the one that holds `start` on."""
    seconds = step.total_seconds()
    at = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
    while at < end:
        yield at
        at += step
