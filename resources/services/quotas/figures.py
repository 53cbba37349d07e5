"""From minutes and samples to what a quota's row says: use, peaks, state, and the edges that people are told of.

All of it is worked out anew from what is stored, under a lock on the rows: two workers at once write the same, and the
second finds the edge already told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models.functions import TruncDate

from cloudconsole import realtime
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Quota, QuotaHour, QuotaPlace, QuotaSample
from resources.rules import quota_names, quota_reasons
from resources.rules import quotas as rules
from resources.rules.quota_names import Measure
from resources.rules.quotas import DAY, HOUR, Kind, Level, Limits, Method, State, Use
from resources.selectors import quota_minutes
from resources.selectors.quota_minutes import Minutes
from resources.services.quotas import alerts, places, unlisted

# Older figures are no present ones.
FRESH = timedelta(minutes=20)
_COUNTED_FRESH = timedelta(hours=2)
_NEWEST = timedelta(minutes=5)
_TREND_DAYS = timedelta(days=14)
_WRITTEN = [
    "usage", "usage_at", "peak_1h", "peak_24h", "peak_at", "throttles_24h", "method", "burndown", "at_least", "per_day",
    "days_to_limit", "state", "reason", "pressure", "rank", "level",
]  # fmt: skip


@dataclass(slots=True)
class _Found:
    """What a quota's use was: by hour, and now."""

    usage: Decimal | None = None
    usage_at: datetime | None = None
    peak_1h: Decimal | None = None
    by_aws: bool = False
    why_unknown: str = ""
    hours: list[QuotaHour] = field(default_factory=list)


def lost(place: QuotaPlace, error: CloudconsoleError) -> None:
    """CloudWatch did not answer: said at the place, and of its quotas once their figures are too old."""
    places.failed(place, "usage", error)
    place.refresh_from_db()
    if place.usage_at is None or clock.now() - place.usage_at > FRESH:
        settle(place=place)


@transaction.atomic
def settle(*, place: QuotaPlace, since: datetime | None = None) -> None:
    """Work out every quota of `place`; hours from `since` on are written again."""
    now = clock.now()
    start = rules.hour_of(min(since or now, now - HOUR))
    unlisted.ensure(place=place, now=now)
    here = Quota.objects.present().filter(account=place.account_id, region=place.region)
    quotas = list(here.select_for_update().order_by("pk"))
    found = _bedrock(place, [quota for quota in quotas if quota.kind == Kind.BEDROCK], start, now)
    found |= _sampled(place, [quota for quota in quotas if quota.kind != Kind.BEDROCK], start, now)
    _keep([hour for one in found.values() for hour in one.hours])
    _write(place, quotas, found, now)


def _keep(hours: Sequence[QuotaHour]) -> None:
    QuotaHour.objects.bulk_create(
        hours,
        update_conflicts=True,
        unique_fields=["quota", "hour"],
        update_fields=["peak", "peak_at", "total", "throttles", "limit"],
        batch_size=500,
    )


# --- Bedrock


def _bedrock(place: QuotaPlace, quotas: Sequence[Quota], start: datetime, now: datetime) -> dict[int, _Found]:
    if not quotas:
        return {}
    if place.usage_at is None or now - place.usage_at > FRESH:
        return {quota.pk: _Found(why_unknown=place.usage_detail or quota_reasons.NOT_ASKED) for quota in quotas}
    minutes = quota_minutes.between(place.account_id, place.region, start, now)
    return {quota.pk: _of_model(quota, place, minutes, now) for quota in quotas}


def _of_model(quota: Quota, place: QuotaPlace, minutes: Minutes, now: datetime) -> _Found:
    if not quota.model:
        return _Found(why_unknown=quota_reasons.NOT_UNDERSTOOD)
    if quota_names.model_of(quota.name, quota.code).long_context:
        return _Found(why_unknown=quota_reasons.LONG_CONTEXT)
    uses = quota_minutes.uses_of(quota, minutes)
    hours = [_hour(quota, hour, told) for hour, told in _by_hour(uses).items()]
    latest = max((at for at in uses if at >= now - _NEWEST), default=None)
    last_hour = [one.amount for at, one in uses.items() if at >= now - HOUR]
    return _Found(
        usage=uses[latest].amount if latest else Decimal(0),
        usage_at=latest or place.minutes_until or place.usage_at,
        peak_1h=max(last_hour, default=Decimal(0)),
        by_aws=bool(uses) and all(one.by_aws for one in uses.values()),
        hours=hours,
    )


