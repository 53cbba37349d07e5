"""What the scheduler rings for."""

from __future__ import annotations

from cloudconsole.core import jobs
from resources.services.quotas import places, retention

LIMITS = "resources.read_quota_limits"
SERIES = "resources.find_quota_series"


def tick() -> None:
    """See to the places, ring for what takes long where it is due, and forget what is old."""
    places.ensure()
    if places.due("limits"):
        jobs.enqueue(LIMITS)
    if places.due("series"):
        jobs.enqueue(SERIES)
    retention.forget()
