"""Where alerts are sent, which ones, and when; and every message that was or is to be sent."""

from __future__ import annotations

import uuid
from datetime import time

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.alerts import Severity, title_of
from accounts.models.alerts import Alert
from accounts.models.people import User
from accounts.rules.notices import EVERY_KIND, NEVER, Digest
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import KeyIdField, SealedField

LEAST = [*[(severity.value, severity.value.capitalize()) for severity in Severity], (NEVER, "Never")]
DIGESTS = [(Digest.NONE.value, "At once"), (Digest.HOURLY.value, "Every hour"), (Digest.DAILY.value, "Once a day")]


class ChannelKind(models.TextChoices):
    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    WEBHOOK = "webhook", "Webhook"
    APPRISE = "apprise", "Other service"


class NotificationChannelQuerySet(models.QuerySet["NotificationChannel"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> NotificationChannelQuerySet:
        """All of them, for those who hold the installation-wide `permission`."""
        return self if isinstance(user, User) and user.may(permission) else self.none()


class NotificationChannel(models.Model):
    """One place where alerts are sent. `sealed` holds JSON with its secret address or key, bound to `uuid`."""

    PURPOSE = "notification_channel.sealed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    enabled = models.BooleanField(default=True)
    recipients = models.JSONField(default=list, blank=True, help_text="E-mail addresses, for e-mail.")
    hint = models.CharField(max_length=255, blank=True, editable=False, help_text="The host or service that it sends to.")
    sealed = SealedField(editable=False, default=b"", key_field="sealed_with", owner="uuid", purpose=PURPOSE)
    sealed_with = KeyIdField(default="", blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    digest = models.CharField(max_length=16, choices=DIGESTS, default=Digest.NONE.value)
    digest_at = models.TimeField(default=time(9))
    critical_at_once = models.BooleanField(default=True, help_text="Critical alerts wait for neither quiet hours nor digest.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = NotificationChannelQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="notification_channel_name_once"),
            models.CheckConstraint(condition=Q(kind__in=ChannelKind.values), name="notification_channel_kind_is_known"),
            models.CheckConstraint(condition=Q(digest__in=[one.value for one in Digest]), name="notification_digest_is_known"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="notification_quiet_hours_are_a_span",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NotificationRoute(models.Model):
    """From which severity on a channel is told of a kind of alert; the empty kind is every one without a route of its own."""

    channel = models.ForeignKey(NotificationChannel, on_delete=models.CASCADE, related_name="routes")
    kind = models.CharField(max_length=64, blank=True, default=EVERY_KIND)
    at_least = models.CharField(max_length=16, choices=LEAST)

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "kind"], name="notification_route_once"),
            models.CheckConstraint(condition=Q(at_least__in=[value for value, _ in LEAST]), name="notification_least_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.kind or 'every kind'} from {self.at_least}"

    @property
    def kind_title(self) -> str:
        return title_of(self.kind) if self.kind else "Every other kind"


class DeliveryStatus(models.TextChoices):
    """CLAIMED: a worker has it, and has not sent anything. SENDING: from here on it may have arrived."""

    WAITING = "waiting", "Waiting"
    CLAIMED = "claimed", "Being prepared"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"
    UNKNOWN = "unknown", "Unknown"
    CANCELLED = "cancelled", "Cancelled"


DELIVERY_OPEN = (DeliveryStatus.WAITING, DeliveryStatus.CLAIMED, DeliveryStatus.SENDING)
DEAD_LETTERS = (DeliveryStatus.DEAD, DeliveryStatus.UNKNOWN)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> DeliveryQuerySet:
        """All of them, for those who hold the installation-wide `permission`."""
        return self if isinstance(user, User) and user.may(permission) else self.none()

    def dead_letters(self) -> DeliveryQuerySet:
        """What did not arrive, or may not have, and waits for a person."""
        return self.filter(status__in=DEAD_LETTERS, is_test=False)


class Delivery(models.Model):
    """One message to one channel. `uuid` is its idempotency id: the same in every attempt.

    The log outlives its channel, under the name and kind that it had.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(NotificationChannel, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    channel_name = models.CharField(max_length=100)
    channel_kind = models.CharField(max_length=16, choices=ChannelKind)
    is_test = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=DeliveryStatus, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True, default=None, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the last answer.")
    answer = models.CharField(max_length=500, blank=True, help_text="The beginning of the last answer.")
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints = [models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="delivery_status_is_known")]
        indexes = [
            # The sweeper looks for what is due and for what lost its worker.
            models.Index(fields=["status", "not_before"], name="delivery_due"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} to {self.channel_name}"

    @property
    def is_dead_letter(self) -> bool:
        return self.status in DEAD_LETTERS


class Notice(models.Model):
    """That a channel is to be told of an alert, once: from `due_at` on it is packed into a delivery, alone or with others."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey(NotificationChannel, on_delete=models.SET_NULL, null=True, related_name="notices")
    due_at = models.DateTimeField()
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["alert", "channel"], name="notice_once_per_channel")]
        indexes = [
            # The sweeper looks for notices that are due and in no delivery.
            models.Index(fields=["due_at"], condition=Q(delivery=None), name="notice_due"),
        ]

    def __str__(self) -> str:
        return f"{self.alert} for {self.channel}"
