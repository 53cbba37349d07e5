"""The metrics that a scaling rule may watch, with their units, and of what CloudWatch keeps them.

AWS documentation: "CloudWatch metrics available for your instances", "CloudWatch metrics for your Application Load Balancer",
"… Network Load Balancer", each with its dimensions and the statistics that mean something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is watched."""

    INSTANCE = "instance"
    GROUP = "group"
    APPLICATION_BALANCER = "application_balancer"
    NETWORK_BALANCER = "network_balancer"
    TARGET_GROUP = "target_group"


class Statistic(StrEnum):
    """How the samples of a period become one point."""

    AVERAGE = "Average"
    MAXIMUM = "Maximum"
    MINIMUM = "Minimum"
    SUM = "Sum"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"


# CloudWatch's name of what tells one thing from another.
DIMENSIONS: Mapping[Kind, str] = {
    Kind.INSTANCE: "InstanceId",
    Kind.GROUP: "AutoScalingGroupName",
    Kind.APPLICATION_BALANCER: "LoadBalancer",
    Kind.NETWORK_BALANCER: "LoadBalancer",
    Kind.TARGET_GROUP: "TargetGroup",
}
PERIODS = (60, 300, 900, 3600)  # seconds

_LEVELS = (Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.MINIMUM)
_TIMES = (Statistic.AVERAGE, Statistic.P90, Statistic.P95, Statistic.P99, Statistic.MAXIMUM)
_COUNTS = (Statistic.SUM,)
_MACHINES = frozenset({Kind.INSTANCE, Kind.GROUP})
_APPLICATION = frozenset({Kind.APPLICATION_BALANCER})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `statistics`: those that mean something, the usual one first; `most`: the highest value there can be."""

    name: str
    title: str
    namespace: str
    aws_name: str
    unit: str
    statistics: tuple[Statistic, ...]
    kinds: frozenset[Kind]
    most: float | None = None


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("cpu", "CPU", "AWS/EC2", "CPUUtilization", "%", _LEVELS, _MACHINES, 100),
        Metric("network_in", "Bytes received", "AWS/EC2", "NetworkIn", "bytes", (Statistic.SUM, *_LEVELS), _MACHINES),
        Metric("network_out", "Bytes sent", "AWS/EC2", "NetworkOut", "bytes", (Statistic.SUM, *_LEVELS), _MACHINES),
        Metric("requests", "Requests", "AWS/ApplicationELB", "RequestCount", "requests", _COUNTS, _APPLICATION),
        Metric("response_time", "Response time", "AWS/ApplicationELB", "TargetResponseTime", "s", _TIMES, _APPLICATION),
        Metric("connections", "Connections", "AWS/ApplicationELB", "ActiveConnectionCount", "connections", _COUNTS, _APPLICATION),
        Metric("errors", "Errors of targets", "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "errors", _COUNTS, _APPLICATION),
        Metric(
            "requests_per_target", "Requests per target", "AWS/ApplicationELB", "RequestCountPerTarget", "requests", _COUNTS,
            frozenset({Kind.TARGET_GROUP}),
        ),
        Metric(
            "flows", "Active flows", "AWS/NetworkELB", "ActiveFlowCount", "flows",
            (Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.MINIMUM), frozenset({Kind.NETWORK_BALANCER}),
        ),
    )
}  # fmt: skip

_NAMES: Mapping[Kind, re.Pattern[str]] = {
    Kind.INSTANCE: re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?"),
    Kind.GROUP: re.compile(r"[^\s:][^:]{0,253}[^\s:]|[^\s:]"),
    Kind.APPLICATION_BALANCER: re.compile(r"app/[A-Za-z0-9-]{1,32}/[0-9a-f]{8,32}"),
    Kind.NETWORK_BALANCER: re.compile(r"net/[A-Za-z0-9-]{1,32}/[0-9a-f]{8,32}"),
    Kind.TARGET_GROUP: re.compile(r"targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{8,32}"),
}
_FORMS: Mapping[Kind, str] = {
    Kind.INSTANCE: "an instance id such as i-0123456789abcdef0",
    Kind.GROUP: "the name of an auto scaling group",
    Kind.APPLICATION_BALANCER: "the ARN of an application load balancer, or its end: app/shop/0123456789abcdef",
    Kind.NETWORK_BALANCER: "the ARN of a network load balancer, or its end: net/feed/0123456789abcdef",
    Kind.TARGET_GROUP: "the ARN of a target group, or its end: targetgroup/shop/0123456789abcdef",
}


class NotWatchable(ValueError):
    """The text names nothing of that kind."""


def dimension_value(kind: Kind, text: str) -> str:
    """What CloudWatch calls the thing that `text`, a name or an ARN, means. Raises NotWatchable."""
    name = text.strip()
    if name.startswith("arn:"):
        name = name.rpartition(":")[2]
        name = name.removeprefix("loadbalancer/").removeprefix("instance/").rpartition("autoScalingGroupName/")[2]
    if _NAMES[kind].fullmatch(name) is None:
        raise NotWatchable(f"Write {_FORMS[kind]}.")
    return name


def in_words(value: float, unit: str) -> str:
    """71.25 and "%" → "71.25 %": at most two digits behind the point, or four of a small number."""
    number = f"{value:,.{2 if abs(value) >= 10 else 4}f}".rstrip("0").rstrip(".")
    return f"{number}\N{NO-BREAK SPACE}{unit}"
