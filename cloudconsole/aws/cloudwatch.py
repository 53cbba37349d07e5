"""Numbers that CloudWatch keeps of buckets, functions and instances (CloudWatch API reference; metrics of S3, Lambda, EC2).

Every metric asked for is charged, so only series that exist are asked for where that can be known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from cloudconsole.aws import calls, codes, translation
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.fanout import DEFAULT_RATE
from cloudconsole.aws.rates import bucket_for
from cloudconsole.core import clock

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        GetMetricDataInputTypeDef,
        MetricDataQueryTypeDef,
        MetricDataResultTypeDef,
        MetricOutputTypeDef,
    )

_MAX_QUERIES = 500  # of one request
_DAY_S, _HOUR_S = 86_400, 3_600
# S3 writes its figures about once a day and promises no hour.
_BUCKET_DAYS = 4


@dataclass(frozen=True, slots=True)
class BucketMeasure:
    """What S3 measured of a bucket on one day (UTC). `measured_on` None: no data, which is not 0.

    `size_bytes_by_class`: per storage class, earlier versions and unfinished uploads included. `object_count` None where
    S3 told sizes only.
    """

    measured_on: date | None
    size_bytes_by_class: dict[str, int]
    object_count: int | None


@dataclass(frozen=True, slots=True)
class Activity:
    """How often a function was invoked, and how often it failed."""

    invocations: int
    errors: int


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """The most memory that a run of a function used on the `days` with data, and how long its runs took on such a day.

    None where CloudWatch has no data: Lambda Insights is off, or nothing ran.
    """

    days: int
    max_mb: float | None
    seconds_a_day: float | None


@dataclass(frozen=True, slots=True)
class InstanceUsage:
    """How busy an instance was: `hours` with data, CPU in percent (mean of all, highest minute), bytes in and out on a day.

    None where CloudWatch has no data, which is not 0: a stopped instance has none.
    """

    hours: int
    cpu_mean: float | None
    cpu_max: float | None
    network_bytes_a_day: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one thing; `dimensions` as sorted pairs of name and value.

    `statistic` "" and `period_s` 0: those of the question.
    """

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = ""
    period_s: int = 0


@dataclass(frozen=True, slots=True)
class _Window:
    """What to ask of each series, and of which time."""

    statistic: str
    period_s: int
    start: datetime
    end: datetime


@dataclass(slots=True)
class _Points:
    """The data points of a series, by moment."""

    values: dict[datetime, float] = field(default_factory=dict)


def bucket_sizes(access: Access, region: str, names: Collection[str]) -> dict[str, BucketMeasure]:
    """The newest whole daily measure of each bucket of `region` named, those without data included. Raises AwsError."""
    wanted = set(names)
    if not wanted:
        return {}
    series = [found for found in _bucket_series(access, region) if dict(found.dimensions).get("BucketName") in wanted]
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = _Window("Average", _DAY_S, midnight - timedelta(days=_BUCKET_DAYS), now)
    by_bucket: dict[str, list[tuple[Series, _Points]]] = {name: [] for name in wanted}
    for told, points in _data(access, region, series, window).items():
        by_bucket[dict(told.dimensions)["BucketName"]].append((told, points))
    return {name: _measure(told) for name, told in by_bucket.items()}


def function_activity(access: Access, region: str, names: Collection[str], *, hours: int = 24) -> dict[str, Activity]:
    """Invocations and errors of each function in the last `hours`. Lambda tells nothing of an hour without any: that is 0.

    Raises AwsError.
    """
    end = clock.now()
    start = end.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    series = [_of_function(name, metric) for name in names for metric in ("Invocations", "Errors")]
    found = _data(access, region, series, _Window("Sum", _HOUR_S, start, end))
    return {
        name: Activity(_total(found[_of_function(name, "Invocations")]), _total(found[_of_function(name, "Errors")]))
        for name in names
    }


