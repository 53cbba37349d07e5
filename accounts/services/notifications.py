"""Telling people: an alert is a row, made in the transaction of what it tells of, with a notice for each channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from accounts.alerts import AlertKind, Severity
from accounts.models import Alert, AlertAccount, AwsAccount, Notice, NotificationChannel, PastAlert, User
from accounts.rules import notices
from accounts.rules.notices import Digest, Timing
from accounts.services import deliveries
from cloudconsole import realtime
from cloudconsole.core import clock, jobs


@transaction.atomic
def announce(
    *,
    kind: AlertKind,
    severity: Severity,
    key: str,
    title: str,
    lines: Sequence[str] = (),
    path: str = "",
    accounts: Iterable[AwsAccount] = (),
    person: User | None = None,
    on_channels: bool = False,
) -> Alert | None:
    """Tell of something once: `key` is unique for ever, and the same one again returns the first alert and does nothing.

    None where it was told so long ago that the alert was removed since.

    `title` is one plain sentence without a full stop, `lines` say more, `path` is the console's page about it. Whoever may
    see all of `accounts` may see the alert; none of them: it concerns the whole installation, or `person` alone. What
    concerns a person alone is shown under their bell, and sent to no channel, for those are everybody's: but where it is told
    `on_channels`, because that person wants everybody to know.
    """
    told = Alert.objects.filter(key=key).first()
    if told is not None or PastAlert.objects.filter(key=key).exists():
        return told
    concerned = {account.pk: account for account in accounts}
    alert = Alert(
        key=key,
        kind=kind.name,
        severity=severity,
        title=" ".join(title.split())[:200],
        lines=list(lines),
        path=path,
        everywhere=not concerned and person is None,
        person=person,
    )
    try:
        with transaction.atomic():
            alert.save(force_insert=True)
    except IntegrityError:
        return Alert.objects.get(key=key)  # another worker was quicker
    AlertAccount.objects.bulk_create(AlertAccount(alert=alert, account=account) for account in concerned.values())
    if person is not None:
        realtime.publish_to("alert", alert.pk, person.pk)
        if on_channels:
            _route(alert, severity)
        return alert
    _route(alert, severity)
    if concerned:
        realtime.publish("alert", alert.pk, min(concerned))  # whoever may see all of them may see this one
    else:
        realtime.publish_everywhere("alert", alert.pk)
    return alert


def _route(alert: Alert, severity: Severity) -> None:
    """A notice for each channel whose routes want the alert. The sweeper finds them; the bell only makes it sooner."""
    now = clock.now()
    wanted = [
        Notice(alert=alert, channel=channel, due_at=notices.due(timing_of(channel), severity, now))
        for channel in NotificationChannel.objects.filter(enabled=True).prefetch_related("routes")
        if notices.is_wanted({route.kind: route.at_least for route in channel.routes.all()}, alert.kind, severity)
    ]
    Notice.objects.bulk_create(wanted)
    if any(notice.due_at <= now for notice in wanted):
        jobs.enqueue(deliveries.SWEEP)


def timing_of(channel: NotificationChannel) -> Timing:
    """When a channel may be spoken to."""
    quiet = (
        (channel.quiet_from, channel.quiet_until) if channel.quiet_from is not None and channel.quiet_until is not None else None
    )
    digest = Digest(channel.digest)
    return Timing(ZoneInfo(channel.time_zone), quiet, digest, channel.digest_at, channel.critical_at_once)
