"""CloudWatch: S3's daily figures, hourly ones of Lambda, those of EC2 and of load balancers every five minutes.

CloudWatch API reference, and the metrics of each service. The figures are made up from the seed, but only of what there is; what
was really invoked counts on top, and what was arranged (`levels`) replaces them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from cloudconsole.simulator import levels
from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.levels import Levels
from cloudconsole.simulator.load import BalancerFigures, InstanceFigures, Load, Values
from cloudconsole.simulator.wire import AwsError

_MOST_QUERIES = 500
_LIST_PAGE = 500
_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_STATISTICS = frozenset({"Sum", "Average", "Minimum", "Maximum", "SampleCount"})
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,2})?)")
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_ACTIVE = {"PT3H": timedelta(hours=3)}
# S3 writes the figures of a day some hours after it.
_S3_DELAY = timedelta(hours=4)
_S3_GROWTH = 0.004  # a day


@dataclass(frozen=True, slots=True)
class BucketFigures:
    """A bucket and what S3 measures of it today; `sizes` in bytes by StorageType."""

    name: str
    created_at: datetime
    sizes: dict[str, int]
    objects: int


@dataclass(frozen=True, slots=True)
class FunctionFigures:
    """A function and how busy its story has it: invocations in an hour, the share that fails, and how long each takes.

    `used_mb` is the most memory that a run uses; None: Lambda Insights is off, and only its log tells.
    """

    name: str
    per_hour: float
    failing: float
    took_ms: float = 0.0
    used_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of one thing. `values` yields what was measured in a half-open time, a moment as often as it was."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    values: Values

    @property
    def name(self) -> tuple[str, str, frozenset[tuple[str, str]]]:
        return self.namespace, self.metric, self.dimensions


class CloudWatch:
    """Metrics of all accounts. `buckets` and `functions` tell what there is in an account and region."""

    def __init__(self, seed: int, clock: SimulatedClock) -> None:
        self._seed = seed
        self._clock = clock
        self._load = Load(seed, clock)
        self._lock = Lock()
        self.buckets: Callable[[str, str], Iterable[BucketFigures]] = lambda account, region: ()
        self.functions: Callable[[str, str], Iterable[FunctionFigures]] = lambda account, region: ()
        self.instances: Callable[[str, str], Iterable[InstanceFigures]] = lambda account, region: ()
        self.balancers: Callable[[str, str], Iterable[BalancerFigures]] = lambda account, region: ()
        self.further: list[Callable[[str, str], Iterable[Series]]] = []
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.points_on_a_page = 100_800
            self.levels = Levels()
            self._invoked: Counter[tuple[str, str, str, str, datetime]] = Counter()

    def count_invocation(self, account: str, region: str, function: str, *, failed: bool) -> None:
        """A function was really invoked just now."""
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._invoked[account, region, function, "Invocations", hour] += 1
            self._invoked[account, region, function, "Errors", hour] += int(failed)

    def answer(self, operation: str, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        """Raises AwsError; permission was decided before."""
        if operation == "ListMetrics":
            return self._list(identity, arguments)
        if operation == "GetMetricData":
            return self._get(identity, arguments)
        raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.")

    # --- ListMetrics

    def _list(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = {(each["Name"], each.get("Value")) for each in arguments.get("Dimensions", ())}
        now, since = self._clock.now(), _ACTIVE.get(arguments.get("RecentlyActive", ""), 14 * _DAY)
        found = [
            series
            for series in self._series(identity)
            if series.namespace == arguments.get("Namespace", series.namespace)
            and series.metric == arguments.get("MetricName", series.metric)
            and all(_has(series, name, value) for name, value in wanted)
            and any(True for _ in series.values(now - since, now))
        ]
        start = _offset(arguments.get("NextToken"))
        shown = [_metric(series) for series in found[start : start + _LIST_PAGE]]
        following = {"NextToken": f"at-{start + _LIST_PAGE}"} if start + _LIST_PAGE < len(found) else {}
        return {"Metrics": shown, **following}

    # --- GetMetricData

    def _get(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        queries = arguments.get("MetricDataQueries", [])
        start, end = _window(arguments)
        _check_queries(queries)
        known = self._arranged(identity, {series.name: series for series in self._series(identity)})
        skipped, left = (
            _offset(arguments.get("NextToken")),
            min(self.points_on_a_page, int(arguments.get("MaxDatapoints", 100_800))),
        )
        results, passed = [], 0
        for query in queries:
            points = self._points(known, query, start, end, arguments.get("ScanBy", "TimestampDescending"))
            shown = points[max(0, skipped - passed) :][:left]
            last = max(0, skipped - passed) + len(shown)
            if shown or (not points and not skipped):
                results.append(_result(query, shown, complete=last >= len(points)))
            passed, left = passed + len(points), left - len(shown)
        told = skipped + sum(len(result["Values"]) for result in results)
        return {"MetricDataResults": results, "Messages": [], **({"NextToken": f"at-{told}"} if told < passed else {})}

    def _points(
        self, known: dict[Any, Series], query: dict[str, Any], start: datetime, end: datetime, order: str
    ) -> list[tuple[datetime, float]]:
        """The order of a metric's dimensions means nothing."""
        stat = query["MetricStat"]
        metric = stat["Metric"]
        dimensions = frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", ()))
        series = known.get((metric["Namespace"], metric["MetricName"], dimensions))
        if series is None:
            return []
        found = sorted(_binned(series.values(start, end), timedelta(seconds=stat["Period"]), stat["Stat"]).items())
        return found if order == "TimestampAscending" else found[::-1]

    def _arranged(self, identity: Identity, known: dict[levels.Name, Series]) -> dict[levels.Name, Series]:
        """`known`, each arranged series in the place of the story's from its first level on."""
        return known | {
            name: Series(*name, self._by_levels(told, known.get(name)))
            for name, told in self.levels.of(identity.account_id, identity.region).items()
        }

    def _by_levels(self, told: list[levels.Level], before: Series | None) -> Values:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            first = told[0].since
            if before is not None and start < first:
                yield from before.values(start, min(end, first))
            yield from levels.minutes(told, start, min(end, self._clock.now()))

        return values

    # --- what there is

    def _series(self, identity: Identity) -> Iterator[Series]:
        account, region = identity.account_id, identity.region
        for bucket in self.buckets(account, region):
            for storage, size in bucket.sizes.items():
                yield self._of_bucket(bucket, "BucketSizeBytes", storage, size)
            yield self._of_bucket(bucket, "NumberOfObjects", "AllStorageTypes", bucket.objects)
        for function in self.functions(account, region):
            for metric in ("Invocations", "Errors", "Duration"):
                yield self._of_function(account, region, function, metric)
            if function.used_mb is not None:
                yield self._of_memory(account, region, function, function.used_mb)
        found = self._load.series(self.instances(account, region), self.balancers(account, region))
        yield from (Series(*name, values) for name, values in found)
        for told in self.further:
            yield from told(account, region)

    def _of_bucket(self, bucket: BucketFigures, metric: str, storage: str, today: int) -> Series:
        dimensions = frozenset({("BucketName", bucket.name), ("StorageType", storage)})

        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            now = self._clock.now()
            first = max(start, bucket.created_at)
            day = first.replace(hour=0, minute=0, second=0, microsecond=0)
            while day < end and day + _DAY + _S3_DELAY <= now:
                if day >= start:
                    age = (now - day).days
                    yield day, float(round(today * max(0.0, 1 - _S3_GROWTH * (age - 1))))
                day += _DAY

        return Series("AWS/S3", metric, dimensions, values)

    def _of_function(self, account: str, region: str, function: FunctionFigures, metric: str) -> Series:
        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            hour = start.replace(minute=0, second=0, microsecond=0)
            while hour < min(end, self._clock.now()):
                with self._lock:
                    real = self._invoked[account, region, function.name, metric, hour]
                found = self._told(account, region, function, metric, hour) + real
                if found:
                    yield hour, float(found)
                hour += _HOUR

        return Series("AWS/Lambda", metric, frozenset({("FunctionName", function.name)}), values)

    def _of_memory(self, account: str, region: str, function: FunctionFigures, used_mb: int) -> Series:
        """Lambda Insights writes a figure for every run: an hour without any has none."""
        runs = self._of_function(account, region, function, "Invocations")

        def values(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
            for hour, count in runs.values(start, end):
                yield hour, round(used_mb * (0.9 + 0.1 * min(1.0, count / 10)), 1)

        return Series("LambdaInsights", "used_memory_max", frozenset({("function_name", function.name)}), values)

    def _told(self, account: str, region: str, function: FunctionFigures, metric: str, hour: datetime) -> int:
        """The story's figure of an hour: more by day than by night, and no two hours alike."""
        name = f"{account}:{region}:{function.name}:{hour:%Y%m%d%H}"
        noise = hmac.digest(f"cloudconsole-simulator-metrics-{self._seed}".encode(), name.encode(), hashlib.sha256)
        by_day = 1.0 if 6 <= hour.hour < 19 else 0.35
        invocations = round(function.per_hour * by_day * (0.8 + noise[0] / 640))
        if metric == "Duration":
            return round(invocations * function.took_ms)
        return invocations if metric == "Invocations" else round(invocations * function.failing * (noise[1] / 128))


def _has(series: Series, name: str, value: str | None) -> bool:
    return any(key == name and value in (None, found) for key, found in series.dimensions)


def _metric(series: Series) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(series.dimensions, reverse=True)]
    return {"Namespace": series.namespace, "MetricName": series.metric, "Dimensions": dimensions}


