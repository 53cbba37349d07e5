"""Messages on their way: packed from what is due, claimed by one worker, sent once, tried again with patience, or given up.

What may have arrived is never sent again by itself, unless its receiver can tell: a row says "sending" before the first byte.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Delivery, DeliveryStatus, Notice, NotificationChannel, User
from accounts.rules import retries
from accounts.rules.retries import MOST_ATTEMPTS, Verdict
from accounts.services import channel_secrets, messages, sending
from accounts.services.outcomes import Outcome
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import KeyUnavailable, SealingError

DELIVER = "accounts.deliver"
SWEEP = "accounts.sweep_deliveries"
_LEASE = timedelta(minutes=3)  # longer than any attempt takes
_MOST_IN_ONE = 200  # alerts in one message

log = structlog.get_logger(__name__)


class NotRetryable(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "delivery_not_retryable"
    title = "The message cannot be sent again"


def sweep() -> None:
    """Pack what is due, ring for what waits or lost its worker, and end what may have arrived."""
    _end_unknown()
    due = Notice.objects.filter(delivery=None, channel__isnull=False, due_at__lte=clock.now())
    for channel in NotificationChannel.objects.filter(pk__in=due.values("channel")):
        pack(channel=channel)
    for pk in _claimable().values_list("pk", flat=True)[:1000]:
        jobs.enqueue(DELIVER, delivery_id=pk)


@transaction.atomic
def pack(*, channel: NotificationChannel) -> Delivery | None:
    """One message of all alerts that are due for a channel; None when another worker has packed them."""
    waiting = Notice.objects.filter(channel=channel, delivery=None, due_at__lte=clock.now())
    chosen = list(waiting.order_by("pk").values_list("pk", flat=True)[:_MOST_IN_ONE])
    if not chosen:
        return None
    delivery = _new(channel, is_test=False)
    if not Notice.objects.filter(pk__in=chosen, delivery=None).update(delivery=delivery):
        delivery.delete()
        return None
    jobs.enqueue(DELIVER, delivery_id=delivery.pk)
    return delivery


def run(*, delivery_id: int) -> None:
    """Send one message if it is due and nobody else is at it. Safe to call at any time, by any number of workers."""
    token = _claim(delivery_id)
    if token is None:
        return
    delivery = Delivery.objects.select_related("channel").get(pk=delivery_id)
    _finish(delivery, token, _attempt(delivery, token))


def test(*, channel: NotificationChannel, by: User) -> Delivery:
    """Send a test message now, and say how it went: the one delivery that is made while somebody waits."""
    delivery = _new(channel, is_test=True)
    token = _claim(delivery.pk)
    if token is not None:
        _finish(delivery, token, _attempt(delivery, token))
    delivery.refresh_from_db()
    with transaction.atomic():
        detail = {"result": delivery.get_status_display().lower(), "code": delivery.error_code}
        audit.record(verbs.CHANNEL_TESTED, actor=by, subject=channel.name, detail=detail)
    return delivery


@transaction.atomic
def retry(*, delivery: Delivery, by: User) -> Delivery:
    """Send a dead letter again, under its own id. Raises NotRetryable for what has arrived, is under way, or has no channel."""
    row = Delivery.objects.select_for_update().select_related(None).get(pk=delivery.pk)
    if not row.is_dead_letter or row.is_test:
        raise NotRetryable("Only messages that were given up or ended as unknown can be sent again.")
    if row.channel_id is None:
        raise NotRetryable("Its channel was deleted.")
    row.status, row.attempts, row.not_before, row.finished_at = DeliveryStatus.WAITING, 0, clock.now(), None
    row.save(update_fields=["status", "attempts", "not_before", "finished_at"])
    jobs.enqueue(DELIVER, delivery_id=row.pk)
    realtime.publish("delivery", row.pk)
    audit.record(verbs.DELIVERY_RETRIED, actor=by, subject=row.channel_name, detail={"number": row.pk})
    return row


@transaction.atomic
def dismiss(*, delivery: Delivery, by: User) -> Delivery:
    """Put a dead letter aside: it is dealt with. Raises NotRetryable for any other message."""
    row = Delivery.objects.select_for_update().select_related(None).get(pk=delivery.pk)
    if not row.is_dead_letter or row.is_test:
        raise NotRetryable("Only messages that were given up or ended as unknown can be put aside.")
    row.status = DeliveryStatus.CANCELLED
    row.save(update_fields=["status"])
    realtime.publish("delivery", row.pk)
    audit.record(verbs.DELIVERY_DISMISSED, actor=by, subject=row.channel_name, detail={"number": row.pk})
    return row


def cancel_open(*, channel: NotificationChannel) -> None:
    """What has not been sent to a channel is not sent any more. Within the caller's transaction."""
    Notice.objects.filter(channel=channel, delivery=None).delete()
    waiting = Delivery.objects.filter(channel=channel, status__in=(DeliveryStatus.WAITING, DeliveryStatus.CLAIMED))
    waiting.update(status=DeliveryStatus.CANCELLED, lease_token=None, lease_until=None, finished_at=clock.now())