def _by_hour(uses: Mapping[datetime, Use]) -> Mapping[datetime, list[tuple[datetime, Use]]]:
    hours: dict[datetime, list[tuple[datetime, Use]]] = defaultdict(list)
    for at, one in uses.items():
        hours[rules.hour_of(at)].append((at, one))
    return hours


def _hour(quota: Quota, hour: datetime, told: Sequence[tuple[datetime, Use]]) -> QuotaHour:
    peak_at, peak = max(told, key=lambda one: (one[1].amount, one[0]))
    return QuotaHour(
        quota=quota,
        hour=hour,
        peak=peak.amount,
        peak_at=peak_at,
        total=sum((one.amount for _, one in told), Decimal(0)),
        throttles=sum(one.throttles for _, one in told),
        limit=quota.limit,
    )


# --- others


def _sampled(place: QuotaPlace, quotas: Sequence[Quota], start: datetime, now: datetime) -> dict[int, _Found]:
    samples: dict[int, list[tuple[datetime, Decimal]]] = defaultdict(list)
    rows = QuotaSample.objects.filter(quota__in=quotas, at__gte=start).order_by("at")
    for pk, at, usage in rows.values_list("quota_id", "at", "usage"):
        samples[pk].append((at, usage))
    return {quota.pk: _of_samples(quota, place, samples[quota.pk], now) for quota in quotas}


def _of_samples(quota: Quota, place: QuotaPlace, samples: Sequence[tuple[datetime, Decimal]], now: datetime) -> _Found:
    fresh = _COUNTED_FRESH if quota.kind == Kind.COUNTED else HOUR
    recent = [(at, usage) for at, usage in samples if at >= now - fresh]
    hours = [_hour(quota, hour, told) for hour, told in _by_hour({at: Use(usage, 0, True) for at, usage in samples}).items()]
    if not recent:
        return _Found(why_unknown=_why_no_samples(quota, place, now), hours=hours)
    at, usage = recent[-1]
    return _Found(usage, at, max(usage for _, usage in recent), True, "", hours)


def _why_no_samples(quota: Quota, place: QuotaPlace, now: datetime) -> str:
    if quota.kind == Kind.COUNTED:
        return quota_reasons.NOT_COUNTED
    if place.usage_at is None or now - place.usage_at > FRESH:
        return place.usage_detail or quota_reasons.NOT_ASKED
    return quota_reasons.UNUSED


# --- writing


@dataclass(slots=True)
class _DayOfHours:
    """The hours of the last day."""

    peak: Decimal | None = None
    peak_at: datetime | None = None
    total: Decimal = Decimal(0)
    throttles: int = 0


def _write(place: QuotaPlace, quotas: Sequence[Quota], found: Mapping[int, _Found], now: datetime) -> None:
    days = _last_day(quotas, now)
    trends = _trends([quota for quota in quotas if quota.kind != Kind.BEDROCK], now)
    hidden = any(quota_names.is_unclear(model_id) for model_id in place.model_series)
    stepped = []
    for quota in quotas:
        _fill(quota, found[quota.pk], days.get(quota.pk, _DayOfHours()))
        quota.at_least = quota.kind == Kind.BEDROCK and bool(quota.model) and hidden
        quota.per_day, quota.days_to_limit = _course(quota, trends.get(quota.pk, []))
        if _judge(quota, found[quota.pk].why_unknown):
            stepped.append(quota)
    Quota.objects.bulk_update(quotas, _WRITTEN, batch_size=100)
    for quota in stepped:
        alerts.announce(quota=quota, account=place.account, at=now)
    if quotas:
        realtime.publish("quota", place.pk, place.account_id)


