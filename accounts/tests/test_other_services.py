"""Services that apprise knows: their own hosts and no others, and honest about what became of a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from rest_framework.test import APIClient

from accounts.alerts import Severity
from accounts.models import Delivery, User
from accounts.services import deliveries, notifications, other_services
from accounts.tests.test_alerts import KIND

pytestmark = pytest.mark.django_db

Api = Callable[..., APIClient]
DISCORD = "discord://123456789012345678/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef"


class _Answered:
    """What the requests library would give back."""

    def __init__(self, status: int) -> None:
        self.status_code, self.content, self.text, self.headers = status, b"{}", "{}", dict[str, str]()

    def json(self) -> dict[str, str]:
        return {}


@pytest.mark.parametrize(("status", "expected"), [(204, "sent"), (500, "waiting"), (404, "dead"), (None, "unknown")])
def test_another_service_is_asked_by_its_library(
    admin: User, api: Api, monkeypatch: pytest.MonkeyPatch, status: int | None, expected: str
) -> None:
    asked = _requests_answered(monkeypatch, status)
    routes = [{"kind": "", "at_least": "info"}]
    body = {"name": "Discord", "kind": "apprise", "address": DISCORD, "routes": routes}
    assert api(admin).post("/api/notifications/channels", body).json()["hint"] == "Discord"
    notifications.announce(kind=KIND, severity=Severity.INFO, key="one", title="One")
    deliveries.sweep()
    deliveries.run(delivery_id=Delivery.objects.get().pk)
    assert (Delivery.objects.get().status, set(asked)) == (expected, {"discord.com"})


SAMPLES = {
    "discord": DISCORD,
    "gchat": f"gchat://workspace/{'k' * 39}/token",
    "join": "join://abcdefghij0123456789abcdefghij12/group.all",
    "line": f"line://{'a' * 40}/U123",
    "pagerduty": "pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7FQ/",
    "pbul": "pbul://abcdefghijklmnopqrstuvwxyz123456",
    "pover": f"pover://{'u' * 30}@{'t' * 30}",
    "prowl": f"prowl://{'a' * 40}",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "wxteams": f"wxteams://{'a' * 80}",
}


@pytest.mark.parametrize("scheme", sorted(other_services.SERVICES))
def test_another_services_library_speaks_to_its_fixed_hosts_alone(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    asked = _requests_answered(monkeypatch, 200)
    other_services.send(SAMPLES[scheme], "Subject", "Text")
    assert asked
    assert set(asked) <= set(other_services.SERVICES[scheme].hosts)


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/",
        "gotify://10.0.0.1/token",
        "mailto://user:pass@example.com",
        "rocket://user:pass@10.0.0.1/room",
        "syslog://",
        "file:///etc/passwd",
        "https://discord.com/api/webhooks/1/2",
        f"{DISCORD}?verify=no",
        f"{DISCORD}?redirect=yes",
        f"{DISCORD}?template=/etc/passwd",
        f"{DISCORD}?template=http://169.254.169.254/",
        f"{DISCORD}, json://127.0.0.1/",
        f"{DISCORD} json://127.0.0.1/",
        "DISCORD",
        "discord:",
        "discord://",
        "tgram://not-a-token",
        "",
    ],
)
def test_a_service_with_a_host_or_option_of_ones_own_is_refused(admin: User, api: Api, address: str) -> None:
    answer = api(admin).post("/api/notifications/channels", {"name": "x", "kind": "apprise", "address": address})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "address")


def _requests_answered(monkeypatch: pytest.MonkeyPatch, status: int | None) -> list[str]:
    """Have the requests library, which apprise calls, answer without a network; the hosts that it was asked for."""
    hosts: list[str] = []

    def answered(self: requests.Session, method: str, url: str, **options: Any) -> _Answered:
        assert options.get("allow_redirects") is False
        assert options.get("verify") is True
        hosts.append(str(urlsplit(url).hostname))
        if status is None:
            raise requests.ConnectionError
        return _Answered(status)

    monkeypatch.setattr(requests.Session, "request", answered)
    return hosts
