"""What the requests of a whole day came to, so that a page over a month need not read each of them."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from cloudconsole.core.permissions import Perm
from gateway.models.keys import ApiKey
from gateway.models.requests import Via


class SummedDay(models.Model):
    """A day (UTC) that is over and summed: whoever makes this row first sums it. Every day before it is summed as well."""

    day = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return f"{self.day}"


class DaySumQuerySet(models.QuerySet["DaySum"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> DaySumQuerySet:
        """Of one's own requests, as the log is."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self.filter(user=user)


class DaySum(models.Model):
    """The requests of a person on one summed day that went the same way and ended the same way; never changed.

    `durations`: how often each whole millisecond came, packed as `gateway.rules.latency` reads it; of answered requests alone.
    """

    day = models.DateField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    api_name = models.CharField(max_length=64, blank=True)
    host = models.CharField(max_length=260, blank=True, help_text="As the log has it.")
    via = models.CharField(max_length=16, choices=Via)
    method = models.CharField(max_length=16)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True)
    calls = models.PositiveBigIntegerField()
    request_bytes = models.PositiveBigIntegerField()
    response_bytes = models.PositiveBigIntegerField()
    durations = models.BinaryField()

    objects = DaySumQuerySet.as_manager()

    class Meta:
        indexes = [
            # The statistics of a person.
            models.Index(fields=["user", "day"], name="day_sum_user"),
            # Those of everybody, and retention.
            models.Index(fields=["day"], name="day_sum_day"),
        ]

    def __str__(self) -> str:
        return f"{self.calls} {self.method} of {self.user} on {self.day}"
