"""EC2 instances: seen page by page, started, stopped, rebooted, terminated one at a time (EC2 API reference).

What changes an instance is sent once and never retried here: after a timeout AWS may have done it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from cloudconsole.aws import calls, translation
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.fanout import DEFAULT_RATE
from cloudconsole.aws.rates import bucket_for

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        DescribeInstancesRequestTypeDef,
        DescribeInstancesResultTypeDef,
        FilterTypeDef,
        InstanceTypeDef,
    )

_PAGE = 500  # of at most 1000: what one answer holds in memory
_FILTER_VALUES = 200  # AWS takes no more in one filter

Verb = Literal["StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"]


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """An instance as EC2 describes it. Empty strings and None where AWS says nothing, as it does of terminated ones.

    `state`: pending, running, stopping, stopped, shutting-down or terminated. `launched_at` is the last start, not the
    first; `first_attached_at`, of the primary network interface, is the first. `transition_reason` holds the moment of
    a stop where a person asked for it: "User initiated (2026-11-22 10:00:00 GMT)".
    """

    instance_id: str
    name: str
    state: str
    instance_type: str
    zone: str
    launched_at: datetime | None
    private_ip: str
    public_ip: str
    private_dns: str
    vpc_id: str
    subnet_id: str
    image_id: str
    key_name: str
    platform: str  # as AWS bills it: "Linux/UNIX", "Windows", "Red Hat Enterprise Linux"
    architecture: str
    lifecycle: str  # "spot", "scheduled", "capacity-block", or "on-demand"
    root_device_type: str
    tags: dict[str, str]
    state_reason_code: str
    state_reason: str
    transition_reason: str
    first_attached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """AWS took the request. States as AWS tells them; empty for a reboot and for a dry run."""

    request_id: str
    previous_state: str
    current_state: str


def instances(access: Access, region: str) -> Iterator[list[InstanceFacts]]:
    """All instances of a region, a page at a time, terminated ones included as long as AWS shows them. Raises AwsError.

    Each page takes a token from the budget of account and region, so that a long list does not throttle its owner.
    """
    yield from _pages(access, region, [])


def describe(access: Access, region: str, ids: Sequence[str]) -> dict[str, InstanceFacts]:
    """These instances by id. What AWS does not know (any more, or yet) is absent; one bad id harms no other.

    Raises AwsError.
    """
    found: dict[str, InstanceFacts] = {}
    for start in range(0, len(ids), _FILTER_VALUES):
        wanted = list(ids[start : start + _FILTER_VALUES])
        for page in _pages(access, region, [{"Name": "instance-id", "Values": wanted}]):
            found |= {facts.instance_id: facts for facts in page}
    return found


def may_describe(access: Access, region: str) -> None:
    """Ask whether instances may be described, without describing any. Raises AwsError when they may not."""

    def request() -> str:
        return _request_id(client("ec2", region).describe_instances(DryRun=True))

    _rehearsed(access, region, "DescribeInstances", request, None)


def start(access: Access, region: str, instance_id: str, *, dry_run: bool, observer: Observer | None = None) -> Sent:
    """Start a stopped instance. Raises AwsError: wrong state and missing capacity have the cause CONFLICT."""

    def request() -> Sent:
        answer = once("ec2", region).start_instances(InstanceIds=[instance_id], DryRun=dry_run)
        return _sent(answer, "StartingInstances", instance_id)

    return _send(access, region, "StartInstances", request, observer, dry_run=dry_run)


def stop(access: Access, region: str, instance_id: str, *, dry_run: bool, observer: Observer | None = None) -> Sent:
    """Stop a running instance. Raises AwsError: wrong state and stop protection have the cause CONFLICT."""

    def request() -> Sent:
        answer = once("ec2", region).stop_instances(InstanceIds=[instance_id], DryRun=dry_run)
        return _sent(answer, "StoppingInstances", instance_id)

    return _send(access, region, "StopInstances", request, observer, dry_run=dry_run)


def reboot(access: Access, region: str, instance_id: str, *, dry_run: bool, observer: Observer | None = None) -> Sent:
    """Ask a running instance to reboot; AWS tells neither state nor end of it. Raises AwsError."""

    def request() -> Sent:
        answer = once("ec2", region).reboot_instances(InstanceIds=[instance_id], DryRun=dry_run)
        return Sent(_request_id(answer), "", "")

    return _send(access, region, "RebootInstances", request, observer, dry_run=dry_run)


def terminate(access: Access, region: str, instance_id: str, *, dry_run: bool, observer: Observer | None = None) -> Sent:
    """Terminate an instance, for good. Raises AwsError: termination protection has the cause CONFLICT.

    One at a time: of several, AWS terminates those in zones without a protected one and yet answers with an error.
    """

    def request() -> Sent:
        answer = once("ec2", region).terminate_instances(InstanceIds=[instance_id], DryRun=dry_run)
        return _sent(answer, "TerminatingInstances", instance_id)

    return _send(access, region, "TerminateInstances", request, observer, dry_run=dry_run)


def is_termination_protected(access: Access, region: str, instance_id: str) -> bool:
    """Whether TerminateInstances would be refused (disableApiTermination). Raises AwsError."""
    return _attribute(access, region, instance_id, "disableApiTermination", "DisableApiTermination")


def is_stop_protected(access: Access, region: str, instance_id: str) -> bool:
    """Whether StopInstances would be refused (disableApiStop). Raises AwsError."""
    return _attribute(access, region, instance_id, "disableApiStop", "DisableApiStop")


# --- reading


def _pages(access: Access, region: str, filters: list[FilterTypeDef]) -> Iterator[list[InstanceFacts]]:
    token, seen = "", set[str]()
    while True:
        bucket_for(("ec2", access.key, region), DEFAULT_RATE).wait()
        page, token = _page(access, region, filters, token)
        yield page
        if not token:
            return
        if token in seen:
            raise translation.garbled("ec2", "DescribeInstances", "It repeats a page token, so it would never end.")
        seen.add(token)


def _page(access: Access, region: str, filters: list[FilterTypeDef], token: str) -> tuple[list[InstanceFacts], str]:
    asked: DescribeInstancesRequestTypeDef = {"Filters": filters, "MaxResults": _PAGE}
    if token:
        asked["NextToken"] = token

    def request() -> tuple[list[InstanceFacts], str]:
        answer = client("ec2", region).describe_instances(**asked)
        return _facts_of(answer), answer.get("NextToken", "")

    return calls.call(access, "ec2", "DescribeInstances", region, request)


def _facts_of(answer: DescribeInstancesResultTypeDef) -> list[InstanceFacts]:
    # An answer without the list is not an answer without instances: KeyError makes it garbled.
    return [_facts(found) for reservation in answer["Reservations"] for found in reservation["Instances"]]


def _facts(found: InstanceTypeDef) -> InstanceFacts:
    tags = {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", ())}
    reason = found.get("StateReason", {})
    return InstanceFacts(
        instance_id=found["InstanceId"],
        name=tags.get("Name", ""),
        state=found["State"]["Name"],
        instance_type=found["InstanceType"],
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        launched_at=_in_utc(found.get("LaunchTime")),
        private_ip=found.get("PrivateIpAddress", ""),
        public_ip=found.get("PublicIpAddress", ""),
        private_dns=found.get("PrivateDnsName", ""),
        vpc_id=found.get("VpcId", ""),
        subnet_id=found.get("SubnetId", ""),
        image_id=found.get("ImageId", ""),
        key_name=found.get("KeyName", ""),
        platform=_platform(found),
        architecture=found.get("Architecture", ""),
        lifecycle=found.get("InstanceLifecycle", "on-demand"),
        root_device_type=found.get("RootDeviceType", ""),
        tags=tags,
        state_reason_code=reason.get("Code", ""),
        state_reason=reason.get("Message", ""),
        transition_reason=found.get("StateTransitionReason", ""),
        first_attached_at=_first_attached_at(found),
    )


def _platform(found: InstanceTypeDef) -> str:
    return found.get("PlatformDetails") or ("Windows" if found.get("Platform") else "Linux/UNIX")


def _first_attached_at(found: InstanceTypeDef) -> datetime | None:
    """The primary interface stays attached from the first launch on; LaunchTime is renewed at every start."""
    attachments = (interface.get("Attachment", {}) for interface in found.get("NetworkInterfaces", ()))
    return next((_in_utc(attached.get("AttachTime")) for attached in attachments if attached.get("DeviceIndex") == 0), None)


def _in_utc(moment: datetime | None) -> datetime | None:
    """botocore gives moments in the time zone of the machine."""
    return moment.astimezone(UTC) if moment else None


def _attribute(
    access: Access,
    region: str,
    instance_id: str,
    attribute: Literal["disableApiTermination", "disableApiStop"],
    member: Literal["DisableApiTermination", "DisableApiStop"],
) -> bool:
    def request() -> bool:
        answer = client("ec2", region).describe_instance_attribute(InstanceId=instance_id, Attribute=attribute)
        return bool(answer[member]["Value"])

    return calls.call(access, "ec2", "DescribeInstanceAttribute", region, request)


# --- changing


def _send(access: Access, region: str, verb: Verb, request: Any, observer: Observer | None, *, dry_run: bool) -> Sent:
    if not dry_run:
        sent: Sent = calls.call(access, "ec2", verb, region, request, observer=observer)
        return sent
    return Sent(_rehearsed(access, region, verb, request, observer), "", "")


def _rehearsed(access: Access, region: str, operation: str, request: Any, observer: Observer | None) -> str:
    """The request id of a dry run. AWS words its success as an error, and everything else of it is one."""
    try:
        calls.call(access, "ec2", operation, region, request, observer=observer)
    except AwsError as answer:
        if answer.aws_code == "DryRunOperation":
            return answer.request_id
        raise
    raise translation.garbled("ec2", operation, "It takes a dry run for the real thing.")


def _sent(answer: Any, member: str, instance_id: str) -> Sent:
    change = {change["InstanceId"]: change for change in answer[member]}[instance_id]
    return Sent(_request_id(answer), change["PreviousState"]["Name"], change["CurrentState"]["Name"])


def _request_id(answer: Any) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
