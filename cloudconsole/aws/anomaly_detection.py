"""AWS Cost Anomaly Detection: the monitors of an account, the anomalies they found, and what AWS is told of one.

Operations of Cost Explorer, so each page is paid for. AWS Billing and Cost Management API reference: GetAnomalyMonitors;
GetAnomalies (the last 90 days; both ends of the range count, and the anomaly's end lies in it); ProvideAnomalyFeedback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cloudconsole.aws import metered
from cloudconsole.aws.cost_explorer import TooManyPages
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.metered import Meter, Operation

MONITORS = Operation("GetAnomalyMonitors", "get_anomaly_monitors", "AnomalyMonitors")
ANOMALIES = Operation("GetAnomalies", "get_anomalies", "Anomalies")
FEEDBACK = Operation("ProvideAnomalyFeedback", "provide_anomaly_feedback", "AnomalyId")

HISTORY_DAYS = 90
_MOST_PAGES = 20
_PAGE_SIZE = 100


class Feedback(StrEnum):
    """Whether it was an anomaly, in AWS's words."""

    YES = "YES"
    NO = "NO"
    PLANNED = "PLANNED_ACTIVITY"


@dataclass(frozen=True, slots=True)
class Monitor:
    arn: str
    name: str


@dataclass(frozen=True, slots=True)
class RootCause:
    """Empty where AWS does not say."""

    service: str
    region: str
    account_number: str
    usage_type: str


@dataclass(frozen=True, slots=True)
class DetectedAnomaly:
    """`start` and `end` are its first and last day; it may still grow. `expected` is None where AWS does not say."""

    id: str
    monitor_arn: str
    start: date
    end: date
    service: str
    cause: RootCause
    peak: Decimal
    impact: Decimal
    actual: Decimal | None
    expected: Decimal | None
    feedback: str


def monitors(access: Access, *, meter: Meter) -> list[Monitor]:
    """Empty where nobody has switched detection on. Raises AwsError, TooManyPages, or what `meter` raises."""
    told = _all_pages(access, MONITORS, {"MaxResults": _PAGE_SIZE}, meter)
    return [Monitor(str(one.get("MonitorArn", "")), str(one["MonitorName"])) for one in told]


def anomalies(access: Access, start: date, end: date, *, meter: Meter) -> list[DetectedAnomaly]:
    """Those that ended, or were last seen, from `start` to `end`, both included. Raises as `monitors`."""
    interval = {"StartDate": start.isoformat(), "EndDate": end.isoformat()}
    told = _all_pages(access, ANOMALIES, {"DateInterval": interval, "MaxResults": _PAGE_SIZE}, meter)
    return [_anomaly(one) for one in told if one.get("AnomalyStartDate")]


def provide_feedback(access: Access, anomaly_id: str, feedback: Feedback, *, meter: Meter) -> None:
    """Tell AWS whether it was one. Raises AwsError, or what `meter` raises."""
    metered.ask(access, FEEDBACK, {"AnomalyId": anomaly_id, "Feedback": feedback.value}, meter=meter)


def _all_pages(access: Access, operation: Operation, request: Mapping[str, Any], meter: Meter) -> list[dict[str, Any]]:
    asked, found = dict(request), list[dict[str, Any]]()
    for number in range(1, _MOST_PAGES + 1):
        page = metered.ask(access, operation, asked, meter=meter, page=number)
        found += page[operation.field]
        token = page.get("NextPageToken")
        if not token:
            return found
        if token == asked.get("NextPageToken"):
            raise metered.garbled(operation, "It repeats a page token, so it would never end.", page)
        asked["NextPageToken"] = token
    raise TooManyPages(f"{operation.name} has more than {_MOST_PAGES} pages; none was kept.")


def _anomaly(told: Mapping[str, Any]) -> DetectedAnomaly:
    causes, impact = told.get("RootCauses") or [{}], told["Impact"]
    start = _day(told["AnomalyStartDate"])
    return DetectedAnomaly(
        id=told["AnomalyId"],
        monitor_arn=told["MonitorArn"],
        start=start,
        end=_day(told.get("AnomalyEndDate") or told["AnomalyStartDate"]),
        service=str(causes[0].get("Service") or told.get("DimensionValue") or ""),
        cause=RootCause(*(str(causes[0].get(name) or "") for name in ("Service", "Region", "LinkedAccount", "UsageType"))),
        peak=_amount(impact["MaxImpact"]),
        impact=_amount(impact.get("TotalImpact", impact["MaxImpact"])),
        actual=_known(impact.get("TotalActualSpend")),
        expected=_known(impact.get("TotalExpectedSpend")),
        feedback=str(told.get("Feedback", "")),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _known(value: float | None) -> Decimal | None:
    return None if value is None else _amount(value)


def _amount(value: float) -> Decimal:
    """AWS tells these amounts as floating-point numbers: their shortest text is what was meant."""
    return Decimal(repr(float(value))).quantize(Decimal("1e-12"))
