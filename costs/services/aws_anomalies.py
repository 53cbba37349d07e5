"""Asking AWS for the anomalies that it found itself, once a day where that is switched on, and telling it what people think.

Both are opt-in capabilities of an account: each page AWS answers costs as much as any other request, and counts to the same cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

import audit.services
from accounts.models import User
from accounts.services import credentials
from cloudconsole import realtime
from cloudconsole.aws import anomaly_detection
from cloudconsole.aws.anomaly_detection import DetectedAnomaly, Feedback, Monitor
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import (
    AnomalyStatus,
    Assessment,
    AwsAnomaly,
    AwsAnomalyAnswer,
    CostAnomaly,
    CostMonthSlice,
    CostSource,
    Cube,
    FoundBy,
)
from costs.rules import settle
from costs.services import anomalies
from costs.services.ledger import LedgerMeter

FETCH = "costs.fetch_aws_anomalies"
READ, TELL = "anomaly_detection", "anomaly_feedback"
EVERY = timedelta(days=1)
_DAY = timedelta(days=1)

_FEEDBACK = {
    Assessment.EXPECTED: Feedback.NO,
    Assessment.NOT_EXPECTED: Feedback.YES,
    Assessment.PLANNED: Feedback.PLANNED,
}


class NotTold(CloudconsoleError):
    """AWS does not know the anomaly, or the account may not tell it anything."""

    kind = Kind.CONFLICT
    code = "aws_not_told"
    title = "AWS cannot be told"


def due(now: datetime) -> list[int]:
    """Sources whose account has the capability and was not asked for a day."""
    asked = AwsAnomalyAnswer.objects.filter(next_at__gt=now).values("source")
    sources = CostSource.objects.counted().exclude(fresh_at=None).exclude(pk__in=asked).select_related("account")
    return [source.pk for source in sources.order_by("pk") if READ in source.account.capabilities]


def fetch(*, source_id: int) -> None:
    """Ask once, if it is due, and keep what comes. Two workers at once: the second finds that it is not due any more."""
    source = CostSource.objects.counted().select_related("account").filter(pk=source_id).first()
    now = clock.now()
    if source is None or READ not in source.account.capabilities or not _claim(source, now):
        return
    try:
        access = credentials.access_for(source.account, None)
        monitors = anomaly_detection.monitors(access, meter=LedgerMeter(source, anomaly_detection.MONITORS.name))
        start = now.date() - _DAY * (anomaly_detection.HISTORY_DAYS - 1)
        meter = LedgerMeter(source, anomaly_detection.ANOMALIES.name)
        found = anomaly_detection.anomalies(access, start, now.date(), meter=meter) if monitors else []
    except CloudconsoleError as error:
        _answered(source, error_code=error.code, error_detail=error.detail, error_remedy=getattr(error, "remedy", ""))
        return
    with transaction.atomic():
        _answered(source, monitors=len(monitors), error_code="", error_detail="", error_remedy="")
        _store(source, monitors, found, now)


def _claim(source: CostSource, now: datetime) -> bool:
    _, is_new = AwsAnomalyAnswer.objects.get_or_create(source=source, defaults={"asked_at": now, "next_at": now + EVERY})
    if is_new:
        return True
    waiting = AwsAnomalyAnswer.objects.filter(source=source, next_at__lte=now)
    return bool(waiting.update(asked_at=now, next_at=now + EVERY))


def _answered(source: CostSource, **changes: object) -> None:
    AwsAnomalyAnswer.objects.filter(source=source).update(**changes)


def _store(source: CostSource, monitors: Sequence[Monitor], found: Sequence[DetectedAnomaly], now: datetime) -> None:
    CostSource.objects.select_for_update().get(pk=source.pk)  # one after the other with whoever judges by hand
    names = {monitor.arn: monitor.name for monitor in monitors}
    for told in found:
        _keep(source, told, names.get(told.monitor_arn, ""), now)
    if found:
        anomalies.ring(source_id=source.pk)
        realtime.publish("anomaly", source.pk, source.account_id)


def _keep(source: CostSource, told: DetectedAnomaly, monitor: str, now: datetime) -> None:
    """By AWS's id, at the episode of ours that it overlaps, or at one of its own."""
    known = AwsAnomaly.objects.select_related("episode").filter(source=source, aws_id=told.id).first()
    episode = _overlapping(source, told) or (known.episode if known else None) or _new_episode(source, told, now)
    _bring_up_to_date(episode, told, now)
    facts = {
        "episode": episode,
        "monitor": monitor,
        "started_on": told.start,
        "last_day": told.end,
        "service": told.service,
        "region": told.cause.region,
        "account_number": _number(source, told),
        "usage_type": told.cause.usage_type,
        "impact": told.impact,
        "peak": told.peak,
        "actual": told.actual,
        "expected": told.expected,
        "feedback": told.feedback,
    }
    if known is None:
        AwsAnomaly.objects.create(source=source, aws_id=told.id, first_seen_at=now, updated_at=now, **facts)
        return
    if any(getattr(known, name) != value for name, value in facts.items()):
        AwsAnomaly.objects.filter(pk=known.pk).update(updated_at=now, **facts)
    if (
        known.episode != episode
        and known.episode.found_by == FoundBy.AWS
        and not AwsAnomaly.objects.filter(episode=known.episode_id).exists()
    ):
        CostAnomaly.objects.filter(pk=known.episode_id).update(status=AnomalyStatus.WITHDRAWN, updated_at=now)


