"""Elastic IP addresses (EC2 API reference): which there are, and giving one back. Sent once, never retried here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudconsole.aws import calls, translation
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.ebs import Changed
from cloudconsole.aws.errors import AwsError


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """An Elastic IP address. `associated_with`: the instance or network interface that uses it, "" for none.

    `managed_by`: the AWS service that holds it for itself, "" for one's own.
    """

    allocation_id: str
    public_ip: str
    name: str
    associated_with: str
    managed_by: str
    tags: dict[str, str]


def addresses(access: Access, region: str) -> list[AddressFacts]:
    """All addresses of a region; AWS tells them in one answer. Raises AwsError."""

    def ask() -> list[AddressFacts]:
        return [_address(found) for found in client("ec2", region).describe_addresses()["Addresses"]]

    return calls.call(access, "ec2", "DescribeAddresses", region, ask)


def address(access: Access, region: str, allocation_id: str) -> AddressFacts | None:
    """One address; None where AWS does not know it (any more). Raises AwsError."""

    def ask() -> list[AddressFacts]:
        filters: Any = [{"Name": "allocation-id", "Values": [allocation_id]}]
        return [_address(found) for found in client("ec2", region).describe_addresses(Filters=filters)["Addresses"]]

    return next(iter(calls.call(access, "ec2", "DescribeAddresses", region, ask)), None)


def release(access: Access, region: str, allocation_id: str, *, dry_run: bool, observer: Observer | None = None) -> Changed:
    """Give an address back to AWS; it hardly ever comes back. Raises AwsError."""

    def ask() -> Changed:
        answer: Any = once("ec2", region).release_address(AllocationId=allocation_id, DryRun=dry_run)
        return Changed(str(answer.get("ResponseMetadata", {}).get("RequestId", "")))

    try:
        sent = calls.call(access, "ec2", "ReleaseAddress", region, ask, observer=observer)
    except AwsError as answer:
        if dry_run and answer.aws_code == "DryRunOperation":
            return Changed(answer.request_id)
        raise
    if dry_run:
        raise translation.garbled("ec2", "ReleaseAddress", "It takes a dry run for the real thing.")
    return sent


def _address(found: Mapping[str, Any]) -> AddressFacts:
    tags = {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", ())}
    return AddressFacts(
        # One of EC2-Classic has none; its address names it.
        allocation_id=found.get("AllocationId") or found["PublicIp"],
        public_ip=found["PublicIp"],
        name=tags.get("Name", ""),
        associated_with=found.get("InstanceId") or found.get("NetworkInterfaceId") or found.get("AssociationId") or "",
        managed_by=found.get("ServiceManaged", ""),
        tags=tags,
    )
