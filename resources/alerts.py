"""What people are told of automation."""

from __future__ import annotations

from accounts.alerts import register

SCHEDULE_PAUSED = register("automation.schedule_paused", "Schedules that had to be paused")
SCALING_RULE_PAUSED = register("automation.scaling_rule_paused", "Scaling rules that had to be paused")
QUOTA_THRESHOLD = register("quotas.threshold", "Quotas that run out")
