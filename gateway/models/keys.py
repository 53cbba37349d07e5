"""Keys of other services: to which host each is bound, how it is sent, and what it may be used for."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import KeyIdField, SealedField
from gateway.rules import keys as rules
from gateway.rules.keys import AuthScheme, Status, WhenEmpty

AUTH_SCHEMES = [
    (AuthScheme.BEARER.value, "Bearer token"),
    (AuthScheme.HEADER.value, "A header"),
    (AuthScheme.BASIC.value, "Name and password (Basic)"),
    (AuthScheme.QUERY.value, "A query parameter"),
    (AuthScheme.HEADERS.value, "Several headers"),
    (AuthScheme.PATH.value, "Inside the path"),
]
KEY_STATUSES = [
    (Status.ACTIVE.value, "In use"),
    (Status.DISABLED.value, "Disabled"),
    (Status.EXPIRED.value, "Expired"),
    (Status.UNBOUND.value, "Bound to no host"),
]
WHEN_EMPTY = [(WhenEmpty.WARN.value, "Send, and warn"), (WhenEmpty.HOLD.value, "Hold until it is full again")]
MOST_RETRIES = 3


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> ApiKeyQuerySet:
        """One's own. Nobody, admins included, sees or uses those of others."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self.filter(owner=user)


class ApiKey(models.Model):
    """A key of another service. Its secrets lie in `ApiKeySecret`; without a `base_url` nothing is sent with it.

    `allowed_methods` and `allowed_paths` (globs below `base_url`) are empty where everything is allowed.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    api_name = models.CharField(max_length=rules.LONGEST_NAME)
    description = models.CharField(max_length=500, blank=True)
    base_url = models.CharField(max_length=2048, blank=True, help_text="Scheme, host, port and path that it is bound to.")
    allowed_methods = models.JSONField(default=list, blank=True)
    allowed_paths = models.JSONField(default=list, blank=True)
    auth_scheme = models.CharField(max_length=16, choices=AUTH_SCHEMES, default=AuthScheme.BEARER.value)
    auth_name = models.CharField(
        max_length=255, blank=True, help_text="The header, the parameter, or the user name of Basic; names of several headers."
    )
    auth_template = models.CharField(max_length=255, blank=True, help_text="What the header holds, with {key} in it.")
    preset = models.CharField(max_length=40, blank=True, help_text="The well-known service that it was made from.")
    dialect = models.CharField(max_length=40, blank=True, help_text="How the service tells its rate limits; empty: found out.")
    plain_http = models.BooleanField(default=False, help_text="The host is spoken to without TLS.")
    follow_redirects = models.BooleanField(default=False)
    retries = models.PositiveSmallIntegerField(default=2, help_text="Further attempts, where a repeated request does no harm.")
    when_empty = models.CharField(max_length=8, choices=WHEN_EMPTY, default=WhenEmpty.WARN.value)
    test_method = models.CharField(max_length=8, default="GET")
    test_path = models.CharField(max_length=1024, blank=True, help_text="What a test asks, below the base address.")
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To within a minute.")
    last_used_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_used_auth = models.CharField(max_length=16, blank=True, editable=False, help_text="How its owner had signed in.")
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_works = models.BooleanField(null=True, blank=True, editable=False)
    test_detail = models.CharField(max_length=300, blank=True, editable=False)
    capture_until = models.DateTimeField(null=True, blank=True, help_text="Until then, headers and bodies are kept.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = [Lower("api_name"), "pk"]
        constraints = [
            models.UniqueConstraint("owner", Lower("api_name"), name="api_key_name_once_per_owner"),
            models.CheckConstraint(
                condition=Q(auth_scheme__in=[one.value for one in AuthScheme]), name="api_key_scheme_is_known"
            ),
            models.CheckConstraint(condition=Q(when_empty__in=[one.value for one in WhenEmpty]), name="api_key_empty_is_known"),
            models.CheckConstraint(condition=Q(retries__lte=MOST_RETRIES), name="api_key_retries_are_few"),
        ]
        indexes = [
            # The scheduler's tick looks for keys that run out soon.
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="api_key_expiry"),
        ]

    def __str__(self) -> str:
        return self.api_name

    @property
    def status(self) -> Status:
        return rules.status(enabled=self.enabled, bound=bool(self.base_url), expires_at=self.expires_at, now=clock.now())

    @property
    def is_captured(self) -> bool:
        """Whether headers and bodies of its requests are kept at the moment."""
        return self.capture_until is not None and self.capture_until > clock.now()


class Generation(models.TextChoices):
    """CURRENT is what requests carry. PREVIOUS stays usable until a date after a rotation, for who asks for it."""

    CURRENT = "current", "Current"
    PREVIOUS = "previous", "Previous"


class ApiKeySecret(models.Model):
    """A secret of a key, apart from it so that no list ever loads it. The sealed text says whose it is.

    `fingerprint` is an HMAC: it tells that two keys hold the same secret, and nothing about it.
    """

    PURPOSE = "api_key.sealed"

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="secrets")
    generation = models.CharField(max_length=8, choices=Generation, default=Generation.CURRENT)
    sealed = SealedField(editable=False, key_field="sealed_with", owner="key__uuid", purpose=PURPOSE)
    sealed_with = KeyIdField()
    hint = models.CharField(max_length=4, editable=False, help_text="The last four characters.")
    fingerprint = models.CharField(max_length=64, editable=False)
    usable_until = models.DateTimeField(null=True, blank=True, help_text="Of the previous one. Then it is erased.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of the previous one: what its key said of it.")
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["key", "generation"]
        constraints = [
            models.UniqueConstraint(fields=["key", "generation"], name="api_key_secret_once_per_generation"),
            models.CheckConstraint(condition=Q(generation__in=Generation.values), name="api_key_generation_is_known"),
            models.CheckConstraint(
                condition=Q(generation=Generation.CURRENT, usable_until=None)
                | Q(generation=Generation.PREVIOUS, usable_until__isnull=False),
                name="api_key_previous_secret_ends",
            ),
        ]
        indexes = [
            # The tick erases what is not usable any more.
            models.Index(fields=["usable_until"], condition=Q(usable_until__isnull=False), name="api_key_secret_end"),
        ]

    def __str__(self) -> str:
        return f"{self.generation} secret of {self.key}"


class KeyBudget(models.Model):
    """What a key may be used for at most, and what of that is used up: limits and counters in one row, moved by one statement.

    Counters belong to `minute` (its first moment) and `day`; those of an older one count as zero. No limit is empty.
    """

    key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, related_name="budget")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    requests_per_day = models.PositiveIntegerField(null=True, blank=True)
    bytes_per_day = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of bodies, both ways.")
    minute = models.DateTimeField(null=True, blank=True, editable=False)
    minute_requests = models.PositiveIntegerField(default=0, editable=False)
    day = models.DateField(null=True, blank=True, editable=False)
    day_requests = models.PositiveIntegerField(default=0, editable=False)
    day_bytes = models.PositiveBigIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"budget of {self.key}"

    @property
    def used_this_minute(self) -> int:
        return self.minute_requests if self.minute == clock.now().replace(second=0, microsecond=0) else 0

    @property
    def used_today(self) -> int:
        return self.day_requests if self.day == clock.today() else 0

    @property
    def bytes_today(self) -> int:
        return self.day_bytes if self.day == clock.today() else 0

    @property
    def is_limited(self) -> bool:
        return (self.requests_per_minute, self.requests_per_day, self.bytes_per_day) != (None, None, None)
