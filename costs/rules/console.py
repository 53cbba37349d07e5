"""A question in AWS's own words: as a command of its command line, and as an address of its console."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from cloudconsole.aws.cost_explorer import Metric
from costs.rules import tags
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month

METRICS: dict[Metric, str] = {
    Metric.UNBLENDED: "UnblendedCost",
    Metric.BLENDED: "BlendedCost",
    Metric.AMORTIZED: "AmortizedCost",
    Metric.NET_UNBLENDED: "NetUnblendedCost",
    Metric.NET_AMORTIZED: "NetAmortizedCost",
}
_CONSOLE_METRICS = METRICS | {Metric.UNBLENDED: "unBlendedCost"}
_CONSOLE_NAMES: dict[Dimension, tuple[str, str]] = {
    Dimension.SERVICE: ("Service", "Service"),
    Dimension.ACCOUNT: ("LinkedAccount", "Linked account"),
    Dimension.REGION: ("Region", "Region"),
    Dimension.RECORD_TYPE: ("RecordType", "Charge type"),
    Dimension.USAGE_TYPE: ("UsageType", "Usage type"),
}
_CONSOLE = "https://us-east-1.console.aws.amazon.com/costmanagement/home#/cost-explorer"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one bill. `only` and `without` hold values by dimension; `without` leaves those out."""

    days: DayRange
    monthly: bool
    metric: Metric
    group_by: tuple[Dimension, ...]
    only: Mapping[Dimension, Sequence[str]]
    without: Mapping[Dimension, Sequence[str]]


def askable(days: DayRange, today: date) -> DayRange | None:
    """As many of the days as Cost Explorer accepts: it refuses a start in the future and an end after this month."""
    end = min(days.end, first_of_month(today, months=1))
    return DayRange(days.start, end) if days.start <= today and days.start < end else None


def command(ask: Ask) -> str:
    """`aws ce get-cost-and-usage`, one option a line."""
    options = [
        ["--time-period", f"Start={ask.days.start},End={ask.days.end}"],
        ["--granularity", "MONTHLY" if ask.monthly else "DAILY"],
        ["--metrics", METRICS[ask.metric]],
    ]
    if ask.group_by:
        options.append(["--group-by", *(_group(dimension) for dimension in ask.group_by)])
    if expression := _expression(ask):
        options.append(["--filter", json.dumps(expression, ensure_ascii=False)])
    return " \\\n  ".join(["aws ce get-cost-and-usage", *(shlex.join(option) for option in options)])


def _group(dimension: Dimension) -> str:
    key = dimension.tag_key
    return f"Type=DIMENSION,Key={dimension.value}" if key is None else f"Type=TAG,Key={key}"


def _expression(ask: Ask) -> dict[str, object] | None:
    leaves: list[dict[str, object]] = [_leaf(dimension, values) for dimension, values in ask.only.items()]
    leaves += [{"Not": _leaf(dimension, values)} for dimension, values in ask.without.items()]
    return {"And": leaves} if len(leaves) > 1 else next(iter(leaves), None)


def _leaf(dimension: Dimension, values: Sequence[str]) -> dict[str, object]:
    key = dimension.tag_key
    if key is not None:
        return _tag_leaf(key, sorted(values))
    return {"Dimensions": {"Key": dimension.value, "Values": sorted(values)}}


def _tag_leaf(key: str, values: Sequence[str]) -> dict[str, object]:
    """Costs without a value are asked for by the absence of the tag, which takes an expression of its own."""
    told = [value for value in values if value not in tags.WITHOUT_VALUE]
    leaves: list[dict[str, object]] = [{"Tags": {"Key": key, "Values": told}}] if told else []
    if len(told) < len(values):
        leaves.append({"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}})
    return {"Or": leaves} if len(leaves) > 1 else leaves[0]


def address(ask: Ask) -> str:
    """Cost Explorer in the console with the same settings; its last day is inclusive, and it groups by one dimension."""
    filters = [_console_filter(dimension, values, "INCLUDES") for dimension, values in ask.only.items()]
    filters += [_console_filter(dimension, values, "EXCLUDES") for dimension, values in ask.without.items()]
    settings = {
        "chartStyle": "STACK",
        "costAggregate": _CONSOLE_METRICS[ask.metric][0].lower() + _CONSOLE_METRICS[ask.metric][1:],
        "endDate": (ask.days.end - timedelta(days=1)).isoformat(),
        "excludeForecasting": "true",
        "filter": json.dumps(filters, ensure_ascii=False, separators=(",", ":")),
        "futureRelativeRange": "CUSTOM",
        "granularity": "Monthly" if ask.monthly else "Daily",
        "groupBy": json.dumps([_console_group(dimension) for dimension in ask.group_by[:1]]),
        "historicalRelativeRange": "CUSTOM",
        "isDefault": "false",
        "reportName": "Cloudconsole",
        "showOnlyUncategorized": "false",
        "showOnlyUntagged": "false",
        "startDate": ask.days.start.isoformat(),
        "usageAggregate": "undefined",
        "useNormalizedUnits": "false",
    }
    return f"{_CONSOLE}?{urlencode(settings, quote_via=quote)}"


def _console_group(dimension: Dimension) -> str:
    key = dimension.tag_key
    return _CONSOLE_NAMES[dimension][0] if key is None else f"TagKeyValue:{key}"


def _console_filter(dimension: Dimension, values: Sequence[str], operator: str) -> dict[str, object]:
    chosen = [{"value": value, "displayValue": value} for value in sorted(values)]
    key = dimension.tag_key
    if key is not None:
        chosen = [
            {"value": "", "displayValue": f"No tag key: {key}"} if one["value"] in tags.WITHOUT_VALUE else one for one in chosen
        ]
        named = {"value": key, "displayValue": key}
        return {
            "dimension": {"id": "TagKey", "displayValue": "Tag"},
            "operator": operator,
            "values": chosen,
            "growableValue": named,
        }
    name, title = _CONSOLE_NAMES[dimension]
    return {"dimension": {"id": name, "displayValue": title}, "operator": operator, "values": chosen}
