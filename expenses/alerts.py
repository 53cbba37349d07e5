"""What people are told about expenses."""

from __future__ import annotations

from accounts import alerts

BUDGET_THRESHOLD = alerts.register("expenses.budget_threshold", "Thresholds of budgets for expenses")
RECURRING_FAILED = alerts.register("expenses.recurring_failed", "Recurring expenses that could not be entered")
