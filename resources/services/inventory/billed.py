"""Writing down what AWS tells of volumes, snapshots, addresses, load balancers, log groups, and of how busy instances are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import AwsAccount
from cloudconsole.aws.addresses import AddressFacts
from cloudconsole.aws.cloudwatch import InstanceUsage
from cloudconsole.aws.ebs import SnapshotFacts, VolumeFacts
from cloudconsole.aws.load_balancers import BalancerFacts
from cloudconsole.aws.log_groups import LogGroupFacts
from resources.models import Address, Instance, LoadBalancer, LogGroup, Service, Snapshot, Volume
from resources.models.inventory import Resource
from resources.services.inventory import rows
from resources.services.inventory.instances import Asked
from resources.services.inventory.rows import Columns, Place

Facts = VolumeFacts | SnapshotFacts | AddressFacts | BalancerFacts | LogGroupFacts


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where and when an answer was given."""

    account: AwsAccount
    region: str
    asked: Asked


USAGE_EVERY = timedelta(hours=20)  # CloudWatch charges for each figure; the days measured are whole ones

_VOLUME = Columns(("name", "state", "size_gib", "volume_type", "iops", "throughput", "zone", "created_at", "attached_to", "tags"))
_SNAPSHOT = Columns(
    ("name", "description", "state", "volume_id", "volume_gib", "full_bytes", "tier", "started_at", "image_id", "tags")
)
_ADDRESS = Columns(("name", "public_ip", "associated_with", "managed_by", "tags"))
_BALANCER = Columns(("name", "kind", "state", "created_at", "groups", "targets", "healthy"))
_LOG_GROUP = Columns(("stored_bytes", "retention_days", "storage_class", "created_at"))

# What a complete answer of each place speaks of.
_OF_PLACE: Mapping[Service, tuple[type[Resource], ...]] = {
    Service.EBS: (Volume, Snapshot),
    Service.ADDRESSES: (Address,),
    Service.BALANCERS: (LoadBalancer,),
    Service.LOGS: (LogGroup,),
    Service.USAGE: (),
}


@transaction.atomic
def observe_volumes(*, account: AwsAccount, region: str, facts: Sequence[VolumeFacts], asked: Asked) -> None:
    texts = ("name", "state", "volume_type", "zone", "attached_to", "volume_id")
    found = [
        Volume(
            size_gib=one.size_gib, iops=one.iops, throughput=one.throughput, created_at=one.created_at,
            tags=rows.tags(one.tags), **_common(Volume, _Seen(account, region, asked), one, texts),
        )
        for one in facts
    ]  # fmt: skip
    rows.merge(Volume, found, Place({"account": account, "region": region}, "volume_id"), _VOLUME)


@transaction.atomic
def observe_snapshots(
    *, account: AwsAccount, region: str, facts: Sequence[SnapshotFacts], images: Mapping[str, str], asked: Asked
) -> None:
    """`images`: which own image needs which snapshot."""
    texts = ("name", "description", "state", "volume_id", "tier", "snapshot_id")
    found = [
        Snapshot(
            volume_gib=one.volume_gib, full_bytes=one.full_bytes, started_at=one.started_at, tags=rows.tags(one.tags),
            image_id=rows.text(Snapshot, "image_id", images.get(one.snapshot_id)),
            **_common(Snapshot, _Seen(account, region, asked), one, texts),
        )
        for one in facts
    ]  # fmt: skip
    rows.merge(Snapshot, found, Place({"account": account, "region": region}, "snapshot_id"), _SNAPSHOT)


@transaction.atomic
def observe_addresses(*, account: AwsAccount, region: str, facts: Sequence[AddressFacts], asked: Asked) -> None:
    texts = ("name", "public_ip", "associated_with", "managed_by", "allocation_id")
    found = [Address(tags=rows.tags(one.tags), **_common(Address, _Seen(account, region, asked), one, texts)) for one in facts]
    rows.merge(Address, found, Place({"account": account, "region": region}, "allocation_id"), _ADDRESS)


@transaction.atomic
def observe_balancers(*, account: AwsAccount, region: str, facts: Sequence[BalancerFacts], asked: Asked) -> None:
    texts = ("name", "kind", "state", "balancer_id")
    found = [
        LoadBalancer(
            created_at=one.created_at, groups=one.groups, targets=one.targets, healthy=one.healthy,
            **_common(LoadBalancer, _Seen(account, region, asked), one, texts),
        )
        for one in facts
    ]  # fmt: skip
    rows.merge(LoadBalancer, found, Place({"account": account, "region": region}, "balancer_id"), _BALANCER)


@transaction.atomic
def observe_log_groups(*, account: AwsAccount, region: str, facts: Sequence[LogGroupFacts], asked: Asked) -> None:
    found = [
        LogGroup(
            stored_bytes=one.stored_bytes, retention_days=one.retention_days, created_at=one.created_at,
            **_common(LogGroup, _Seen(account, region, asked), one, ("name", "storage_class")),
        )
        for one in facts
    ]  # fmt: skip
    rows.merge(LogGroup, found, Place({"account": account, "region": region}, "name"), _LOG_GROUP)


@transaction.atomic
def measure(*, account: AwsAccount, region: str, usage: Mapping[str, InstanceUsage], asked: Asked) -> None:
    """Store how busy instances were in the days before `asked`."""
    known = list(Instance.objects.select_for_update().filter(account=account, region=region, instance_id__in=list(usage)))
    for row in known:
        found = usage[row.instance_id]
        row.cpu_mean, row.cpu_max, row.network_bytes_a_day = found.cpu_mean, found.cpu_max, found.network_bytes_a_day
        row.usage_hours, row.usage_at = found.hours, asked.asked_at
    figures = ["cpu_mean", "cpu_max", "network_bytes_a_day", "usage_hours", "usage_at"]
    Instance.objects.bulk_update(known, figures, batch_size=200)


def measured(account: AwsAccount, now: datetime) -> dict[str, frozenset[str]]:
    """The ids of instances whose figures are known well enough, by region."""
    found: dict[str, set[str]] = {}
    fresh = Instance.objects.present().filter(account=account, usage_at__gte=now - USAGE_EVERY)
    for region, instance_id in fresh.values_list("region", "instance_id"):
        found.setdefault(region, set()).add(instance_id)
    return {region: frozenset(ids) for region, ids in found.items()}


@transaction.atomic
def mark_gone(*, account: AwsAccount, region: str, service: Service, asked: Asked) -> int:
    """A complete answer of the place that began at `asked.asked_at` no longer told of these."""
    return sum(
        model._base_manager.filter(
            account=account, region=region, gone_at=None, observed_at__lt=asked.asked_at
        ).update(gone_at=asked.answered_at)
        for model in _OF_PLACE[service]
    )  # fmt: skip


@transaction.atomic
def forget(*, account: AwsAccount, region: str, model: type[Resource], key: Mapping[str, str], at: datetime) -> None:
    """AWS said at `at` that it is gone: no scan needs to miss it first."""
    model._base_manager.filter(account=account, region=region, gone_at=None, observed_at__lte=at, **key).update(gone_at=at)


def _common(model: type[Resource], seen: _Seen, facts: Facts, texts: Sequence[str]) -> dict[str, object]:
    told = {name: rows.text(model, name, getattr(facts, name)) for name in texts}
    return {
        "account": seen.account,
        "region": seen.region,
        "searched": rows.searched(*told.values(), tags={}),
        "observed_at": seen.asked.asked_at,
        "first_seen_at": seen.asked.asked_at,
        **told,
    }
