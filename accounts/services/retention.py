"""Old alerts and messages are removed; what was told once is remembered, so that it is never told a second time.

Messages that did not arrive, or may not have, stay until somebody has sent them again or put them aside, and so do their alerts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import DEAD_LETTERS, DELIVERY_OPEN, Alert, Delivery, Notice, PastAlert
from audit import services as audit
from audit import verbs
from cloudconsole.core import clock

FORGET = "accounts.forget_alerts"
_AT_ONCE = 500


def forget() -> int:
    """Remove what is older than ALERT_RETENTION_DAYS, a part at a time; how many rows of both."""
    if not settings.ALERT_RETENTION_DAYS:
        return 0
    before = clock.now() - timedelta(days=settings.ALERT_RETENTION_DAYS)
    messages, alerts = 0, 0
    while found := _forget_messages(before):
        messages += found
    while found := _forget_alerts(before):
        alerts += found
    if messages or alerts:
        with transaction.atomic():
            detail = {"messages": messages, "alerts": alerts, "days": settings.ALERT_RETENTION_DAYS}
            audit.record(verbs.ALERTS_FORGOTTEN, actor=None, detail=detail)
    return messages + alerts


@transaction.atomic
def _forget_messages(before: datetime) -> int:
    waits = Q(status__in=DELIVERY_OPEN) | Q(status__in=DEAD_LETTERS, is_test=False)
    old = Delivery.objects.filter(created_at__lt=before).exclude(waits).order_by("pk")
    chosen = list(old.values_list("pk", flat=True)[:_AT_ONCE])
    Delivery.objects.filter(pk__in=chosen).exclude(waits).delete()
    return len(chosen)


@transaction.atomic
def _forget_alerts(before: datetime) -> int:
    """Those of which no message is left, and none is still to be made."""
    of_alert = Notice.objects.filter(alert=OuterRef("pk"))
    needed = of_alert.filter(Q(delivery__isnull=False) | Q(channel__isnull=False))
    old = Alert.objects.filter(~Exists(needed), created_at__lt=before).order_by("pk")
    chosen = dict(old.values_list("pk", "key")[:_AT_ONCE])
    PastAlert.objects.bulk_create((PastAlert(key=key) for key in chosen.values()), ignore_conflicts=True)
    Alert.objects.filter(pk__in=chosen).delete()
    return len(chosen)
