"""Notification channels: made, changed, deleted. Addresses and keys are checked, sealed, and never shown again."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import time

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import alerts
from accounts.models import ChannelKind, NotificationChannel, NotificationRoute, User
from accounts.models.channels import LEAST
from accounts.rules import signatures
from accounts.rules.notices import EVERY_KIND, Digest
from accounts.services import channel_secrets, deliveries, other_services
from accounts.services.channel_secrets import ChannelSecret
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.net.egress import Cause, Refused, door
from cloudconsole.sealing import Sealed

MOST_RECIPIENTS = 50
_LONGEST_ADDRESS = 2000


class InvalidChannel(CloudconsoleError):
    code = "invalid"
    title = "The input is not valid"


class ChannelNameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "channel_name_taken"
    title = "The name is taken"


@dataclass(frozen=True)
class ChannelInput:
    """What a person says of a channel; None: as it is. `routes` are pairs of kind ("" for every other) and least severity."""

    name: str | None = None
    enabled: bool | None = None
    recipients: Sequence[str] | None = None
    address: str | None = field(default=None, repr=False)
    signing_key: str | None = field(default=None, repr=False)
    time_zone: str | None = None
    quiet: tuple[time | None, time | None] | None = None
    digest: str | None = None
    digest_at: time | None = None
    critical_at_once: bool | None = None
    routes: Sequence[tuple[str, str]] | None = None


def create(*, kind: str, given: ChannelInput, by: User) -> NotificationChannel:
    """Raises InvalidChannel, ChannelNameTaken, Refused for an address that nothing is sent to, SealingError."""
    if kind not in ChannelKind.values:
        raise InvalidChannel("There is no such kind of channel.", attr="kind")
    channel = NotificationChannel(kind=kind, created_by=by)
    _apply(channel, given)
    if not channel.name:
        raise InvalidChannel("Give the channel a name.", attr="name")
    if channel.kind == ChannelKind.EMAIL and not channel.recipients:
        raise InvalidChannel("Name at least one e-mail address.", attr="recipients")
    sealed = _sealed(channel, given, by)
    routes = _routes([(EVERY_KIND, alerts.Severity.WARNING.value)] if given.routes is None else given.routes)
    return _store(channel, sealed, routes, by)


def change(*, channel: NotificationChannel, given: ChannelInput, by: User) -> NotificationChannel:
    """What is None stays. A new address or key replaces the old one; the other of the two stays. Raises as `create` does."""
    draft = NotificationChannel.objects.get(pk=channel.pk)
    _apply(draft, given)
    sealed = None
    if given.address is not None or given.signing_key is not None:
        sealed = _sealed(draft, given, by)
    routes = None if given.routes is None else _routes(given.routes)
    changed = [one.name for one in fields(given) if getattr(given, one.name) is not None]
    return _store(draft, sealed, routes, by, changed)


@transaction.atomic
def delete(*, channel: NotificationChannel, by: User) -> None:
    """Nothing more is sent to it; its log stays under its name."""
    if not NotificationChannel.objects.select_for_update().filter(pk=channel.pk).exists():
        return
    deliveries.cancel_open(channel=channel)
    channel.delete()
    realtime.publish("channel", channel.name)
    audit.record(verbs.CHANNEL_DELETED, actor=by, subject=channel.name)


def _apply(channel: NotificationChannel, given: ChannelInput) -> None:
    """Set what is said, checked by itself; nothing is stored yet."""
    if given.name is not None:
        channel.name = _name(given.name)
    if given.recipients is not None and channel.kind == ChannelKind.EMAIL:
        channel.recipients = _recipients(given.recipients)
        channel.hint = ", ".join(channel.recipients)[:255]
    if given.time_zone is not None:
        channel.time_zone = _time_zone(given.time_zone)
    if given.quiet is not None:
        channel.quiet_from, channel.quiet_until = _quiet(given.quiet)
    if given.digest is not None:
        channel.digest = _digest(given.digest)
    channel.digest_at = channel.digest_at if given.digest_at is None else given.digest_at
    channel.enabled = channel.enabled if given.enabled is None else given.enabled
    channel.critical_at_once = channel.critical_at_once if given.critical_at_once is None else given.critical_at_once


def _sealed(channel: NotificationChannel, given: ChannelInput, by: User) -> Sealed | None:
    """The secret as it is to be stored; None where the kind has none. Sets the channel's public hint."""
    if channel.kind == ChannelKind.EMAIL:
        return None
    stored = channel_secrets.opened(channel) if channel.pk and None in (given.address, given.signing_key) else ChannelSecret()
    address = stored.address if given.address is None else given.address.strip()
    key = stored.signing_key if given.signing_key is None else given.signing_key.strip()
    if channel.kind == ChannelKind.WEBHOOK and not signatures.is_key(key):
        raise InvalidChannel("A signing key is whsec_ and 24 to 64 bytes in base64.", attr="signing_key")
    channel.hint = _hint(channel, address, by)
    return channel_secrets.seal(channel, ChannelSecret(address, key if channel.kind == ChannelKind.WEBHOOK else ""))