def _overlapping(source: CostSource, told: DetectedAnomaly) -> CostAnomaly | None:
    """Our own episode of the same account and service on at least one of the same days."""
    own = anomalies.episodes_of(source).exclude(found_by=FoundBy.AWS).exclude(status=AnomalyStatus.WITHDRAWN)
    same = own.filter(account_number=_number(source, told), region="", service=told.service)
    return same.filter(started_on__lte=told.end, last_day__gte=told.start).order_by("pk").first()


def _new_episode(source: CostSource, told: DetectedAnomaly, now: datetime) -> CostAnomaly:
    return CostAnomaly.objects.create(
        source=source,
        account_number=_number(source, told),
        service=told.service,
        currency=_currency(source),
        found_by=FoundBy.AWS,
        detected_at=now,
        updated_at=now,
        **_figures(told, now),
    )


def _bring_up_to_date(episode: CostAnomaly, told: DetectedAnomaly, now: datetime) -> None:
    """Of what AWS alone found the figures are AWS's; of our own episodes only the finder changes."""
    wanted = {"found_by": FoundBy.BOTH} if episode.found_by != FoundBy.AWS else _figures(told, now)
    changes = {name: value for name, value in wanted.items() if getattr(episode, name) != value}
    if changes:
        CostAnomaly.objects.filter(pk=episode.pk).update(updated_at=now, **changes)


def _figures(told: DetectedAnomaly, now: datetime) -> dict[str, object]:
    is_open = told.end >= settle.last_complete_day(now.date())
    return {
        "status": AnomalyStatus.OPEN if is_open else AnomalyStatus.CLOSED,
        "started_on": told.start,
        "last_day": told.end,
        "days": (told.end - told.start).days + 1,
        "actual": told.actual if told.actual is not None else told.impact,
        "expected": told.expected,
        "impact": told.impact,
        "peak": told.peak,
        "is_exact": told.actual is not None,
    }


def _number(source: CostSource, told: DetectedAnomaly) -> str:
    return told.cause.account_number or source.account.account_id


def _currency(source: CostSource) -> str:
    """AWS names no currency with its anomalies: they are in the bill's."""
    months = CostMonthSlice.objects.filter(source=source, cube=Cube.TOTAL).order_by("-month")
    return months.values_list("currency", flat=True).first() or "USD"


def may_tell(anomaly: CostAnomaly) -> bool:
    """Whether AWS found it too, and the account may tell AWS what people think."""
    return TELL in anomaly.source.account.capabilities and AwsAnomaly.objects.filter(episode=anomaly).exists()


def tell(*, anomaly: CostAnomaly, assessment: Assessment, by: User) -> None:
    """Tell AWS what `by` said. Only on somebody's explicit wish. Raises NotTold, AwsError, RequestCapReached."""
    if not may_tell(anomaly):
        raise NotTold("AWS did not find this, or the account's capabilities do not allow telling it.")
    feedback, source = _FEEDBACK[assessment], anomaly.source
    access = credentials.access_for(source.account, by)
    for row in AwsAnomaly.objects.filter(episode=anomaly):
        meter = LedgerMeter(source, anomaly_detection.FEEDBACK.name)
        anomaly_detection.provide_feedback(access, row.aws_id, feedback, meter=meter)
        with transaction.atomic():
            AwsAnomaly.objects.filter(pk=row.pk).update(feedback=feedback.value, updated_at=clock.now())
            detail = {"service": anomaly.service, "feedback": feedback.value, "aws_id": row.aws_id}
            audit.services.record(
                verbs.AWS_TOLD_OF_ANOMALY, actor=by, subject=str(anomaly.pk), account=source.account, detail=detail
            )
