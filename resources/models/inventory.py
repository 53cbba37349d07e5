"""What runs in AWS, as it was last seen: instances, buckets and functions. A row outlives the thing it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import AmountField
from cloudconsole.core.permissions import Perm

_Row = TypeVar("_Row", bound=models.Model)


class ResourceQuerySet(models.QuerySet[_Row]):
    """Rows that belong to an AWS account."""

    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> Self:
        """Those in accounts on which `user` holds `permission`."""
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def present(self) -> Self:
        """Those that the last complete scan of their place still found."""
        return self.filter(gone_at=None)


class Resource(models.Model):
    """What every kind of thing in the inventory has.

    `observed_at` is when AWS was asked for what the row says: older answers never overwrite newer ones. `gone_at` is
    set by a complete scan that no longer found it, and by nothing else.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=32)
    name = models.CharField(max_length=256, blank=True)
    searched = models.TextField(editable=False, default="", help_text="Names, ids, tags and addresses in lower case.")
    observed_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Instance(Resource):
    """An EC2 instance. `launched_at` is when it last started, `first_attached_at` when its first network interface came."""

    instance_id = models.CharField(max_length=64)
    state = models.CharField(max_length=32)
    instance_type = models.CharField(max_length=64)
    zone = models.CharField(max_length=64, blank=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    private_ip = models.CharField(max_length=64, blank=True)
    public_ip = models.CharField(max_length=64, blank=True)
    private_dns = models.CharField(max_length=256, blank=True)
    vpc_id = models.CharField(max_length=64, blank=True)
    subnet_id = models.CharField(max_length=64, blank=True)
    image_id = models.CharField(max_length=64, blank=True)
    key_name = models.CharField(max_length=256, blank=True)
    platform = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=32, blank=True)
    lifecycle = models.CharField(max_length=32, blank=True)
    root_device_type = models.CharField(max_length=32, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    state_reason_code = models.CharField(max_length=128, blank=True)
    state_reason = models.CharField(max_length=512, blank=True)
    transition_reason = models.CharField(max_length=512, blank=True)
    first_attached_at = models.DateTimeField(null=True, blank=True)
    cpu_mean = models.FloatField(null=True, blank=True, help_text="Percent, of all hours of the days measured.")
    cpu_max = models.FloatField(null=True, blank=True, help_text="Percent, in the busiest minute or five.")
    network_bytes_a_day = models.FloatField(null=True, blank=True, help_text="In and out, the mean of the days.")
    usage_hours = models.PositiveIntegerField(null=True, blank=True, help_text="Hours of which there is data.")
    usage_at = models.DateTimeField(null=True, blank=True, help_text="When CloudWatch was last asked for the figures.")

    objects = ResourceQuerySet["Instance"].as_manager()

    class Meta:
        constraints = [
            # A scan writes each instance once; the detail page and the API's short address find it here.
            models.UniqueConstraint(fields=["account", "region", "instance_id"], name="instance_once"),
        ]
        indexes = [
            # The list's first page: by name, and what is gone left out.
            models.Index(fields=["name", "id"], condition=Q(gone_at=None), name="instance_by_name"),
            # The API names an instance by its id alone.
            models.Index(fields=["instance_id"], name="instance_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.instance_id})" if self.name else self.instance_id

    @property
    def label(self) -> str:
        return self.name or self.instance_id


class TransitionSource(models.TextChoices):
    """How a change of state became known."""

    OBSERVED = "observed", "Seen by a scan"
    AWS = "aws", "Told by AWS"
    OPERATION = "operation", "An operation of this console"


class StateTransition(models.Model):
    """An instance went from one state to another, at some moment between `not_before` and `not_after`.

    The first row of an instance has no state before it; `not_before` is empty where nothing tells how early it was.
    """

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="transitions", db_index=False)
    from_state = models.CharField(max_length=32, blank=True)
    to_state = models.CharField(max_length=32)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField()
    source = models.CharField(max_length=16, choices=TransitionSource, default=TransitionSource.OBSERVED)
    reason = models.CharField(max_length=512, blank=True)

    class Meta:
        ordering = ["not_after", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(not_before=None) | Q(not_before__lte=models.F("not_after")), name="state_transition_in_order"
            ),
            models.CheckConstraint(condition=Q(source__in=TransitionSource.values), name="state_transition_source_is_known"),
        ]
        indexes = [
            # Uptime and the detail page read one instance's history in order.
            models.Index(fields=["instance", "not_after"], name="state_transition_history"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id}: {self.from_state or 'unknown'} → {self.to_state}"

    @property
    def at(self) -> datetime:
        """The best single guess: the middle of what is known."""
        if self.not_before is None:
            return self.not_after
        return self.not_before + (self.not_after - self.not_before) / 2

    @property
    def is_exact(self) -> bool:
        return self.not_before == self.not_after


class Bucket(Resource):
    """An S3 bucket. None is unknown: `measured_on` is the day of CloudWatch's figures, empty when there are none."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(null=True, blank=True)
    public_access_blocked = models.BooleanField(null=True, blank=True)
    versioning = models.CharField(max_length=32, blank=True)
    encryption = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    details_code = models.CharField(max_length=128, blank=True, help_text="Why its settings could not be read, if so.")
    details_at = models.DateTimeField(null=True, blank=True, help_text="When its settings were last asked for.")
    size_by_class = models.JSONField(default=dict, blank=True, help_text="Bytes by storage class.")
    size_bytes = models.BigIntegerField(null=True, blank=True)
    object_count = models.BigIntegerField(null=True, blank=True)
    measured_on = models.DateField(null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True, help_text="When CloudWatch was last asked for the figures.")

    objects = ResourceQuerySet["Bucket"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="bucket_once")]
        indexes = [
            # The list by name.
            models.Index(fields=["name", "id"], condition=Q(gone_at=None), name="bucket_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Function(Resource):
    """A Lambda function. Its environment is never here: values of variables are secrets."""

    name = models.CharField(max_length=255)
    arn = models.CharField(max_length=512)
    runtime = models.CharField(max_length=64, blank=True)
    handler = models.CharField(max_length=256, blank=True)
    memory_mb = models.PositiveIntegerField(null=True, blank=True)
    timeout_s = models.PositiveIntegerField(null=True, blank=True)
    code_size = models.BigIntegerField(null=True, blank=True, help_text="Bytes, zipped.")
    code_sha256 = models.CharField(max_length=64, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=32, blank=True)
    state_reason = models.CharField(max_length=512, blank=True)
    last_update_status = models.CharField(max_length=32, blank=True)
    role_arn = models.CharField(max_length=2048, blank=True)
    description = models.CharField(max_length=256, blank=True)
    architectures = models.JSONField(default=list, blank=True)
    package_type = models.CharField(max_length=32, blank=True)
    version = models.CharField(max_length=32, blank=True)
    revision_id = models.CharField(max_length=64, blank=True)
    invocations_24h = models.BigIntegerField(null=True, blank=True)
    errors_24h = models.BigIntegerField(null=True, blank=True)
    activity_at = models.DateTimeField(null=True, blank=True, help_text="The end of the 24 hours that the figures are of.")
    memory_used_mb = models.FloatField(
        null=True, blank=True, help_text="The most that a run used; empty: Lambda Insights is off."
    )
    memory_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the last fourteen, those with data.")
    seconds_a_day = models.FloatField(null=True, blank=True, help_text="How long its runs took on such a day, all together.")
    memory_at = models.DateTimeField(null=True, blank=True, help_text="When CloudWatch was last asked for its memory.")

    objects = ResourceQuerySet["Function"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="function_once")]
        indexes = [
            # The list by name.
            models.Index(fields=["name", "id"], condition=Q(gone_at=None), name="function_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class InstancePrice(models.Model):
    """What AWS's price list says an hour of an instance type costs on demand; `amount` is None where it names no price."""

    region = models.CharField(max_length=32)
    instance_type = models.CharField(max_length=64)
    operating_system = models.CharField(max_length=64)
    amount = AmountField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "instance_type", "operating_system"], name="instance_price_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_type} ({self.operating_system}) in {self.region}"
