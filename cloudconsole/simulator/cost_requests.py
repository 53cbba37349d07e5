"""What GetCostAndUsage accepts, and what it says to the rest.

Sentences in quotes in AWS's threads are used as they are (aws-sdk-js#2732, cloud-governance#1011, aws-sdk-java-v2#6144,
aws-sdk-php#1590, instance-watcher#18); where none is known the sentence is ours and the code is AWS's.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cloudconsole.simulator.cost_filters import GROUP_DIMENSIONS, Predicate, read_filter
from cloudconsole.simulator.wire import AwsError

METRICS = (
    "UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "UsageQuantity",
    "NormalizedUsageAmount",
)  # fmt: skip
GRANULARITIES = ("DAILY", "MONTHLY", "HOURLY")
HISTORY_MONTHS = 14
_GROUP_TYPES = ("DIMENSION", "TAG", "COST_CATEGORY")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}Z)?")


@dataclass(frozen=True, slots=True)
class Group:
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class CostRequest:
    """A valid question. `digest` is equal for requests with the same parameters, whatever their page token."""

    start: date
    end: date
    monthly: bool
    metrics: tuple[str, ...]
    group_by: tuple[Group, ...]
    predicate: Predicate
    dimensions: frozenset[str]  # every dimension that the groups and the filter name
    digest: str
    page_token: str | None


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def read(arguments: dict[str, Any], today: date) -> CostRequest:
    """The question in `arguments`, checked as of `today`; raises AwsError."""
    try:
        return _read(arguments, today)
    except (TypeError, AttributeError):  # a list where a structure belongs, a number where a text
        raise AwsError("SerializationException", "") from None


def _read(arguments: dict[str, Any], today: date) -> CostRequest:
    granularity = arguments.get("Granularity")
    if granularity not in GRANULARITIES:
        raise _constraint(granularity, "granularity", f"Member must satisfy enum value set: [{', '.join(GRANULARITIES)}]")
    start, end = _period(arguments.get("TimePeriod"), granularity)
    _check_period(start, end, today)
    _check_history(start, granularity, today)
    predicate, filtered = read_filter(arguments.get("Filter"))
    groups = _groups(arguments.get("GroupBy") or [])
    return CostRequest(
        start=start,
        end=end,
        monthly=granularity == "MONTHLY",
        metrics=_metrics(arguments.get("Metrics")),
        group_by=groups,
        predicate=predicate,
        dimensions=filtered | {group.key for group in groups},
        digest=digest(arguments),
        page_token=arguments.get("NextPageToken"),
    )


def read_list(arguments: dict[str, Any], today: date) -> tuple[date, date, Predicate]:
    """The days and the filter of a request for tags or for a dimension's values. Raises AwsError."""
    try:
        start, end = _period(arguments.get("TimePeriod"), "DAILY")
        _check_period(start, end, today)
        if start < months_before(today, HISTORY_MONTHS):
            raise validation_error("You haven't enabled historical data beyond 14 months.")
        return start, end, read_filter(arguments.get("Filter"))[0]
    except (TypeError, AttributeError):
        raise AwsError("SerializationException", "") from None


def digest(arguments: dict[str, Any]) -> str:
    same = {name: value for name, value in arguments.items() if name != "NextPageToken"}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:32]


def _period(period: Any, granularity: str) -> tuple[date, date]:
    if not isinstance(period, dict):
        raise _constraint(None, "timePeriod", "Member must not be null")
    return _day(period.get("Start"), "Start", granularity), _day(period.get("End"), "End", granularity)


def _day(text: Any, name: str, granularity: str) -> date:
    found = _DATE.fullmatch(str(text))
    if not found:
        constraint = r"Member must satisfy regular expression pattern: (\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}Z)?"
        raise _constraint(text, f"timePeriod.{name.lower()}", constraint)
    hourly = granularity == "HOURLY"
    if (found[2] is not None) is not hourly:
        wanted = "yyyy-MM-dd'T'HH:mm:ss'Z'" if hourly else "yyyy-MM-dd"
        raise validation_error(f"{name} time {text} is invalid. Valid format is: {wanted}.")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise validation_error(f"{name} time {text} is invalid. Valid format is: yyyy-MM-dd.") from None


def _check_period(start: date, end: date, today: date) -> None:
    if start >= end:
        raise validation_error("Start date (and hour) should be before end date (and hour)")
    if start > today:
        raise validation_error("start date past the current date")
    if end > first_of_next_month(today):
        raise validation_error("end date past the beginning of next month")


def _check_history(start: date, granularity: str, today: date) -> None:
    if granularity == "HOURLY":
        if start < today - timedelta(days=14):
            raise validation_error("start date is too old for hourly, the max supported days for hourly granularity is 14 days.")
        raise validation_error("Hourly granularity is not enabled for this account.")
    if start >= months_before(today, HISTORY_MONTHS):
        return
    if start.day != 1:
        raise validation_error(
            "To retrieve data beyond the past 14 months, your start date needs to be the first day of the month."
        )
    if granularity == "DAILY":
        raise validation_error("Data beyond the past 14 months is available in monthly granularity only.")
    raise validation_error("You haven't enabled historical data beyond 14 months.")


def _metrics(metrics: Any) -> tuple[str, ...]:
    if not metrics:
        raise _constraint(None, "metrics", "Member must not be null")
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown:
        raise validation_error(f"Metrics {unknown} are invalid. Valid values are {', '.join(METRICS)}.")
    return tuple(metrics)


def _groups(groups: list[dict[str, str]]) -> tuple[Group, ...]:
    if len(groups) > 2:
        raise validation_error("GroupBy supports at most 2 group definitions.")
    return tuple(_group(group) for group in groups)


def _group(group: dict[str, str]) -> Group:
    kind, key = group.get("Type", ""), group.get("Key", "")
    if kind not in _GROUP_TYPES:
        raise validation_error("Group Definition type is invalid.")
    if kind == "DIMENSION" and key not in GROUP_DIMENSIONS:
        valid = ", ".join(GROUP_DIMENSIONS)
        raise validation_error(f"Group Definition dimension is invalid. Valid values are {valid}.")
    return Group(kind, key)


def _constraint(value: object, member: str, constraint: str) -> AwsError:
    shown = "null" if value is None else f"'{value}'"
    return validation_error(
        f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: {constraint}"
    )


def first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier, or the last one that month has."""
    number = day.year * 12 + day.month - 1 - months
    first = date(number // 12, number % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), first_of_next_month(first) - timedelta(days=1))