def function_memory(access: Access, region: str, names: Collection[str], *, days: int = 14) -> dict[str, MemoryUse]:
    """What each function used of its memory in the last whole `days` (UTC), as Lambda Insights tells it. Raises AwsError."""
    end = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=days)
    used = {name: Series("LambdaInsights", "used_memory_max", (("function_name", name),)) for name in names}
    found = _data(access, region, list(used.values()), _Window("Maximum", _DAY_S, start, end))
    measured = [name for name in names if found[used[name]].values]
    took = {name: _of_function(name, "Duration") for name in measured}
    ran = _data(access, region, list(took.values()), _Window("Sum", _DAY_S, start, end)) if measured else {}
    return {name: _memory(found[used[name]], ran[took[name]]) if name in took else MemoryUse(0, None, None) for name in names}


def _memory(used: _Points, took: _Points) -> MemoryUse:
    """Durations are in milliseconds."""
    seconds = sum(took.values.values()) / 1_000
    return MemoryUse(len(used.values), max(used.values.values()), seconds / len(took.values) if took.values else None)


def instance_usage(access: Access, region: str, ids: Collection[str], *, days: int = 14) -> dict[str, InstanceUsage]:
    """How busy each instance was in the last whole `days` (UTC). Raises AwsError."""
    end = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=days)
    cpu = {one: _of_instance(one, "CPUUtilization") for one in ids}
    traffic = {one: [_of_instance(one, name) for name in ("NetworkIn", "NetworkOut")] for one in ids}
    means = _data(access, region, list(cpu.values()), _Window("Average", _HOUR_S, start, end))
    peaks = _data(access, region, list(cpu.values()), _Window("Maximum", _DAY_S, start, end))
    both = [series for pair in traffic.values() for series in pair]
    sent = _data(access, region, both, _Window("Sum", _DAY_S, start, end))
    return {one: _usage(means[cpu[one]], peaks[cpu[one]], [sent[series] for series in traffic[one]]) for one in ids}


def active(access: Access, region: str, namespace: str, metric: str = "") -> list[Series]:
    """The series of a namespace that got data in the last three hours or so. Raises AwsError."""
    named: dict[str, str] = {"MetricName": metric} if metric else {}
    bucket_for(("cloudwatch", access.key, region), DEFAULT_RATE).wait()

    def request() -> list[Series]:
        asked = client("cloudwatch", region).get_paginator("list_metrics")
        told = asked.paginate(Namespace=namespace, RecentlyActive="PT3H", **named)  # type: ignore[arg-type]
        return [Series(namespace, found["MetricName"], _dimensions(found)) for page in told for found in page["Metrics"]]

    return calls.call(access, "cloudwatch", "ListMetrics", region, request)


def points(
    access: Access, region: str, wanted: Collection[Series], *, start: datetime, end: datetime, period_s: int
) -> dict[Series, dict[datetime, float]]:
    """The data points of each series by the moment (UTC) at which their period begins. Raises AwsError.

    One request holds five hundred series with their own statistics and periods, so those of one place cost one call. A period
    without data is missing, which is not 0. CloudWatch keeps periods of a minute for 15 days.
    """
    if not wanted:
        return {}
    bucket_for(("cloudwatch", access.key, region), DEFAULT_RATE).wait()
    found = _data(access, region, list(dict.fromkeys(wanted)), _Window("Sum", period_s, start, end))
    return {series: told.values for series, told in found.items()}


def _dimensions(found: MetricOutputTypeDef) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((each["Name"], each["Value"]) for each in found.get("Dimensions", [])))


# --- instances


def _of_instance(instance_id: str, metric: str) -> Series:
    return Series("AWS/EC2", metric, (("InstanceId", instance_id),))


def _usage(means: _Points, peaks: _Points, traffic: Sequence[_Points]) -> InstanceUsage:
    hourly = list(means.values.values())
    days = {moment for points in traffic for moment in points.values}
    in_all = sum(value for points in traffic for value in points.values.values())
    return InstanceUsage(
        hours=len(hourly),
        cpu_mean=sum(hourly) / len(hourly) if hourly else None,
        cpu_max=max(peaks.values.values(), default=None),
        network_bytes_a_day=in_all / len(days) if days else None,
    )


# --- buckets


def _bucket_series(access: Access, region: str) -> list[Series]:
    """The series that S3 has written lately: one per bucket and storage class, whatever classes there are by now."""

    def request(metric: str) -> list[Series]:
        pages = client("cloudwatch", region).get_paginator("list_metrics").paginate(Namespace="AWS/S3", MetricName=metric)
        return [Series("AWS/S3", metric, _dimensions(found)) for page in pages for found in page["Metrics"]]

    return [
        series
        for metric in ("BucketSizeBytes", "NumberOfObjects")
        for series in calls.call(access, "cloudwatch", "ListMetrics", region, lambda metric=metric: request(metric))  # type: ignore[misc]
    ]


