"""Volumes, snapshots, images and addresses in EC2's XML (EC2 API reference; member names as in botocore's service model)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cloudconsole.simulator.wire import element

if TYPE_CHECKING:
    from cloudconsole.simulator.ec2.storage import Snapshot, Volume

_SNAPSHOT_TAKES = timedelta(seconds=30)


def status(one: Volume) -> str:
    return "in-use" if one.instance_id else "available"


def volume(one: Volume) -> str:
    held = (
        f"<item>{element('volumeId', one.volume_id)}{element('instanceId', one.instance_id)}"
        f"<device>/dev/xvda</device><status>attached</status>{element('attachTime', moment(one.created_at))}"
        "<deleteOnTermination>true</deleteOnTermination></item>"
        if one.instance_id
        else ""
    )
    return (
        f"<item>{element('volumeId', one.volume_id)}{element('size', one.size)}<snapshotId/>"
        f"{element('availabilityZone', one.zone)}{element('status', status(one))}"
        f"{element('createTime', moment(one.created_at))}<attachmentSet>{held}</attachmentSet>{_tags(one.name)}"
        f"{element('volumeType', one.kind)}{element('iops', one.iops) if one.iops else ''}"
        f"{element('throughput', one.throughput) if one.throughput else ''}<encrypted>true</encrypted>"
        "<multiAttachEnabled>false</multiAttachEnabled></item>"
    )


def snapshot(one: Snapshot, account: str, now: datetime) -> str:
    done = now >= one.started_at + _SNAPSHOT_TAKES
    return (
        f"{element('snapshotId', one.snapshot_id)}{element('volumeId', one.volume_id)}"
        f"{element('status', 'completed' if done else 'pending')}{element('startTime', moment(one.started_at))}"
        f"{element('progress', '100%' if done else '10%')}{element('ownerId', account)}"
        f"{element('volumeSize', one.size)}{element('description', one.description)}<encrypted>true</encrypted>"
        f"<storageTier>standard</storageTier>{element('fullSnapshotSizeInBytes', one.size * 2**30 * 6 // 10)}{_tags(one.name)}"
    )


def image(one: Snapshot, account: str) -> str:
    return (
        f"<item>{element('imageId', one.image_id)}<imageState>available</imageState>{element('imageOwnerId', account)}"
        f"{element('name', one.name)}<blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>"
        f"{element('snapshotId', one.snapshot_id)}{element('volumeSize', one.size)}</ebs></item></blockDeviceMapping></item>"
    )


def address(one: tuple[str, str, str, str]) -> str:
    allocation, address, name, instance = one
    used = (
        f"{element('instanceId', instance)}{element('associationId', f'eipassoc-{allocation[9:]}')}"
        f"{element('networkInterfaceId', f'eni-{instance[2:]}')}"
        if instance
        else ""
    )
    ids = f"{element('publicIp', address)}{element('allocationId', allocation)}"
    return f"<item>{ids}<domain>vpc</domain>{used}{_tags(name)}</item>"


def _tags(name: str) -> str:
    return f"<tagSet><item><key>Name</key>{element('value', name)}</item></tagSet>" if name else "<tagSet/>"


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
