"""Recommendations: found in what is known, joined with AWS's own, decided on by people, closed when they no longer hold."""

from costs.services.recommendations.decisions import NotOpen, dismiss, dismiss_many, restore
from costs.services.recommendations.hub import read as read_hub
from costs.services.recommendations.judging import judge
from costs.services.recommendations.ticks import tick

__all__ = ["NotOpen", "dismiss", "dismiss_many", "judge", "read_hub", "restore", "tick"]
