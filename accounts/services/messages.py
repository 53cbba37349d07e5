"""What a message says: one alert, or several that came due together, in the form that each kind of channel takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.alerts import Severity
from accounts.models import Alert, Delivery

_SHOWN = 20  # alerts told in full in one message
_MARKS = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.CRITICAL: "🔴"}


@dataclass(frozen=True)
class Told:
    """One alert as receivers get it. `url` is empty where the installation does not know its own address."""

    id: int
    kind: str
    kind_title: str
    severity: Severity
    title: str
    lines: tuple[str, ...]
    url: str
    accounts: tuple[tuple[str, str], ...]
    at: str


@dataclass(frozen=True)
class Message:
    """`id` is the message's own, the same in every attempt."""

    id: str
    alerts: tuple[Told, ...]
    is_test: bool

    @property
    def severity(self) -> Severity:
        return max((alert.severity for alert in self.alerts), key=lambda one: one.rank, default=Severity.INFO)

    @property
    def subject(self) -> str:
        if len(self.alerts) == 1:
            return f"[{self.severity.value.capitalize()}] {self.alerts[0].title}"
        return f"[{self.severity.value.capitalize()}] {len(self.alerts)} alerts"

    @property
    def text(self) -> str:
        """Plain text, as e-mail and unknown services show it."""
        parts = [_paragraph(alert) for alert in self.alerts[:_SHOWN]]
        rest = len(self.alerts) - _SHOWN
        return "\n\n".join([*parts, *([f"And {rest} more."] if rest > 0 else [])])


def of(delivery: Delivery) -> Message:
    """What this delivery carries; a test carries an alert that says so."""
    if delivery.is_test:
        return Message(str(delivery.uuid), (_test_alert(delivery),), is_test=True)
    alerts = Alert.objects.filter(notices__delivery=delivery).order_by("pk").prefetch_related("accounts")
    return Message(str(delivery.uuid), tuple(_told(alert) for alert in alerts), is_test=False)


def for_webhook(message: Message) -> bytes:
    """JSON that is the same, byte for byte, in every attempt."""
    return _json({"id": message.id, "test": message.is_test, "alerts": [_as_json(alert) for alert in message.alerts]})


def for_slack(message: Message) -> bytes:
    """An incoming webhook's `text`, in Slack's own markup."""
    shown = [
        f"{_MARKS[alert.severity]} *{_slack_text(alert.title)}*"
        + "".join(f"\n{_slack_text(line)}" for line in alert.lines)
        + (f"\n<{_slack_text(alert.url)}|Open in Cloudconsole>" if alert.url else "")
        for alert in message.alerts[:_SHOWN]
    ]
    rest = len(message.alerts) - _SHOWN
    return _json({"text": "\n\n".join([*shown, *([f"And {rest} more."] if rest > 0 else [])])})


def for_teams(message: Message) -> bytes:
    """An adaptive card, as the webhooks of Teams' workflows take it."""
    body: list[Mapping[str, Any]] = []
    for alert in message.alerts[:_SHOWN]:
        body.append(_block(f"{_MARKS[alert.severity]} {alert.title}", weight="Bolder", separator=bool(body)))
        body.extend(_block(line) for line in alert.lines)
        if alert.url:
            body.append(_block(f"[Open in Cloudconsole]({alert.url})"))
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _json({"type": "message", "attachments": [attachment]})


def _block(text: str, **look: Any) -> Mapping[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **look}


def _paragraph(alert: Told) -> str:
    head = f"{alert.severity.value.capitalize()}: {alert.title}"
    where = f"Accounts: {', '.join(alias for alias, _ in alert.accounts)}" if alert.accounts else ""
    return "\n".join(part for part in (head, *alert.lines, where, alert.url) if part)


def _told(alert: Alert) -> Told:
    accounts = alert.accounts.all()
    return Told(
        alert.pk,
        alert.kind,
        alert.kind_title,
        Severity(alert.severity),
        alert.title,
        tuple(str(line) for line in alert.lines),
        _url(alert.path),
        tuple((account.alias, account.account_id) for account in accounts),
        f"{alert.created_at:%Y-%m-%dT%H:%M:%SZ}",
    )


def _test_alert(delivery: Delivery) -> Told:
    lines = (f"If you can read this, the channel “{delivery.channel_name}” works.",)
    path, at = _url("/settings/notifications"), f"{delivery.created_at:%Y-%m-%dT%H:%M:%SZ}"
    return Told(0, "test", "Test", Severity.INFO, "A test message from Cloudconsole", lines, path, (), at)


def _url(path: str) -> str:
    """The address of a page, made of what the settings know of this installation's own; empty where they know nothing."""
    origins = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]
    hosts = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*", "["))]
    named = [host for host in hosts if host not in ("localhost", "127.0.0.1", "testserver")]
    scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
    base = origins[0] if origins else (f"{scheme}://{named[0]}" if named else "")
    return f"{base.rstrip('/')}{path}" if base and path else ""


def _slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_json(alert: Told) -> Mapping[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "title": alert.title,
        "lines": list(alert.lines),
        "url": alert.url or None,
        "accounts": [{"alias": alias, "account_id": number} for alias, number in alert.accounts],
        "created_at": alert.at,
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
