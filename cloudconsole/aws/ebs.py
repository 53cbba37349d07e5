"""EBS volumes and snapshots (EC2 API reference; EBS user guide): what there is, and the calls that save money on it.

What changes anything is sent once and never retried here: after a timeout AWS may have done it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudconsole.aws import calls, translation
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.pages import Listing, pages

_PAGE = 500


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A volume. `attached_to` is the first instance that holds it, "" for none; `state`: in-use, available, ….

    `iops` and `throughput` (MiB/s) are what is provisioned; None where the type has no such setting.
    """

    volume_id: str
    name: str
    state: str
    size_gib: int
    volume_type: str
    iops: int | None
    throughput: int | None
    zone: str
    created_at: datetime | None
    attached_to: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A snapshot of one's own. `full_bytes`: its blocks if it stood alone; None where AWS does not tell.

    What is billed are the blocks that no earlier snapshot of the volume holds: never more, often far less.
    """

    snapshot_id: str
    name: str
    description: str
    state: str
    volume_id: str
    volume_gib: int
    full_bytes: int | None
    tier: str  # "standard" or "archive"
    started_at: datetime | None
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Changed:
    """AWS took the request. `made`: the id of what it made, if it made anything."""

    request_id: str
    made: str = ""


def volumes(access: Access, region: str) -> Iterator[list[VolumeFacts]]:
    """All volumes of a region, a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[VolumeFacts], str]:
        answer = client("ec2", region).describe_volumes(MaxResults=_PAGE, **_from(token))
        return [_volume(found) for found in answer["Volumes"]], answer.get("NextToken", "")

    return pages(Listing(access, "ec2", "DescribeVolumes", region), ask)


def snapshots(access: Access, region: str) -> Iterator[list[SnapshotFacts]]:
    """All snapshots that the account owns in a region, a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[SnapshotFacts], str]:
        answer = client("ec2", region).describe_snapshots(OwnerIds=["self"], MaxResults=_PAGE, **_from(token))
        return [_snapshot(found) for found in answer["Snapshots"]], answer.get("NextToken", "")

    return pages(Listing(access, "ec2", "DescribeSnapshots", region), ask)


def snapshots_of_images(access: Access, region: str) -> dict[str, str]:
    """Snapshot → image, for the account's own images: deleting such a snapshot would break the image. Raises AwsError."""

    def ask(token: str) -> tuple[list[dict[str, str]], str]:
        answer = client("ec2", region).describe_images(Owners=["self"], IncludeDisabled=True, MaxResults=_PAGE, **_from(token))
        return [_devices(found) for found in answer["Images"]], answer.get("NextToken", "")

    found: dict[str, str] = {}
    for page in pages(Listing(access, "ec2", "DescribeImages", region), ask):
        for devices in page:
            found |= devices
    return found


def volume(access: Access, region: str, volume_id: str) -> VolumeFacts | None:
    """One volume; None where AWS does not know it (any more). Raises AwsError."""

    def ask() -> list[VolumeFacts]:
        filters: Any = [{"Name": "volume-id", "Values": [volume_id]}]
        return [_volume(found) for found in client("ec2", region).describe_volumes(Filters=filters)["Volumes"]]

    return next(iter(calls.call(access, "ec2", "DescribeVolumes", region, ask)), None)


def snapshots_of(access: Access, region: str, volume_id: str) -> list[SnapshotFacts]:
    """The account's snapshots of one volume, the newest first. Raises AwsError."""

    def ask() -> list[SnapshotFacts]:
        filters: Any = [{"Name": "volume-id", "Values": [volume_id]}]
        answer = client("ec2", region).describe_snapshots(OwnerIds=["self"], Filters=filters)
        return [_snapshot(found) for found in answer["Snapshots"]]

    found = calls.call(access, "ec2", "DescribeSnapshots", region, ask)
    return sorted(found, key=lambda one: one.started_at or datetime.min.replace(tzinfo=UTC), reverse=True)


