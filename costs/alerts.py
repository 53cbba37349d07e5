"""What people are told about costs."""

from __future__ import annotations

from accounts import alerts

ANOMALY = alerts.register("costs.anomaly", "Unusual costs")
MONTH_RESTATED = alerts.register("costs.month_restated", "Closed months that were restated")
BUDGET_THRESHOLD = alerts.register("budgets.threshold", "Budget thresholds")