def _measure(told: Sequence[tuple[Series, _Points]]) -> BucketMeasure:
    """Classes of one day only: one that holds nothing any more is not told of, and its old size would count double."""
    sizes: dict[date, dict[str, int]] = {}
    counts: dict[date, int] = {}
    for series, points in told:
        for moment, value in points.values.items():
            if series.metric == "NumberOfObjects":
                counts[moment.date()] = round(value)
            else:
                storage_class = dict(series.dimensions).get("StorageType", "")
                sizes.setdefault(moment.date(), {})[storage_class] = round(value)
    # The two come one after the other: a day with one of them is still to be told, unless nothing is there to have a size.
    whole = [day for day, count in counts.items() if day in sizes or not count]
    day = max(whole or [*sizes, *counts], default=None)
    if day is None:
        return BucketMeasure(None, {}, None)
    return BucketMeasure(day, sizes.get(day, {}), counts.get(day))


# --- functions


def _of_function(name: str, metric: str) -> Series:
    return Series("AWS/Lambda", metric, (("FunctionName", name),))


def _total(points: _Points) -> int:
    return round(sum(points.values.values()))


# --- asking


def _data(access: Access, region: str, series: Sequence[Series], window: _Window) -> dict[Series, _Points]:
    found = {each: _Points() for each in series}
    for start in range(0, len(series), _MAX_QUERIES):
        batch = series[start : start + _MAX_QUERIES]
        for result in _results(access, region, [_query(at, each, window) for at, each in enumerate(batch)], window):
            _take(found, batch, result)
    return found


def _take(found: dict[Series, _Points], batch: Sequence[Series], result: MetricDataResultTypeDef) -> None:
    """Points of a series may come over several pages."""
    number = result["Id"].removeprefix("m")
    if not number.isdecimal() or int(number) >= len(batch):
        raise translation.garbled("cloudwatch", "GetMetricData", "It answers what was not asked.")
    if result.get("StatusCode") in ("InternalError", "Forbidden"):
        raise _failed(result)
    # botocore gives moments in the time zone of the machine; a day of S3's is one in UTC.
    moments = (moment.astimezone(UTC) for moment in result.get("Timestamps", []))
    found[batch[int(number)]].values.update(zip(moments, result.get("Values", []), strict=False))


def _failed(result: MetricDataResultTypeDef) -> AwsError:
    """CloudWatch says in the middle of a good answer that one series could not be read: no data would be a wrong zero."""
    reading = codes.BROKEN if result.get("StatusCode") == "InternalError" else codes.DENIED
    return AwsError(
        service="cloudwatch",
        operation="GetMetricData",
        cause=reading.cause,
        meaning=reading.meaning,
        remedy=reading.remedy,
        aws_code=str(result.get("StatusCode", "")),
    )


def _results(
    access: Access, region: str, queries: list[MetricDataQueryTypeDef], window: _Window
) -> Iterator[MetricDataResultTypeDef]:
    """All pages of the answer, each a call of its own."""
    asked: GetMetricDataInputTypeDef = {"MetricDataQueries": queries, "StartTime": window.start, "EndTime": window.end}
    seen = set[str]()
    while True:
        answer = calls.call(
            access, "cloudwatch", "GetMetricData", region, lambda: client("cloudwatch", region).get_metric_data(**asked)
        )
        results, token = answer.get("MetricDataResults"), answer.get("NextToken", "")
        if results is None or token in seen:
            raise translation.garbled("cloudwatch", "GetMetricData", "It has no results, or repeats a page token.")
        yield from results
        if not token:
            return
        seen.add(token)
        asked["NextToken"] = token


def _query(number: int, series: Series, window: _Window) -> MetricDataQueryTypeDef:
    dimensions: list[DimensionTypeDef] = [{"Name": name, "Value": value} for name, value in series.dimensions]
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {"Namespace": series.namespace, "MetricName": series.metric, "Dimensions": dimensions},
            "Period": series.period_s or window.period_s,
            "Stat": series.statistic or window.statistic,
        },
    }
