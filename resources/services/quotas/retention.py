"""Forgetting what is older than this installation keeps."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from cloudconsole.core import clock
from resources.models import ModelMinute, Quota, QuotaHour, QuotaSample

_AT_ONCE = 20_000


def forget() -> None:
    """A bounded number of rows at a time; the next call goes on. Quotas that are gone stay as long as their hours."""
    now = clock.now()
    minutes = now - timedelta(days=settings.QUOTAS.minutes_days)
    hours = now - timedelta(days=settings.QUOTAS.hours_days)
    for rows in (
        ModelMinute.objects.filter(at__lt=minutes),
        QuotaSample.objects.filter(at__lt=minutes),
        QuotaHour.objects.filter(hour__lt=hours),
    ):
        old = list(rows.order_by().values_list("pk", flat=True)[:_AT_ONCE])
        for start in range(0, len(old), 1000):
            rows.model._base_manager.filter(pk__in=old[start : start + 1000]).delete()
    Quota.objects.filter(gone_at__lt=hours).delete()
