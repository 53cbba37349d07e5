"""Finding out which series CloudWatch has: asking for others would cost the same and tell nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from cloudconsole.aws import cloudwatch
from cloudconsole.aws.cloudwatch import Series
from cloudconsole.aws.credentials import Access
from cloudconsole.core import clock
from resources.models import Quota, QuotaPlace
from resources.rules.quotas import Kind
from resources.services.quotas import figures, metrics
from resources.services.quotas.turns import Reading

EVERY = timedelta(minutes=10)
BEDROCK = "AWS/Bedrock"
_USAGE = "AWS/Usage"
# One minute of a model, by metric and statistic.
METRICS = (
    ("InputTokenCount", "Sum"),
    ("OutputTokenCount", "Sum"),
    ("CacheWriteInputTokens", "Sum"),
    ("Invocations", "Sum"),
    ("InvocationThrottles", "Sum"),
    ("EstimatedTPMQuotaUsage", "Sum"),
    ("EstimatedTPMQuotaUsage", "Maximum"),
)
# How far back a model is asked for that was just found.
BACKFILL = timedelta(days=1)
_NAMES = frozenset(name for name, _ in METRICS)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A place, and the namespaces and metrics that its quotas name; "" for every metric of a namespace."""

    place: QuotaPlace
    access: Access
    wanted: frozenset[tuple[str, str]]


def find_due() -> int:
    """Look where it is time to; how many places that were."""
    return _SERIES.due()


def _prepared(place: QuotaPlace, access: Access) -> _Ask:
    return _Ask(place, access, _named(place))


def _named(place: QuotaPlace) -> frozenset[tuple[str, str]]:
    """AWS/Usage is listed whole; of other namespaces, which hold far more, only the metrics that quotas name."""
    told = (metric for quota in _with_metric(place) if (metric := quota.usage_metric) is not None)
    return frozenset((metric.namespace, "" if metric.namespace == _USAGE else metric.metric) for metric in told)


def _with_metric(place: QuotaPlace) -> QuerySet[Quota]:
    return Quota.objects.present().filter(account=place.account, region=place.region, kind=Kind.METRIC.value)


def _ask(ask: _Ask) -> list[Series]:
    """Models are not of the whole account, so their series are of no use where only its quotas are read."""
    region = ask.place.region
    bedrock = [] if ask.place.only_global else cloudwatch.active(ask.access, region, BEDROCK)
    found = [one for one in bedrock if one.metric in _NAMES]
    for namespace, metric in sorted(ask.wanted):
        found += cloudwatch.active(ask.access, region, namespace, metric)
    return found


def _store(ask: _Ask, found: Sequence[Series]) -> None:
    place = ask.place
    models = _models(found)
    there = {(one.namespace, one.metric, one.dimensions) for one in found}
    used = [
        [quota.service_code, quota.code]
        for quota in _with_metric(place)
        if (metric := quota.usage_metric) is not None and (metric.namespace, metric.metric, metric.dimensions) in there
    ]
    now = clock.now()
    is_new = bool(set(models) - set(place.model_series))
    minutes = {"next_minutes_at": now} if is_new else {} if models else {"next_minutes_at": None}
    usage = {"next_metrics_at": now} if used and place.next_metrics_at is None else {} if used else {"next_metrics_at": None}
    QuotaPlace.objects.filter(pk=place.pk).update(
        model_series=models,
        used=used,
        next_series_at=now + EVERY,
        usage_at=now,
        usage_code="",
        usage_detail="",
        usage_remedy="",
        **({"minutes_until": _earlier(place)} if is_new else {}),  # the new model has minutes from before it was found
        **minutes,
        **usage,
    )
    place.refresh_from_db()
    metrics.count(place=place)
    figures.settle(place=place)


def _earlier(place: QuotaPlace) -> datetime | None:
    """From when on minutes are asked for again."""
    return None if place.minutes_until is None else min(place.minutes_until, clock.now() - BACKFILL)


def _models(found: Sequence[Series]) -> dict[str, list[str]]:
    """Metrics of each model id. Series with further dimensions tell parts of the same tokens again."""
    models: dict[str, list[str]] = {}
    for one in found:
        if one.namespace == BEDROCK and [name for name, _ in one.dimensions] == ["ModelId"]:
            models.setdefault(one.dimensions[0][1], []).append(one.metric)
    return {model: sorted(set(metrics)) for model, metrics in sorted(models.items())}


_SERIES = Reading(work="series", prepare=_prepared, ask=_ask, store=_store, lost=figures.lost, deadline_s=60.0)
