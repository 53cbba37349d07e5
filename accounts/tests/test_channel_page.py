"""Settings → Notifications, the alerts page and the bell, as people use them; and that secrets stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Delivery, NotificationChannel, NotificationRoute, User
from accounts.rules.signatures import is_key, new_key
from accounts.tests.test_alerts import account, announce
from audit.models import AuditEvent
from cloudconsole.net.tests.listeners import Listener, Reply, http_listener

pytestmark = pytest.mark.django_db

Api = Callable[..., APIClient]
SECRET = "canaryCANARYcanaryCANARYcanaryCANARY0123"


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    settings.EGRESS_ALLOW_CIDRS = [ip_network("127.0.0.0/8")]
    with http_listener() as made:
        yield made


def fields(**given: str) -> dict[str, str]:
    plain = {"name": "On call", "enabled": "on", "time_zone": "Europe/Berlin", "digest": "none", "digest_at": "09:00"}
    return {**plain, "route_": "warning", **given}


def test_a_webhook_is_made_tried_changed_and_deleted(browser: Client, listener: Listener) -> None:
    shown = browser.get("/settings/notifications/channels/add/webhook")
    key = str(shown.context["form"]["signing_key"].value())
    assert is_key(key)
    given = fields(address=listener.url(), signing_key=key, quiet_from="22:00", quiet_until="07:00")
    answer = browser.post("/settings/notifications/channels/add/webhook", given, follow=True)
    channel = NotificationChannel.objects.get()
    assert "is saved" in answer.content.decode()
    assert key not in answer.content.decode()
    listener.answer = lambda asked: Reply(202, body=b"queued")
    page = browser.post(f"/settings/notifications/channels/{channel.pk}/test", follow=True).content.decode()
    assert "The test message was sent. Its answer: 202 queued" in page
    path = f"/settings/notifications/channels/{channel.pk}"
    browser.post(path, fields(name="Nights", route_="never", **{"route_accounts.credentials_expiring": "critical"}))
    routes = NotificationRoute.objects.order_by("kind").values_list("kind", "at_least")
    assert list(routes) == [("", "never"), ("accounts.credentials_expiring", "critical")]
    browser.post(f"/settings/notifications/channels/{channel.pk}/test")
    assert len(listener.asked) == 2  # the address and the key stayed
    browser.post(f"{path}/delete")
    assert not NotificationChannel.objects.exists()
    assert Delivery.objects.count() == 2
    done = AuditEvent.objects.filter(action__startswith="notification_channel").order_by("seq").values_list("action", flat=True)
    assert [verb.partition(".")[2] for verb in done] == ["made", "tested", "changed", "tested", "deleted"]


def test_a_private_address_is_refused_and_the_cause_is_for_the_audit_alone(browser: Client) -> None:
    given = fields(address="https://169.254.169.254/latest", signing_key=new_key())
    answer = browser.post("/settings/notifications/channels/add/webhook", given)
    page = answer.content.decode()
    assert (answer.status_code, NotificationChannel.objects.count()) == (400, 0)
    assert "Nothing is sent to this address" in page
    assert "metadata" not in page
    assert AuditEvent.objects.get(action="notification_channel.refused").detail["cause"] == "metadata"


@pytest.mark.parametrize(
    ("wrong", "attr"),
    [
        ({"recipients": ["not an address"]}, "recipients"),
        ({"recipients": []}, "recipients"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quiet_until"),
        ({"routes": [{"kind": "no.such", "at_least": "info"}]}, "routes"),
        ({"name": "  "}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(admin: User, api: Api, wrong: dict[str, Any], attr: str) -> None:
    body = {"name": "x", "kind": "email", "recipients": ["ops@example.com"], **wrong}
    answer = api(admin).post("/api/notifications/channels", body)
    assert (answer.status_code, answer.json()["errors"][0]["attr"].partition(".")[0]) == (400, attr)


def test_a_name_is_taken_once(admin: User, api: Api) -> None:
    body = {"name": "Ops", "kind": "email", "recipients": ["ops@example.com"]}
    assert api(admin).post("/api/notifications/channels", body).status_code == 201
    assert api(admin).post("/api/notifications/channels", {**body, "name": "OPS"}).json()["code"] == "channel_name_taken"


def test_only_what_is_said_changes(admin: User, api: Api) -> None:
    body = {"name": "Ops", "kind": "email", "recipients": ["ops@example.com"], "quiet_from": "22:00", "quiet_until": "06:00"}
    made = api(admin).post("/api/notifications/channels", body).json()
    changed = api(admin).patch(f"/api/notifications/channels/{made['id']}", {"enabled": False}).json()
    assert {**changed, "changed_at": ""} == {**made, "enabled": False, "changed_at": ""}
    cleared = api(admin).patch(f"/api/notifications/channels/{made['id']}", {"quiet_from": None, "quiet_until": None}).json()
    assert (cleared["quiet_from"], cleared["quiet_until"]) == (None, None)


def test_a_secret_is_never_shown_again(
    browser: Client, admin: User, api: Api, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    listener.answer = lambda asked: Reply(400, body=asked.path.encode())
    address = listener.url(path=f"/hooks/{SECRET}")
    seen = []
    for kind in ("slack", "teams", "webhook"):
        body = {"name": kind, "kind": kind, "address": address, "signing_key": new_key()}
        seen.append(api(admin).post("/api/notifications/channels", body).content)
    for channel in NotificationChannel.objects.all():
        base = f"/settings/notifications/channels/{channel.pk}"
        seen += [api(admin).post(f"/api/notifications/channels/{channel.pk}/test").content, browser.get(base).content]
        seen.append(browser.post(f"{base}/test", follow=True).content)
        seen.append(browser.get(f"/admin/accounts/notificationchannel/{channel.pk}/change/").content)
        assert SECRET.encode() not in bytes(channel.sealed)
    for path in ("/settings/notifications", "/settings/notifications/deliveries", "/audit", "/admin/accounts/delivery/"):
        seen.append(browser.get(path).content)
    for path in ("/api/notifications/channels", "/api/notifications/deliveries", "/api/audit"):
        seen.append(api(admin).get(path).content)
    told = list(Delivery.objects.values_list("answer", "error_detail"))
    everything = b"".join(seen).decode() + caplog.text + repr(told) + repr(list(AuditEvent.objects.values("detail")))
    assert SECRET not in everything
    assert len(listener.asked) == 6


def test_dead_letters_are_seen_and_sent_again_by_hand(browser: Client, admin: User) -> None:
    channel = NotificationChannel.objects.create(name="Ops", kind="email", recipients=["ops@example.com"])
    dead = Delivery.objects.create(
        channel=channel,
        channel_name="Ops",
        channel_kind="email",
        status="dead",
        error_detail="Gone.",
        not_before="2026-01-01T00:00Z",
    )
    assert "Dead letters" in browser.get("/settings/notifications").content.decode()
    page = browser.get("/settings/notifications/deliveries?status=dead_letters").content.decode()
    assert "Gone." in page
    answer = browser.post(f"/settings/notifications/deliveries/{dead.pk}/retry", follow=True)
    assert "sent again" in answer.content.decode()
    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("waiting", 0)


def test_the_bell_counts_what_is_unread_and_the_list_leads_on(browser: Client) -> None:
    alert = announce("one", account("one"))
    announce("two")
    type(alert).objects.filter(pk=alert.pk).update(path="/accounts")
    assert 'aria-label="Alerts, 2 unread"' in browser.get("/").content.decode()
    assert browser.post(f"/alerts/{alert.pk}/open")["Location"] == "/accounts"
    assert 'aria-label="Alerts, 1 unread"' in browser.get("/alerts/bell").content.decode()
    assert "Something happened" in browser.get("/alerts?state=unread").content.decode()
    assert "marked as read" in browser.post("/alerts/read", follow=True).content.decode()
    assert 'aria-label="Alerts"' in browser.get("/alerts/bell").content.decode()


def test_more_channels_and_messages_take_no_more_queries(
    browser: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(40):
        channel = NotificationChannel.objects.create(name=f"c{number}", kind="email", recipients=["ops@example.com"])
        Delivery.objects.create(channel=channel, channel_name="c", channel_kind="email", not_before="2026-01-01T00:00Z")
    for path in ("/settings/notifications", "/settings/notifications/deliveries"):
        with django_assert_max_num_queries(12):
            assert browser.get(path).status_code == 200
