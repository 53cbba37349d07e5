"""What was sent with which key, and how it went: never a query string, a header or a body, but where somebody asked for that."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import User
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import KeyIdField, SealedField
from gateway.models.keys import ApiKey
from gateway.rules import causes


class Via(models.TextChoices):
    """Through which door a request came."""

    ENVELOPE = "envelope", "Envelope"
    STREAM = "stream", "Streamed"
    CONSOLE = "console", "Console"
    TEST = "test", "Test"


class RequestLogQuerySet(models.QuerySet["RequestLog"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> RequestLogQuerySet:
        """One's own requests, as the keys are."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self.filter(user=user)


FAILED = Q(status=None) | Q(status__gte=400) | ~Q(error="")


class RequestLog(models.Model):
    """One request of a caller, its repeated attempts included. It outlives its key, under the name that it had.

    `status` is empty when no answer came, and `error` then says why (`address_refused`, `no_answer`, …). `duration_ms` lasts
    until the last byte was handed on. Bytes are those of bodies, as they were on the wire.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(help_text="When it began.")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="requests")
    api_name = models.CharField(max_length=64, blank=True, help_text="Of the key, as it was called then.")
    via = models.CharField(max_length=16, choices=Via)
    method = models.CharField(max_length=16)
    # The database knows the default as well: while a new version is rolled out, the one before it still writes rows.
    scheme = models.CharField(max_length=5, blank=True, default="", db_default="", help_text="Empty: it was not kept yet.")
    host = models.CharField(max_length=260, blank=True, help_text="With its port where that is not the scheme's own.")
    path = models.CharField(max_length=1024, blank=True, help_text="Without the query.")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    request_bytes = models.PositiveBigIntegerField(default=0)
    response_bytes = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=1)
    ip = models.GenericIPAddressField(null=True, blank=True, help_text="Of the caller.")

    objects = RequestLogQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(via__in=Via.values), name="request_log_via_is_known")]
        indexes = [
            # The log and the statistics of a person.
            models.Index(fields=["user", "-at"], name="request_log_user"),
            # Those of one key.
            models.Index(fields=["key", "-at"], name="request_log_key"),
            # What failed, which may be little among much.
            models.Index(fields=["user", "-at"], condition=FAILED, name="request_log_failed"),
            # What got no answer, which may be little among much that failed.
            models.Index(fields=["user", "-at"], condition=Q(status=None), name="request_log_unanswered"),
            # Retention removes from the old end.
            models.Index(fields=["at"], name="request_log_at"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"

    @property
    def address(self) -> str:
        """As far as it is kept; empty where none could be read."""
        return f"{self.origin}{self.path}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}" if self.scheme else self.host

    @property
    def cause(self) -> str:
        """Why no whole answer came, in words; empty where one did."""
        return causes.words(self.error)

    @property
    def is_success(self) -> bool:
        return self.status is not None and self.status < 400 and not self.error


class RequestCapture(models.Model):
    """Headers and bodies of one request, sealed, for as long as its key said when it was captured."""

    PURPOSE = "request_capture.sealed"

    log = models.OneToOneField(RequestLog, on_delete=models.CASCADE, related_name="capture")
    sealed = SealedField(editable=False, key_field="sealed_with", owner="log__uuid", purpose=PURPOSE)
    sealed_with = KeyIdField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"capture of {self.log}"