def _last_day(quotas: Sequence[Quota], now: datetime) -> dict[int, _DayOfHours]:
    days: dict[int, _DayOfHours] = defaultdict(_DayOfHours)
    rows = QuotaHour.objects.filter(quota__in=quotas, hour__gte=rules.hour_of(now) - DAY + HOUR)
    for pk, peak, peak_at, total, throttles in rows.values_list("quota_id", "peak", "peak_at", "total", "throttles"):
        day = days[pk]
        day.total += total
        day.throttles += throttles
        if day.peak is None or peak >= day.peak:
            day.peak, day.peak_at = peak, peak_at
    return days


def _fill(quota: Quota, found: _Found, day: _DayOfHours) -> None:
    quota.usage, quota.usage_at, quota.peak_1h = found.usage, found.usage_at, found.peak_1h
    quota.peak_24h, quota.peak_at, quota.throttles_24h = day.peak, day.peak_at, None
    quota.method, quota.burndown = "", None
    if quota.kind == Kind.BEDROCK:
        _fill_model(quota, found, day)
    elif found.usage is not None or day.peak is not None:
        quota.method = (Method.INVENTORY if quota.kind == Kind.COUNTED else _metric_method(quota)).value


def _fill_model(quota: Quota, found: _Found, day: _DayOfHours) -> None:
    if found.usage is None:
        return
    quota.throttles_24h = day.throttles
    quota.peak_24h = day.peak if day.peak is not None else Decimal(0)
    if quota.measure == Measure.REQUESTS_PER_MINUTE:
        quota.method = Method.INVOCATIONS.value
        return
    quota.burndown = quota_minutes.factor_of(quota)
    if quota.measure == Measure.TOKENS_PER_DAY:
        quota.method, quota.usage, quota.peak_1h, quota.peak_24h = Method.DAY_OF_TOKENS.value, day.total, None, None
        quota.peak_at = None
        return
    quota.method = (Method.ESTIMATE if found.by_aws else Method.TOKENS).value


def _metric_method(quota: Quota) -> Method:
    metric = quota.usage_metric
    return Method.RATE if metric and metric.statistic == "Sum" and quota.period_s is not None else Method.METRIC


def _judge(quota: Quota, why_unknown: str) -> bool:
    """Write state, reason and level; True where the level stepped up."""
    highest = max((one for one in (quota.usage, quota.peak_1h) if one is not None), default=None)
    quota.pressure = rules.percent(highest, quota.limit)
    quota.state = rules.state(quota.limits, quota.pressure, quota.thresholds).value
    used = bool(quota.usage or quota.peak_1h or quota.peak_24h)
    quota.rank = rules.rank(quota.limits, quota.pressure, used=used)
    quota.reason = _reason(quota, why_unknown)[:300]
    before, quota.level = (
        Level(quota.level),
        rules.level(quota.limits, quota.pressure, quota.thresholds, Level(quota.level)).value,
    )
    return quota.level > before


def _reason(quota: Quota, why_unknown: str) -> str:
    if quota.state == State.NOT_ENABLED:
        return _why_off(quota.limits)
    if quota.state == State.UNKNOWN:
        return quota_reasons.NO_LIMIT if not quota.is_listed else why_unknown
    return quota_reasons.PROFILES if quota.at_least else ""


def _why_off(limits: Limits) -> str:
    if limits.applied is not None and limits.default is not None and limits.default > 0:
        return quota_reasons.HELD.format(default=f"{limits.default.normalize():,f}")
    return quota_reasons.OFF


def _trends(quotas: Sequence[Quota], now: datetime) -> dict[int, list[tuple[int, float]]]:
    """The highest value of each day, oldest first."""
    rows = QuotaHour.objects.filter(quota__in=quotas, hour__gte=now - _TREND_DAYS).annotate(day=TruncDate("hour"))
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for pk, day, peak in rows.values_list("quota_id", "day", "peak"):
        number = day.toordinal()
        found[pk][number] = max(float(peak), found[pk].get(number, 0.0))
    return {pk: sorted(days.items()) for pk, days in found.items()}


def _course(quota: Quota, days: Sequence[tuple[int, float]]) -> tuple[float | None, int | None]:
    found = rules.trend(days, float(quota.limit) if quota.limit is not None else None)
    return found.per_day, found.days_to_limit
