"""What is billed whether anybody uses it or not: volumes, snapshots, addresses, load balancers and log groups."""

from __future__ import annotations

from django.db import models

from cloudconsole.core.money import AmountField
from resources.models.inventory import Resource, ResourceQuerySet


class Volume(Resource):
    """An EBS volume. `attached_to` is the instance that holds it, empty for none."""

    volume_id = models.CharField(max_length=64)
    state = models.CharField(max_length=32)
    size_gib = models.PositiveIntegerField()
    volume_type = models.CharField(max_length=32, blank=True)
    iops = models.PositiveIntegerField(null=True, blank=True)
    throughput = models.PositiveIntegerField(null=True, blank=True, help_text="MiB/s.")
    zone = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    attached_to = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = ResourceQuerySet["Volume"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "volume_id"], name="volume_once")]

    def __str__(self) -> str:
        return self.name or self.volume_id


class Snapshot(Resource):
    """An EBS snapshot of the account's own. `image_id` is an own image that needs it; `full_bytes` None is not known."""

    snapshot_id = models.CharField(max_length=64)
    description = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=32)
    volume_id = models.CharField(max_length=64, blank=True)
    volume_gib = models.PositiveIntegerField()
    full_bytes = models.BigIntegerField(null=True, blank=True)
    tier = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    image_id = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = ResourceQuerySet["Snapshot"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "snapshot_id"], name="snapshot_once")]

    def __str__(self) -> str:
        return self.name or self.snapshot_id


class Address(Resource):
    """An Elastic IP address. `associated_with`: what uses it; `managed_by`: the AWS service that holds it for itself."""

    allocation_id = models.CharField(max_length=64)
    public_ip = models.CharField(max_length=64)
    associated_with = models.CharField(max_length=64, blank=True)
    managed_by = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = ResourceQuerySet["Address"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "allocation_id"], name="address_once")]

    def __str__(self) -> str:
        return self.name or self.public_ip


class LoadBalancer(Resource):
    """A load balancer. `groups` 0: it has no target group, as one that only redirects."""

    balancer_id = models.CharField(max_length=512, help_text="The ARN; of a classic one “classic/” and its name.")
    kind = models.CharField(max_length=32)
    state = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    groups = models.PositiveIntegerField()
    targets = models.PositiveIntegerField()
    healthy = models.PositiveIntegerField()

    objects = ResourceQuerySet["LoadBalancer"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "balancer_id"], name="load_balancer_once")]

    def __str__(self) -> str:
        return self.name


class LogGroup(Resource):
    """A log group of CloudWatch Logs. `retention_days` None keeps for ever."""

    name = models.CharField(max_length=512)
    stored_bytes = models.BigIntegerField()
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    storage_class = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)

    objects = ResourceQuerySet["LogGroup"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="log_group_once")]

    def __str__(self) -> str:
        return self.name


class ListPrice(models.Model):
    """What AWS's price list says one unit of a product (`cloudconsole.aws.prices.PRODUCTS`) costs; None: it names no price."""

    region = models.CharField(max_length=32)
    product = models.CharField(max_length=64)
    amount = AmountField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "product"], name="list_price_once")]

    def __str__(self) -> str:
        return f"{self.product} in {self.region}"
