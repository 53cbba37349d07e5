"""What time itself does to keys: reminders of those that run out, and the end of old secrets."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.alerts import Severity
from accounts.services import notifications
from audit import services as audit
from cloudconsole.core import clock
from gateway import alerts, verbs
from gateway.models import ApiKey, ApiKeySecret
from gateway.rules import keys as rules
from gateway.services import day_sums, request_log

_GRAVE = timedelta(days=1)


def tick() -> None:
    now = clock.now()
    retire_old_secrets(now)
    remind(now)


def forget_requests() -> int:
    """How many rows of the log went. Days are summed before any of their rows can go."""
    now = clock.now()
    day_sums.sum_up(now)
    return request_log.forget(now)


def retire_old_secrets(now: datetime) -> None:
    """Erase each old secret whose time is over; two schedulers erase it once."""
    for secret in ApiKeySecret.objects.filter(usable_until__lte=now).select_related("key"):
        _retire(secret)


@transaction.atomic
def _retire(secret: ApiKeySecret) -> None:
    if ApiKeySecret.objects.filter(pk=secret.pk, usable_until=secret.usable_until).delete()[0]:
        audit.record(verbs.KEY_SECRET_RETIRED, actor=None, subject=secret.key.api_name)


def remind(now: datetime) -> None:
    """Tell the owner once for each threshold; those that were passed together are told as the nearest."""
    soon = ApiKey.objects.filter(enabled=True, expires_at__lte=now + rules.REMINDERS[0], owner__is_active=True)
    for key in soon.select_related("owner"):
        if key.expires_at is not None:
            _remind(key, key.expires_at, now)


def _remind(key: ApiKey, expires_at: datetime, now: datetime) -> None:
    within = rules.reminder_due(expires_at, now)
    if within is None:
        return
    words = f"expires within {within.days} day{'' if within.days == 1 else 's'}" if within else "has expired"
    notifications.announce(
        kind=alerts.KEY_EXPIRING,
        severity=Severity.CRITICAL if within <= _GRAVE else Severity.WARNING,
        key=f"api_key_expiring:{key.pk}:{expires_at.isoformat()}:{within.days}",
        title=f"The API key “{key.api_name}” {words}",
        lines=[f"It runs out at {expires_at:%Y-%m-%d %H:%M} UTC. From then on nothing is sent with it, until it is rotated."],
        path=f"/keys/{key.pk}",
        person=key.owner,
    )