def _new(channel: NotificationChannel, *, is_test: bool) -> Delivery:
    return Delivery.objects.create(
        channel=channel, channel_name=channel.name, channel_kind=channel.kind, is_test=is_test, not_before=clock.now()
    )


def _claimable() -> QuerySet[Delivery]:
    now = clock.now()
    waits = Q(status=DeliveryStatus.WAITING, not_before__lte=now)
    unsent = Q(status=DeliveryStatus.CLAIMED, lease_until__lt=now)
    told_apart = Q(status=DeliveryStatus.SENDING, lease_until__lt=now, channel_kind__in=sending.IDEMPOTENT)
    return Delivery.objects.filter(waits | unsent | told_apart)


def _claim(delivery_id: int) -> uuid.UUID | None:
    """Take the message if it waits or its worker is gone; None when another has it or it is over."""
    token = uuid.uuid4()
    held = {"status": DeliveryStatus.CLAIMED, "lease_token": token, "lease_until": clock.now() + _LEASE}
    taken = _claimable().filter(pk=delivery_id).update(**held, attempts=F("attempts") + 1)
    return token if taken else None


def _attempt(delivery: Delivery, token: uuid.UUID) -> Outcome | None:
    """How it went; None when the message is not ours any more, or is not to be sent."""
    channel = delivery.channel
    if channel is None or not (channel.enabled or delivery.is_test):
        return None
    try:
        secret = channel_secrets.opened(channel)
    except KeyUnavailable as error:
        return Outcome(Verdict.AGAIN, code=error.code, detail=error.detail)
    except SealingError as error:
        return Outcome(Verdict.NEVER, code=error.code, detail=error.detail)
    message = messages.of(delivery)
    mine = Delivery.objects.filter(pk=delivery.pk, lease_token=token, status=DeliveryStatus.CLAIMED)
    if not mine.update(status=DeliveryStatus.SENDING, lease_until=clock.now() + _LEASE):
        return None
    return sending.send(channel, secret, message)


@transaction.atomic
def _finish(delivery: Delivery, token: uuid.UUID, outcome: Outcome | None) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk, lease_token=token)
    row = mine.select_for_update().first()
    if row is None:
        log.info("delivery_lost", delivery=delivery.pk)
        return
    now = clock.now()
    status = _status_after(row, outcome)
    fields: dict[str, object] = {"status": status, "lease_token": None, "lease_until": None}
    if status == DeliveryStatus.WAITING and outcome is not None:
        fields["not_before"] = now + retries.pause(row.attempts, str(row.uuid), outcome.wait)
    else:
        fields["finished_at"] = now
    if outcome is not None:
        fields |= {"http_status": outcome.status, "answer": outcome.answer}
        fields |= {"error_code": outcome.code, "error_detail": outcome.detail}
    mine.update(**fields)
    realtime.publish("delivery", delivery.pk)


def _status_after(row: Delivery, outcome: Outcome | None) -> DeliveryStatus:
    if outcome is None:
        return DeliveryStatus.CANCELLED
    match outcome.verdict:
        case Verdict.SENT:
            return DeliveryStatus.SENT
        case Verdict.UNKNOWN:
            return DeliveryStatus.UNKNOWN
        case Verdict.NEVER:
            return DeliveryStatus.DEAD
        case Verdict.AGAIN:
            return DeliveryStatus.DEAD if row.is_test or row.attempts >= MOST_ATTEMPTS else DeliveryStatus.WAITING


def _end_unknown() -> None:
    """A worker died between the first byte and the answer: what it sent may have arrived, so a person decides."""
    lost = Delivery.objects.filter(status=DeliveryStatus.SENDING, lease_until__lt=clock.now())
    ended = lost.exclude(channel_kind__in=sending.IDEMPOTENT).update(
        status=DeliveryStatus.UNKNOWN,
        lease_token=None,
        lease_until=None,
        finished_at=clock.now(),
        error_code="worker_lost",
        error_detail="The worker that sent it ended before the answer came. It may have arrived.",
    )
    if ended:
        log.warning("deliveries_unknown", count=ended)