def create_snapshot(
    access: Access, region: str, volume_id: str, *, description: str, dry_run: bool, observer: Observer | None = None
) -> Changed:
    """Begin a snapshot; it is complete minutes to hours later. Raises AwsError."""

    def ask() -> Changed:
        answer = once("ec2", region).create_snapshot(VolumeId=volume_id, Description=description, DryRun=dry_run)
        return Changed(_request_id(answer), answer["SnapshotId"])

    return _send(access, region, "CreateSnapshot", ask, observer, dry_run=dry_run)


def delete_volume(access: Access, region: str, volume_id: str, *, dry_run: bool, observer: Observer | None = None) -> Changed:
    """Delete a volume that nothing holds, for good. Raises AwsError: VolumeInUse has the cause CONFLICT."""

    def ask() -> Changed:
        return Changed(_request_id(once("ec2", region).delete_volume(VolumeId=volume_id, DryRun=dry_run)))

    return _send(access, region, "DeleteVolume", ask, observer, dry_run=dry_run)


def to_gp3(
    access: Access,
    region: str,
    volume_id: str,
    *,
    iops: int,
    throughput: int,
    dry_run: bool,
    observer: Observer | None = None,
) -> Changed:
    """Change a volume's type to gp3 while it is in use. Raises AwsError: once in six hours, else CONFLICT."""

    def ask() -> Changed:
        answer = once("ec2", region).modify_volume(
            VolumeId=volume_id, VolumeType="gp3", Iops=iops, Throughput=throughput, DryRun=dry_run
        )
        return Changed(_request_id(answer))

    return _send(access, region, "ModifyVolume", ask, observer, dry_run=dry_run)


def _from(token: str) -> dict[str, Any]:
    return {"NextToken": token} if token else {}


def _volume(found: Mapping[str, Any]) -> VolumeFacts:
    tags = _tags(found)
    attachments = [one["InstanceId"] for one in found.get("Attachments", ()) if one.get("InstanceId")]
    return VolumeFacts(
        volume_id=found["VolumeId"],
        name=tags.get("Name", ""),
        state=found["State"],
        size_gib=found["Size"],
        volume_type=found.get("VolumeType", ""),
        iops=found.get("Iops"),
        throughput=found.get("Throughput"),
        zone=found.get("AvailabilityZone", ""),
        created_at=_in_utc(found.get("CreateTime")),
        attached_to=attachments[0] if attachments else "",
        tags=tags,
    )


def _snapshot(found: Mapping[str, Any]) -> SnapshotFacts:
    tags = _tags(found)
    return SnapshotFacts(
        snapshot_id=found["SnapshotId"],
        name=tags.get("Name", ""),
        description=found.get("Description", ""),
        state=found["State"],
        volume_id=found.get("VolumeId", ""),
        volume_gib=found["VolumeSize"],
        full_bytes=found.get("FullSnapshotSizeInBytes"),
        tier=found.get("StorageTier", "standard"),
        started_at=_in_utc(found.get("StartTime")),
        tags=tags,
    )


def _devices(image: Mapping[str, Any]) -> dict[str, str]:
    devices = (device.get("Ebs", {}).get("SnapshotId") for device in image.get("BlockDeviceMappings", ()))
    return {snapshot: image["ImageId"] for snapshot in devices if snapshot}


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", ())}


def _in_utc(moment: datetime | None) -> datetime | None:
    """botocore gives moments in the time zone of the machine."""
    return moment.astimezone(UTC) if moment else None


def _send(access: Access, region: str, verb: str, ask: Any, observer: Observer | None, *, dry_run: bool) -> Changed:
    """AWS words the success of a dry run as an error, and everything else of it is one."""
    try:
        sent: Changed = calls.call(access, "ec2", verb, region, ask, observer=observer)
    except AwsError as answer:
        if dry_run and answer.aws_code == "DryRunOperation":
            return Changed(answer.request_id)
        raise
    if dry_run:
        raise translation.garbled("ec2", verb, "It takes a dry run for the real thing.")
    return sent


def _request_id(answer: Any) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