def _binned(points: Iterable[tuple[datetime, float]], period: timedelta, statistic: str) -> dict[datetime, float]:
    bins: dict[datetime, list[float]] = {}
    seconds = period.total_seconds()
    for moment, value in points:
        begin = datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)
        bins.setdefault(begin, []).append(value)
    return {begin: _aggregate(values, statistic) for begin, values in bins.items()}


def _aggregate(values: list[float], statistic: str) -> float:
    if statistic == "SampleCount":
        return float(len(values))
    if percentile := _PERCENTILE.fullmatch(statistic):
        return sorted(values)[min(len(values) - 1, int(len(values) * float(percentile[1]) / 100))]
    found = {"Sum": sum(values), "Average": sum(values) / len(values), "Minimum": min(values), "Maximum": max(values)}
    return found[statistic]


def _result(query: dict[str, Any], points: list[tuple[datetime, float]], *, complete: bool) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": [moment.timestamp() for moment, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _window(arguments: dict[str, Any]) -> tuple[datetime, datetime]:
    start, end = (datetime.fromtimestamp(float(arguments.get(name, 0)), UTC) for name in ("StartTime", "EndTime"))
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _check_queries(queries: list[dict[str, Any]]) -> None:
    if not queries:
        raise AwsError("ValidationError", "The parameter MetricDataQueries must contain at least one element.")
    if len(queries) > _MOST_QUERIES:
        message = f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}."
        raise AwsError("ValidationError", message)
    ids = [str(query.get("Id", "")) for query in queries]
    if not all(_ID.fullmatch(found) for found in ids) or len(set(ids)) != len(ids):
        raise AwsError(
            "ValidationError", "The values for parameter id in MetricDataQueries must match ^[a-z][a-zA-Z0-9_]*$, once each."
        )
    for stat in (query.get("MetricStat") or {} for query in queries):
        period = stat.get("Period", 0)
        known = stat.get("Stat") in _STATISTICS or _PERCENTILE.fullmatch(str(stat.get("Stat")))
        if not known or period < 60 or period % 60:
            raise AwsError("ValidationError", "The value for parameter Stat or Period in MetricDataQueries is not valid.")


def _offset(token: object) -> int:
    if token is None:
        return 0
    found = re.fullmatch(r"at-(\d+)", str(token))
    if found is None:
        raise AwsError("InvalidNextToken", "Request parameter NextToken is invalid")
    return int(found[1])