def _hint(channel: NotificationChannel, address: str, by: User) -> str:
    """The part of an address that is no secret: its host, or its service."""
    if not address:
        raise InvalidChannel("Enter the address that messages are sent to.", attr="address")
    if len(address) > _LONGEST_ADDRESS:
        raise InvalidChannel(f"An address has at most {_LONGEST_ADDRESS} characters.", attr="address")
    if channel.kind == ChannelKind.APPRISE:
        return _service(address)
    try:
        return door().check(address).address.netloc[:255]
    except Refused as refusal:
        _note_refusal(channel, refusal.cause, by)
        raise Refused(refusal.cause, attr="address") from None


@transaction.atomic
def _note_refusal(channel: NotificationChannel, cause: Cause, by: User) -> None:
    audit.record(verbs.CHANNEL_REFUSED, actor=by, subject=channel.name, outcome="refused", detail={"cause": cause.value})


def _service(address: str) -> str:
    try:
        return other_services.service_of(address).title
    except other_services.NotSupported:
        names = ", ".join(f"{scheme}://" for scheme in sorted(other_services.SERVICES))
        raise InvalidChannel(f"This is no address of a supported service. They begin with {names}.", attr="address") from None


@transaction.atomic
def _store(
    channel: NotificationChannel,
    sealed: Sealed | None,
    routes: Mapping[str, str] | None,
    by: User,
    changed: Sequence[str] = (),
) -> NotificationChannel:
    is_new = channel.pk is None
    if sealed is not None:
        channel.sealed, channel.sealed_with = sealed.ciphertext, sealed.key_id
    try:
        with transaction.atomic():
            channel.save()
    except IntegrityError:
        raise ChannelNameTaken(f"There is a channel called “{channel.name}” already.", attr="name") from None
    if routes is not None:
        channel.routes.all().delete()
        NotificationRoute.objects.bulk_create(
            NotificationRoute(channel=channel, kind=kind, at_least=least) for kind, least in routes.items()
        )
    realtime.publish("channel", channel.pk)
    if is_new:
        audit.record(verbs.CHANNEL_MADE, actor=by, subject=channel.name, detail={"kind": str(channel.kind)})
    else:
        audit.record(verbs.CHANNEL_CHANGED, actor=by, subject=channel.name, detail={"fields": ", ".join(changed)})
    return channel


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 100:
        raise InvalidChannel("A name has 1 to 100 characters.", attr="name")
    return name


def _recipients(given: Sequence[str]) -> list[str]:
    addresses = list(dict.fromkeys(part.lower() for text in given for part in re.split(r"[\s,;]+", text) if part))
    if not 1 <= len(addresses) <= MOST_RECIPIENTS:
        raise InvalidChannel(f"Name 1 to {MOST_RECIPIENTS} e-mail addresses.", attr="recipients")
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise InvalidChannel(f"“{address[:80]}” is no e-mail address.", attr="recipients") from None
    return addresses


def _time_zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise InvalidChannel("A time zone is named such as Europe/Berlin.", attr="time_zone")
    return text


def _quiet(span: tuple[time | None, time | None]) -> tuple[time | None, time | None]:
    begins, ends = span
    if (begins is None) != (ends is None):
        raise InvalidChannel("Quiet hours have a beginning and an end.", attr="quiet_until" if ends is None else "quiet_from")
    if begins is not None and begins == ends:
        raise InvalidChannel("Quiet hours end at another time than they begin.", attr="quiet_until")
    return begins, ends


def _digest(text: str) -> str:
    if text not in {one.value for one in Digest}:
        raise InvalidChannel("A digest comes “none”, “hourly” or “daily”.", attr="digest")
    return text


def _routes(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    for kind, least in given:
        if kind != EVERY_KIND and kind not in alerts.REGISTRY:
            raise InvalidChannel(f"There is no kind of alert called “{kind[:64]}”.", attr="routes")
        if least not in {value for value, _ in LEAST}:
            raise InvalidChannel("The least severity is info, warning, critical or never.", attr="routes")
    routes = dict(given)
    if len(routes) != len(given):
        raise InvalidChannel("A kind of alert has one route.", attr="routes")
    return routes
