"""Quotas: reading limits, sampling their use, warning, and asking for more."""

from resources.services.quotas.limits import read_due as read_limits
from resources.services.quotas.metrics import sample_due as sample_metrics
from resources.services.quotas.minutes import sample_due as sample_minutes
from resources.services.quotas.series import find_due as find_series
from resources.services.quotas.thresholds import InvalidThresholds, set_thresholds
from resources.services.quotas.ticks import LIMITS, SERIES, tick
from resources.services.quotas.turns import in_turn

__all__ = [
    "LIMITS",
    "SERIES",
    "InvalidThresholds",
    "find_series",
    "in_turn",
    "read_limits",
    "sample_metrics",
    "sample_minutes",
    "set_thresholds",
    "tick",
]
