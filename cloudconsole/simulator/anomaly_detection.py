"""Cost Anomaly Detection of the simulated organization: its payer has a monitor, and the Bedrock burst is what it found.

Shapes and refusals after the API model of Cost Explorer (GetAnomalyMonitors, GetAnomalies, ProvideAnomalyFeedback).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cloudconsole.simulator.catalogue import BEDROCK, US
from cloudconsole.simulator.charges import BURST
from cloudconsole.simulator.cost_explorer import not_enabled, token_refused
from cloudconsole.simulator.cost_requests import validation_error
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.line_items import UNIT
from cloudconsole.simulator.organization import ACCOUNTS, MANAGEMENT, PRODUCTION
from cloudconsole.simulator.wire import AwsError

OPERATIONS = frozenset({"ce:GetAnomalyMonitors", "ce:GetAnomalies", "ce:ProvideAnomalyFeedback"})
MONITOR_ARN = f"arn:aws:ce::{MANAGEMENT}:anomalymonitor/0b8e4c1a-5d0e-4a6f-9a3e-2f6f1c7d9e10"
ANOMALY_ID = "6f1d6a52-0b0c-4d0e-8d0b-3f2a9a1c7b55"
_HISTORY = timedelta(days=90)
_FEEDBACK = ("YES", "NO", "PLANNED_ACTIVITY")


class AnomalyDetection:
    """Answers from the ledger; remembers what it was told."""

    def __init__(self, book: Ledger) -> None:
        self._book = book
        self._feedback: dict[str, str] = {}

    def reset(self) -> None:
        self._feedback.clear()

    def answer(self, operation: str, identity: Identity, arguments: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Raises AwsError for what AWS refuses."""
        if not identity.account.cost_explorer_enabled:
            raise not_enabled()
        if "NextPageToken" in arguments:
            raise token_refused()  # everything fits on one page, so no token was ever given
        if operation == "GetAnomalyMonitors":
            return self._monitors(identity, arguments, now)
        if operation == "GetAnomalies":
            return {"Anomalies": self._anomalies(identity, arguments, now)}
        return self._learn(identity, arguments, now)

    def _monitors(self, identity: Identity, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        own = [self._monitor(now)] if identity.account_id == MANAGEMENT else []
        wanted = arguments.get("MonitorArnList") or [one["MonitorArn"] for one in own]
        if unknown := [arn for arn in wanted if arn not in {one["MonitorArn"] for one in own}]:
            raise AwsError("UnknownMonitorException", f"No monitor found for {unknown[0]}")
        return {"AnomalyMonitors": own}

    def _monitor(self, now: datetime) -> dict[str, Any]:
        return {
            "MonitorArn": MONITOR_ARN,
            "MonitorName": "Default-Services-Monitor",
            "CreationDate": (self._book.origin - timedelta(days=300)).isoformat(),
            "LastUpdatedDate": (self._book.origin - timedelta(days=300)).isoformat(),
            "LastEvaluatedDate": now.date().isoformat(),
            "MonitorType": "DIMENSIONAL",
            "MonitorDimension": "SERVICE",
            "DimensionalValueCount": 1,
        }

    def _anomalies(self, identity: Identity, arguments: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
        start, end = _interval(arguments.get("DateInterval"), now.date())
        if identity.account_id != MANAGEMENT or arguments.get("MonitorArn", MONITOR_ARN) != MONITOR_ARN:
            return []
        found = self._burst(now)
        inside = found is not None and start <= date.fromisoformat(found["AnomalyEndDate"][:10]) <= end
        is_wanted = found is not None and arguments.get("Feedback") in (None, found.get("Feedback"))
        return [found] if found is not None and inside and is_wanted else []

    def _burst(self, now: datetime) -> dict[str, Any] | None:
        """As far as the burst has come a day ago: detection runs about three times a day, on what has arrived."""
        first = self._book.origin - timedelta(days=10)
        days = [first + timedelta(days=number) for number in sorted(BURST) if first + timedelta(days=number) < now.date()]
        if not days:
            return None
        extra = {day: float(BURST[(day - first).days]) for day in days}
        actual = sum(self._charged(day) for day in days) / UNIT
        total = sum(extra.values())
        told = {
            "AnomalyId": ANOMALY_ID,
            "AnomalyStartDate": f"{days[0].isoformat()}T00:00:00Z",
            "AnomalyEndDate": f"{days[-1].isoformat()}T00:00:00Z",
            "DimensionValue": BEDROCK,
            "RootCauses": [
                {
                    "Service": BEDROCK,
                    "Region": US,
                    "LinkedAccount": PRODUCTION,
                    "LinkedAccountName": ACCOUNTS[PRODUCTION].name,
                    "UsageType": self._usage_type(days[0]),
                    "Impact": {"Contribution": total},
                }
            ],
            "AnomalyScore": {"MaxScore": 0.94, "CurrentScore": 0.61},
            "Impact": {
                "MaxImpact": max(extra.values()),
                "TotalImpact": total,
                "TotalActualSpend": actual,
                "TotalExpectedSpend": actual - total,
                "TotalImpactPercentage": round(total / (actual - total) * 100, 2),
            },
            "MonitorArn": MONITOR_ARN,
        }
        return told | ({"Feedback": self._feedback[ANOMALY_ID]} if ANOMALY_ID in self._feedback else {})

    def _charged(self, day: date) -> int:
        lines = self._book.lines(day)
        return sum(line.costs.unblended for line in lines if (line.account, line.service) == (PRODUCTION, BEDROCK))

    def _usage_type(self, day: date) -> str:
        lines = [line for line in self._book.lines(day) if (line.account, line.service) == (PRODUCTION, BEDROCK)]
        return max(lines, key=lambda line: line.costs.unblended).usage_type if lines else ""

    def _learn(self, identity: Identity, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        said, anomaly = arguments.get("Feedback"), arguments.get("AnomalyId")
        if said not in _FEEDBACK:
            raise validation_error(f"Feedback must be one of {', '.join(_FEEDBACK)}.")
        if identity.account_id != MANAGEMENT or anomaly != ANOMALY_ID or self._burst(now) is None:
            raise validation_error(f"Anomaly {anomaly} does not exist.")
        self._feedback[ANOMALY_ID] = said
        return {"AnomalyId": ANOMALY_ID}


def _interval(told: Any, today: date) -> tuple[date, date]:
    try:
        start = date.fromisoformat(str(told["StartDate"])[:10])
        end = date.fromisoformat(str(told.get("EndDate") or today)[:10])
    except (TypeError, KeyError, AttributeError, ValueError):
        raise validation_error("DateInterval needs a StartDate of the form yyyy-MM-dd.") from None
    if start > end:
        raise validation_error("Start date should be before end date")
    if start < today - _HISTORY:
        raise validation_error("Start date is too old: anomalies are kept for 90 days.")
    return start, end
