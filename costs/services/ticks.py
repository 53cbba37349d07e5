"""What the scheduler's ring leads to: everything due is found in the database, so a ring more or less changes nothing."""

from __future__ import annotations

import structlog
from django.db.models import Q

from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from costs.models import CostSnapshot, CostSource, SnapshotStatus, SnapshotTrigger, SourceStatus
from costs.rules import schedule
from costs.services import anomalies, aws_anomalies, rollups, snapshots, sources

log = structlog.get_logger(__name__)


def tick() -> None:
    """Make missing sources, settle who is counted by whom, start what is due, and ring for runs nobody works on and for sums."""
    now = clock.now()
    sources.ensure()
    sources.settle_coverage()
    sources.mark_stale(now)
    for source in sources.due(clock.now()):
        _start(source)
    for pk in _waiting():
        jobs.enqueue(snapshots.RUN, snapshot_id=pk)
    if rollups.is_behind():
        jobs.enqueue(rollups.RUN)


def watch_anomalies() -> None:
    """Ring for sources whose costs changed since unusual days were looked for, and for AWS's own anomalies once a day."""
    for pk in anomalies.due():
        jobs.enqueue(anomalies.JUDGE, source_id=pk)
    for pk in aws_anomalies.due(clock.now()):
        jobs.enqueue(aws_anomalies.FETCH, source_id=pk)


def _start(source: CostSource) -> None:
    try:
        snapshots.request(source=source, trigger=SnapshotTrigger.SCHEDULE, by=None)
    except CloudconsoleError as refusal:
        log.warning("snapshot_not_started", source=source.pk, code=refusal.code)
        CostSource.objects.filter(pk=source.pk).update(next_refresh_at=clock.now() + schedule.EVERY, **_state(source, refusal))


def _state(source: CostSource, refusal: CloudconsoleError) -> dict[str, str]:
    status = SourceStatus.STALE if source.fresh_at else source.status
    remedy = getattr(refusal, "remedy", "")
    return {"status": status, "status_code": refusal.code, "status_detail": refusal.detail, "status_remedy": remedy}


def _waiting() -> list[int]:
    """Runs whose bell was lost, whose rest is over, or whose worker is gone."""
    now = clock.now()
    rested = Q(status=SnapshotStatus.QUEUED) & (Q(not_before=None) | Q(not_before__lte=now))
    abandoned = Q(status=SnapshotStatus.RUNNING, lease_until__lt=now)
    connected = CostSnapshot.objects.filter(source__account__deleted_at=None)
    return list(connected.filter(rested | abandoned).order_by("pk").values_list("pk", flat=True))
