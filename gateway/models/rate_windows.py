"""How much of the limits of a key's API is left: the last that was told of each window, and how it went before."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import User
from cloudconsole.core.permissions import Perm
from gateway.models.keys import ApiKey
from gateway.rules import rate_windows as rules
from gateway.rules.rate_windows import Dialect, Unit

UNITS = [(one.value, one.value.capitalize()) for one in Unit]
POLICY_LENGTH = 140


class RateWindowQuerySet(models.QuerySet["RateWindow"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> RateWindowQuerySet:
        """Those of one's own keys."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self.filter(key__owner=user)

    def known(self, at: datetime) -> RateWindowQuerySet:
        """Those whose figures still hold."""
        return self.filter(believed_until__gt=at)


class RateWindow(models.Model):
    """One limit of a key's API: as the API told it last or, `is_manual`, as its owner said and as requests use it up.

    After `believed_until` nothing is known of it. `limit`, `remaining`, `used` are whole `unit`s; unknown is empty. `refusals`:
    how often in a row the API refused without saying how long to wait.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="rate_windows")
    is_manual = models.BooleanField(default=False)
    policy = models.CharField(
        max_length=POLICY_LENGTH, blank=True, help_text="Which of the API's limits; empty for the only one."
    )
    unit = models.CharField(max_length=12, choices=UNITS, default=Unit.REQUESTS.value)
    scope = models.CharField(max_length=120, blank=True, help_text="Whom the API counts it for, in its own words.")
    limit = models.PositiveBigIntegerField(null=True, blank=True)
    remaining = models.PositiveBigIntegerField(null=True, blank=True)
    used = models.PositiveBigIntegerField(null=True, blank=True)
    seconds = models.PositiveBigIntegerField(null=True, blank=True, help_text="How long the window is.")
    reset_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80, blank=True, help_text="The header that told it.")
    dialect = models.CharField(max_length=24, default=Dialect.GENERIC.value)
    observed_at = models.DateTimeField()
    believed_until = models.DateTimeField()
    refusals = models.PositiveSmallIntegerField(default=0)
    sampled_at = models.DateTimeField(null=True, editable=False)

    objects = RateWindowQuerySet.as_manager()

    class Meta:
        ordering = ["key", "policy", "unit"]
        constraints = [
            # Also what a request looks at before it is sent.
            models.UniqueConstraint(fields=["key", "is_manual", "policy", "unit"], name="rate_window_once"),
            models.CheckConstraint(condition=Q(unit__in=[one.value for one in Unit]), name="rate_window_unit_is_known"),
        ]
        indexes = [
            # Expiry removes from the old end.
            models.Index(fields=["believed_until"], name="rate_window_end"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.policy or self.unit}"

    @property
    def share_left(self) -> float | None:
        """Between 0 and 1; None where it cannot be told."""
        return rules.share_left(self.limit, self.remaining)

    def is_known(self, at: datetime) -> bool:
        return self.believed_until > at


class RateSample(models.Model):
    """What was left of a window at a moment: not each answer, but enough for a line."""

    window = models.ForeignKey(RateWindow, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    limit = models.PositiveBigIntegerField(null=True)
    remaining = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["at"]
        indexes = [
            # The line of a window.
            models.Index(fields=["window", "at"], name="rate_sample_line"),
            # Expiry removes from the old end.
            models.Index(fields=["at"], name="rate_sample_at"),
        ]

    def __str__(self) -> str:
        return f"{self.window} at {self.at:%H:%M:%S}"
