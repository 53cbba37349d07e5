"""EC2's XML (EC2 API reference; member names as in botocore's service model)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cloudconsole.simulator.ec2.instances import Instance, State
from cloudconsole.simulator.ec2.moves import Change
from cloudconsole.simulator.wire import element


def reservations(instances: Iterable[Instance], next_token: str) -> str:
    items = "".join(_reservation(instance) for instance in instances)
    return f"<reservationSet>{items}</reservationSet>" + (element("nextToken", next_token) if next_token else "")


def changes(found: Iterable[Change]) -> str:
    items = "".join(
        f"<item>{element('instanceId', change.instance_id)}"
        f"<currentState>{_state(change.current)}</currentState><previousState>{_state(change.previous)}</previousState></item>"
        for change in found
    )
    return f"<instancesSet>{items}</instancesSet>"


def attribute(instance_id: str, name: str, value: str) -> str:
    return element("instanceId", instance_id) + f"<{name}>{element('value', value)}</{name}>"


def _reservation(instance: Instance) -> str:
    kind = instance.kind
    return (
        f"<item><reservationId>r-{kind.instance_id[2:]}</reservationId><ownerId>{kind.account_id}</ownerId><groupSet/>"
        f"<instancesSet><item>{_instance(instance)}</item></instancesSet></item>"
    )


def _instance(instance: Instance) -> str:
    kind = instance.kind
    ended = instance.state is State.TERMINATED
    return (
        f"<instanceId>{kind.instance_id}</instanceId><imageId>{kind.image_id}</imageId>"
        f"<instanceState>{_state(instance.state)}</instanceState>"
        f"{'<privateDnsName/>' if ended else element('privateDnsName', _private_dns(instance))}<dnsName/>"
        f"{element('reason', instance.reason.transition)}"
        f"{element('keyName', kind.key_name) if kind.key_name else ''}"
        f"<amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>{kind.instance_type}</instanceType>"
        f"<launchTime>{_moment(instance.launched_at)}</launchTime>"
        f"<placement><availabilityZone>{kind.zone}</availabilityZone><groupName/><tenancy>default</tenancy></placement>"
        f"{'<platform>windows</platform>' if kind.platform.startswith('Windows') else ''}"
        f"<monitoring><state>disabled</state></monitoring>"
        f"{'' if ended else _network(instance)}"
        f"{_state_reason(instance)}"
        f"<architecture>{kind.architecture}</architecture><rootDeviceType>{kind.root_device_type}</rootDeviceType>"
        f"<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping/><virtualizationType>hvm</virtualizationType>"
        f"{element('instanceLifecycle', kind.lifecycle) if kind.lifecycle else ''}"
        f"<tagSet>{''.join(_tag(key, value) for key, value in instance.tags.items())}</tagSet><hypervisor>xen</hypervisor>"
        f"{element('platformDetails', kind.platform)}"
    )


def _network(instance: Instance) -> str:
    """A terminated instance has none any more; the primary interface keeps the moment of the first launch."""
    kind = instance.kind
    public = element("ipAddress", instance.public_ip) if instance.public_ip else ""
    return (
        f"<subnetId>{kind.subnet_id}</subnetId><vpcId>{kind.vpc_id}</vpcId><privateIpAddress>{kind.private_ip}</privateIpAddress>"
        f"{public}<sourceDestCheck>true</sourceDestCheck><networkInterfaceSet><item>"
        f"<networkInterfaceId>eni-{kind.instance_id[2:]}</networkInterfaceId><attachment>"
        f"<attachmentId>eni-attach-{kind.instance_id[2:]}</attachmentId><deviceIndex>0</deviceIndex><status>attached</status>"
        f"<attachTime>{_moment(kind.first_launched_at)}</attachTime><deleteOnTermination>true</deleteOnTermination>"
        f"</attachment></item></networkInterfaceSet>"
    )


def _private_dns(instance: Instance) -> str:
    zone = "ec2.internal" if instance.kind.region == "us-east-1" else f"{instance.kind.region}.compute.internal"
    return f"ip-{instance.kind.private_ip.replace('.', '-')}.{zone}"


def _state_reason(instance: Instance) -> str:
    reason = instance.reason
    if not reason.code:
        return ""
    return f"<stateReason>{element('code', reason.code)}{element('message', reason.message)}</stateReason>"


def _state(state: State) -> str:
    return f"<code>{state.code}</code><name>{state}</name>"


def _tag(key: str, value: str) -> str:
    return f"<item>{element('key', key)}{element('value', value)}</item>"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
