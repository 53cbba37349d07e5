"""Old alerts and messages: removed when nothing is left to be done about them, and never told again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Alert, ChannelKind, Delivery, DeliveryStatus, Notice, NotificationChannel, User
from accounts.services import notifications
from accounts.tasks import forget_alerts
from accounts.tests.test_alerts import announce
from audit.models import AuditEvent
from cloudconsole.core import clock

pytestmark = pytest.mark.django_db


def message(alert: Alert, status: DeliveryStatus) -> Delivery:
    channel, _ = NotificationChannel.objects.get_or_create(name="ops", kind=ChannelKind.WEBHOOK)
    made = Delivery.objects.create(
        channel=channel, channel_name="ops", channel_kind=ChannelKind.WEBHOOK, status=status, not_before=clock.now()
    )
    Notice.objects.create(alert=alert, channel=channel, due_at=clock.now(), delivery=made)
    return made


def test_what_is_older_than_it_is_kept_goes_and_what_waits_for_somebody_stays() -> None:
    sent, dead, waiting, bare = (announce(key) for key in ("sent", "dead", "waiting", "bare"))
    message(sent, DeliveryStatus.SENT)
    message(dead, DeliveryStatus.DEAD)
    message(waiting, DeliveryStatus.WAITING)
    with time_machine.travel(clock.now() + timedelta(days=399), tick=False):
        announce("new")
        forget_alerts()
        assert Alert.objects.count() == 5
    with time_machine.travel(clock.now() + timedelta(days=401), tick=False):
        forget_alerts()
        assert set(Alert.objects.values_list("key", flat=True)) == {"dead", "waiting", "new"}
        assert set(Delivery.objects.values_list("status", flat=True)) == {"dead", "waiting"}
        event = AuditEvent.objects.get(action="alerts.forgotten")
        assert (event.detail["alerts"], event.detail["messages"], event.detail["days"]) == (2, 1, 400)
        forget_alerts()
        assert AuditEvent.objects.filter(action="alerts.forgotten").count() == 1
        assert bare.pk not in Alert.objects.values_list("pk", flat=True)


def test_what_was_told_and_removed_is_not_told_again() -> None:
    first = announce("budget:7")
    with time_machine.travel(clock.now() + timedelta(days=500), tick=False):
        forget_alerts()
        again = notifications.announce(kind=_kind(first), severity=first.severity, key="budget:7", title="Again")  # type: ignore[arg-type]
        assert again is None
        assert not Alert.objects.exists()


def _kind(alert: Alert) -> Any:
    from accounts.alerts import REGISTRY

    return REGISTRY[alert.kind]


def test_nothing_goes_where_it_is_kept_for_ever(settings: Any) -> None:
    settings.ALERT_RETENTION_DAYS = 0
    announce("old")
    with time_machine.travel(clock.now() + timedelta(days=5000), tick=False):
        forget_alerts()
        assert Alert.objects.exists()


def test_a_dead_letter_is_put_aside_and_then_goes_with_the_others(
    api: Callable[..., APIClient], client: Client, admin: User
) -> None:
    dead = message(announce("dead"), DeliveryStatus.DEAD)
    client.force_login(admin)
    assert "Put aside" in client.get("/settings/notifications/deliveries").content.decode()
    assert api(admin).post(f"/api/notifications/deliveries/{dead.pk}/dismiss").json()["status"] == "cancelled"
    assert api(admin).post(f"/api/notifications/deliveries/{dead.pk}/dismiss").status_code == 409
    assert AuditEvent.objects.filter(action="notification_delivery.dismissed").exists()
    with time_machine.travel(clock.now() + timedelta(days=401), tick=False):
        forget_alerts()
        assert not Delivery.objects.exists()
        assert not Alert.objects.exists()
