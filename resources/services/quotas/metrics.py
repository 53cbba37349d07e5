"""The use of quotas for which AWS names a metric, or which the inventory counts, some times an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, QuerySet, Sum

from cloudconsole.aws import cloudwatch
from cloudconsole.aws.cloudwatch import Series
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.service_quotas import UsageMetric
from cloudconsole.core import clock
from resources.models import (
    GLOBAL,
    Address,
    Bucket,
    Function,
    LoadBalancer,
    Quota,
    QuotaPlace,
    QuotaSample,
    Scan,
    ScanStatus,
    Service,
    Snapshot,
)
from resources.rules import quotas as rules
from resources.rules.quotas import Countable, Kind
from resources.services.quotas import figures
from resources.services.quotas.turns import Reading

EVERY = timedelta(minutes=15)
_PERIOD_S = 300
_OVERLAP = timedelta(minutes=30)
BACKFILL = timedelta(days=1)
_GIB = Decimal(2**30)


@dataclass(frozen=True, slots=True)
class _Ask:
    place: QuotaPlace
    access: Access
    series: Mapping[int, Series]  # by the quota's primary key
    start: datetime
    end: datetime


def sample_due() -> int:
    """Ask for the usage metrics of places whose time has come; how many places that were."""
    return _METRICS.due()


def _asked(place: QuotaPlace, access: Access) -> _Ask:
    used = {(service, code) for service, code in place.used}
    quotas = [quota for quota in _quotas(place, Kind.METRIC) if (quota.service_code, quota.code) in used]
    end = rules.minute_of(clock.now())
    newest = QuotaSample.objects.filter(quota__in=quotas).aggregate(at=Max("at"))["at"]
    start = max(end - BACKFILL, newest - _OVERLAP) if newest else end - BACKFILL
    # CloudWatch counts periods from the hour on.
    start = start.replace(minute=start.minute // 5 * 5)
    series = {quota.pk: _series(metric) for quota in quotas if (metric := quota.usage_metric) is not None}
    return _Ask(place, access, series, start, end)


def _quotas(place: QuotaPlace, kind: Kind) -> QuerySet[Quota]:
    return Quota.objects.present().filter(account=place.account, region=place.region, kind=kind.value)


def _series(metric: UsageMetric) -> Series:
    return Series(metric.namespace, metric.metric, metric.dimensions, metric.statistic)


def _ask(ask: _Ask) -> Mapping[Series, Mapping[datetime, float]]:
    wanted = list(ask.series.values())
    return cloudwatch.points(ask.access, ask.place.region, wanted, start=ask.start, end=ask.end, period_s=_PERIOD_S)


def _store(ask: _Ask, told: Mapping[Series, Mapping[datetime, float]]) -> None:
    place = ask.place
    periods = dict(Quota.objects.filter(pk__in=list(ask.series)).values_list("pk", "period_s"))
    rows = [
        QuotaSample(quota_id=pk, at=at, usage=_amount(value, series, periods.get(pk)))
        for pk, series in ask.series.items()
        for at, value in told.get(series, {}).items()
        if pk in periods
    ]
    with transaction.atomic():
        QuotaSample.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["quota", "at"], update_fields=["usage"], batch_size=500
        )
        now = clock.now()
        QuotaPlace.objects.filter(pk=place.pk).update(
            next_metrics_at=now + EVERY, usage_at=now, usage_code="", usage_detail="", usage_remedy=""
        )
    place.refresh_from_db()
    figures.settle(place=place, since=ask.start)


def _amount(value: float, series: Series, period_s: Decimal | None) -> Decimal:
    """A sum of five minutes is told for the seconds in which the quota counts; everything else is as it is."""
    amount = Decimal(repr(value))
    if series.statistic == "Sum" and period_s is not None:
        amount = amount * period_s / _PERIOD_S
    return amount.quantize(Decimal("0.000001"))


_METRICS = Reading(work="metrics", prepare=_asked, ask=_ask, store=_store, lost=figures.lost)


# --- what the inventory counts


def count(*, place: QuotaPlace) -> None:
    """Note what the inventory holds, where its last look was complete. Asks nobody."""
    found = [(quota, _counted(quota)) for quota in _quotas(place, Kind.COUNTED)]
    at = rules.minute_of(clock.now())
    at = at.replace(minute=at.minute // 15 * 15)
    rows = [QuotaSample(quota=quota, at=at, usage=amount) for quota, amount in found if amount is not None]
    QuotaSample.objects.bulk_create(rows, update_conflicts=True, unique_fields=["quota", "at"], update_fields=["usage"])


_SCANNED = {
    Countable.BUCKETS: Service.S3,
    Countable.CODE_STORAGE: Service.LAMBDA,
    Countable.ADDRESSES: Service.ADDRESSES,
    Countable.SNAPSHOTS: Service.EBS,
    Countable.APPLICATION_BALANCERS: Service.BALANCERS,
    Countable.NETWORK_BALANCERS: Service.BALANCERS,
    Countable.CLASSIC_BALANCERS: Service.BALANCERS,
}
_BALANCERS = {
    Countable.APPLICATION_BALANCERS: "application",
    Countable.NETWORK_BALANCERS: "network",
    Countable.CLASSIC_BALANCERS: "classic",
}


def _counted(quota: Quota) -> Decimal | None:
    what = rules.countable(quota.service_code, quota.name)
    if what is None or not _is_complete(quota, _SCANNED[what]):
        return None
    here = {"account": quota.account_id, "region": quota.region}
    if what is Countable.BUCKETS:
        return Decimal(Bucket.objects.present().filter(account=quota.account_id).count())
    if what is Countable.CODE_STORAGE:
        stored = Function.objects.present().filter(**here).aggregate(stored=Sum("code_size"))["stored"] or 0
        return (Decimal(stored) / _GIB).quantize(Decimal("0.000001"))
    if what is Countable.ADDRESSES:
        return Decimal(Address.objects.present().filter(**here).count())
    if what is Countable.SNAPSHOTS:
        return Decimal(Snapshot.objects.present().filter(**here).count())
    return Decimal(LoadBalancer.objects.present().filter(**here, kind=_BALANCERS[what]).count())


def _is_complete(quota: Quota, service: Service) -> bool:
    """Whether the place answered completely when it was last asked; buckets are asked for once for all regions."""
    region = GLOBAL if service is Service.S3 else quota.region
    return Scan.objects.filter(account=quota.account_id, region=region, service=service, status=ScanStatus.COMPLETE).exists()
