"""The minutes of Bedrock's models: one request to CloudWatch a minute and place, kept for longer than AWS keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from cloudconsole.aws import cloudwatch
from cloudconsole.aws.cloudwatch import Series
from cloudconsole.aws.credentials import Access
from cloudconsole.core import clock
from resources.models import ModelMinute, QuotaPlace
from resources.rules import quotas as rules
from resources.services.quotas import figures, series
from resources.services.quotas.turns import Reading

EVERY = timedelta(minutes=1)
# Figures of a minute may still grow for some time after it.
_OVERLAP = timedelta(minutes=15)
# How much is asked for at once after an outage.
_AT_MOST = series.BACKFILL + _OVERLAP
_KEPT_BY_AWS = timedelta(days=14)
_COLUMNS = {
    ("InputTokenCount", "Sum"): "input_tokens",
    ("OutputTokenCount", "Sum"): "output_tokens",
    ("CacheWriteInputTokens", "Sum"): "cache_write_tokens",
    ("Invocations", "Sum"): "invocations",
    ("InvocationThrottles", "Sum"): "throttles",
    ("EstimatedTPMQuotaUsage", "Sum"): "estimate_sum",
    ("EstimatedTPMQuotaUsage", "Maximum"): "estimate_max",
}

Told = Mapping[Series, Mapping[datetime, float]]


@dataclass(frozen=True, slots=True)
class _Ask:
    place: QuotaPlace
    access: Access
    start: datetime
    end: datetime


def sample_due() -> int:
    """Ask for the minutes of places whose time has come; how many that were."""
    return _MINUTES.due()


def _prepared(place: QuotaPlace, access: Access) -> _Ask:
    return _Ask(place, access, *_window(place, rules.minute_of(clock.now())))


def _window(place: QuotaPlace, now: datetime) -> tuple[datetime, datetime]:
    """From what is stored for good until now, a day at a time: after an outage the next turn goes on."""
    if place.minutes_until is None:
        return now - series.BACKFILL, now
    start = max(now - _KEPT_BY_AWS, place.minutes_until - _OVERLAP)
    return start, min(now, start + _AT_MOST)


def _ask(ask: _Ask) -> Told:
    wanted = [
        Series(series.BEDROCK, metric, (("ModelId", model),), statistic)
        for model, metrics in ask.place.model_series.items()
        for metric, statistic in series.METRICS
        if metric in metrics
    ]
    return cloudwatch.points(ask.access, ask.place.region, wanted, start=ask.start, end=ask.end, period_s=60)


def _store(ask: _Ask, told: Told) -> None:
    place = ask.place
    with transaction.atomic():
        ModelMinute.objects.bulk_create(
            _rows(place, told),
            update_conflicts=True,
            unique_fields=["account", "region", "at", "model_id"],
            update_fields=list(_COLUMNS.values()),
            batch_size=500,
        )
        QuotaPlace.objects.filter(pk=place.pk).update(
            minutes_until=ask.end,
            next_minutes_at=ask.end + EVERY,
            usage_at=clock.now(),
            usage_code="",
            usage_detail="",
            usage_remedy="",
        )
    place.refresh_from_db()
    figures.settle(place=place, since=ask.start)


def _rows(place: QuotaPlace, told: Told) -> list[ModelMinute]:
    rows: dict[tuple[str, datetime], ModelMinute] = {}
    for one, points in told.items():
        column, model = _COLUMNS[one.metric, one.statistic], one.dimensions[0][1]
        for at, value in points.items():
            row = rows.get((model, at))
            if row is None:
                row = rows[model, at] = ModelMinute(account=place.account, region=place.region, model_id=model[:256], at=at)
            setattr(row, column, round(value))
    return list(rows.values())


_MINUTES = Reading(work="minutes", prepare=_prepared, ask=_ask, store=_store, lost=figures.lost)
