"""Pages as Cost Explorer sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from cloudconsole.aws.cost_answers import METRIC_NAMES


def metrics(amount: str, unit: str = "USD") -> dict[str, dict[str, str]]:
    return {name: {"Amount": amount, "Unit": unit} for name in METRIC_NAMES}


def group(amount: str, *keys: str) -> dict[str, Any]:
    return {"Keys": list(keys), "Metrics": metrics(amount)}


def period(
    day: date,
    *groups: Mapping[str, Any],
    total: Mapping[str, Any] | None = None,
    estimated: bool = False,
) -> dict[str, Any]:
    return {
        "TimePeriod": {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()},
        "Total": total or {},
        "Groups": list(groups),
        "Estimated": estimated,
    }


def page(
    periods: Sequence[Mapping[str, Any]], token: str | None = None, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "ResultsByTime": list(periods),
        "DimensionValueAttributes": [
            {"Value": value, "Attributes": {"description": name}} for value, name in (names or {}).items()
        ],
    }
    return body | ({"NextPageToken": token} if token else {})
