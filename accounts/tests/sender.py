"""A worker that sends alerts in a process of its own, which a test may kill. Commands: prepare, work, resume.

The last two say what has become of the message."""

from __future__ import annotations

import json
from datetime import timedelta

import time_machine

from accounts import alerts
from accounts.models import Delivery, User
from accounts.rules.signatures import new_key
from accounts.services import channels, deliveries, notifications
from accounts.services.channels import ChannelInput
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role


def main(command: str, given: dict[str, str]) -> None:
    {"prepare": _prepare, "work": _work, "resume": _resume}[command](given)


def _prepare(given: dict[str, str]) -> None:
    admin = User.objects.create_user("admin", role=Role.ADMIN)
    key = new_key() if given["kind"] == "webhook" else None
    channels.create(kind=given["kind"], given=ChannelInput(name="x", address=given["address"], signing_key=key), by=admin)
    notifications.announce(kind=alerts.CREDENTIALS_EXPIRING, severity=alerts.Severity.CRITICAL, key="one", title="One")


def _work(given: dict[str, str]) -> None:
    deliveries.sweep()
    deliveries.run(delivery_id=Delivery.objects.get().pk)
    print(json.dumps(Delivery.objects.values("status", "attempts").get()))  # noqa: T201 - the parent reads it


def _resume(given: dict[str, str]) -> None:
    """What beat and a new worker do once the dead one's lease is over."""
    with time_machine.travel(clock.now() + timedelta(minutes=4), tick=True):
        _work(given)
