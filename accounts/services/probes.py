"""One harmless question to AWS for each capability, to find out whether the credentials allow it.

What can be tried without a charge or a change is tried; the rest is what IAM's policy simulator says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.models import CapabilityStatus
from cloudconsole.aws import access_keys, ec2, enabled_regions, iam, lambda_, organizations, prices, s3
from cloudconsole.aws.credentials import Access, StaticKey
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.policy import CAPABILITIES, PASS_ROLE
from cloudconsole.aws.sts import CallerIdentity

_SIMULATOR_CLOSED = "The credentials may not ask IAM's policy simulator; the first real request will show it."
_NOT_ASKED = "AWS answered; whether it allows the rest could not be asked of IAM's policy simulator."
_PAID = "Not tried with a real request, because each one is charged; this is what IAM's policy simulator says."
_CHANGES = "Not tried with a real request, because that would change something; this is what IAM's policy simulator says."
_NO_OBJECT = (
    "Not tried with a real request, because which objects may be read is each bucket's own affair; "
    "this is what IAM's policy simulator says."
)
_ANSWERED = "AWS answered, and IAM's policy simulator allows the rest."


@dataclass(frozen=True)
class Finding:
    """What one probe found for one capability. `regions` and `key_created_at` are facts that some answers bring along."""

    capability: str
    status: CapabilityStatus
    aws_code: str = ""
    detail: str = ""
    remedy: str = ""
    regions: tuple[str, ...] = ()
    key_created_at: datetime | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions that the capability needs."""
        return CAPABILITIES[self.capability].all_actions


Probe = Callable[[str, Access, CallerIdentity], Finding]


def probe(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    """Whether `access`, which is `identity`, allows what the capability needs. AWS's failure is a finding too."""
    try:
        return _PROBES.get(capability, _unpaid)(capability, access, identity)
    except AwsError as error:
        status = _STATUS_OF.get(error.cause, CapabilityStatus.UNKNOWN)
        return Finding(capability, status, error.aws_code, error.detail, error.remedy)


def _identity(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    return Finding(capability, CapabilityStatus.OK, detail=identity.arn)


def _organization(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    organization = organizations.describe(access)
    if organization is None:
        return Finding(capability, CapabilityStatus.OK, detail="The account is in no organization.")
    pays = organization.management_account_id
    payer = "this account" if pays == identity.account_id else pays
    return Finding(capability, CapabilityStatus.OK, detail=f"Organization {organization.id}, paid by {payer}.")


def _regions(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    found = enabled_regions.enabled(access)
    return Finding(capability, CapabilityStatus.OK, detail=f"{len(found)} regions are enabled.", regions=found)


def _own_keys(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    source = access.source
    if not isinstance(source, StaticKey) or source.session_token:
        return Finding(capability, CapabilityStatus.OK, detail="There is no long-lived access key here to rotate.")
    keys = access_keys.own(access)
    created_at = next((key.created_at for key in keys if key.access_key_id == source.access_key_id), None)
    return replace(_decided(capability, access, identity, _CHANGES, resource=identity.arn), key_created_at=created_at)


def _unpaid(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    return _decided(capability, access, identity, _PAID)


def _unchanged(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    return _decided(capability, access, identity, _CHANGES)


def _unread(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    return _decided(capability, access, identity, _NO_OBJECT)


def _answered(ask: Callable[[Access], object]) -> Probe:
    """First the question itself, which may be refused; then IAM's simulator about the actions that it does not try."""

    def probed(capability: str, access: Access, identity: CallerIdentity) -> Finding:
        ask(access)
        found = _decided(capability, access, identity, _ANSWERED)
        if found.status != CapabilityStatus.UNKNOWN:
            return found
        return Finding(capability, CapabilityStatus.OK, found.aws_code, _NOT_ASKED)

    return probed


def _rehearsed(capability: str, access: Access, identity: CallerIdentity) -> Finding:
    """AWS's own dry run on an instance that there is; without any, IAM's simulator."""
    instance_id = _some_instance(access)
    if instance_id is None:
        return _unchanged(capability, access, identity)
    for rehearse in (ec2.start, ec2.stop, ec2.reboot, ec2.terminate):
        try:
            rehearse(access, access.region, instance_id, dry_run=True)
        except AwsError as error:
            if error.cause is not AwsErrorKind.CONFLICT:  # its state forbids it, so the policies did not
                raise
    return Finding(capability, CapabilityStatus.OK, detail=f"Rehearsed on {instance_id} with AWS's dry run; nothing was done.")


def _some_instance(access: Access) -> str | None:
    try:
        page = next(ec2.instances(access, access.region), [])
    except AwsError:
        return None  # whether instances may be seen is another capability's question
    return next((facts.instance_id for facts in page if facts.state in ("running", "stopped")), None)


def _decided(capability: str, access: Access, identity: CallerIdentity, found: str, *, resource: str = "*") -> Finding:
    """What IAM's policy simulator says of every action; `found` is the detail where it allows all."""
    try:
        denied = _denied(capability, access, identity, resource)
    except AwsError as error:
        return Finding(capability, CapabilityStatus.UNKNOWN, error.aws_code, _SIMULATOR_CLOSED, error.remedy)
    if not denied:
        return Finding(capability, CapabilityStatus.OK, detail=found)
    actions = ", ".join(denied)
    if "explicitDeny" in denied.values():
        remedy = (
            "Find the Deny in the identity's policies, its permissions boundary or the organization's service control policies."
        )
        return _refused(capability, f"For this identity an explicit Deny forbids {actions}.", remedy)
    remedy = f"Add {actions} to the policies of {identity.arn}; the policy shown for this account has it."
    return _refused(capability, f"For this identity no policy allows {actions}.", remedy)


def _denied(capability: str, access: Access, identity: CallerIdentity, resource: str) -> dict[str, iam.Decision]:
    """The actions that are not allowed, and why not. Handing over roles is allowed to one service only, so it is named."""
    needed = CAPABILITIES[capability]
    decisions = iam.simulate(access, identity.arn, needed.actions, resource)
    if needed.passes_roles_to:
        context = {"iam:PassedToService": needed.passes_roles_to}
        decisions |= iam.simulate(access, identity.arn, [PASS_ROLE], resource, context=context)
    return {action: decisions.get(action, "implicitDeny") for action in needed.all_actions if decisions.get(action) != "allowed"}


def _refused(capability: str, detail: str, remedy: str) -> Finding:
    return Finding(capability, CapabilityStatus.DENIED, "AccessDenied", detail, remedy)


_PROBES: dict[str, Probe] = {
    "identity": _identity,
    "organization": _organization,
    "regions": _regions,
    "key_rotation": _own_keys,
    "ec2.read": _answered(lambda access: ec2.may_describe(access, access.region)),
    "ec2.operate": _rehearsed,
    "s3.read": _answered(s3.buckets),
    "s3.objects": _unread,
    "s3.operate": _unchanged,
    "lambda.read": _answered(lambda access: lambda_.account_limits(access, access.region)),
    "lambda.operate": _unchanged,
    "prices": _answered(prices.may_ask),
}

_STATUS_OF = {
    AwsErrorKind.ACCESS_DENIED: CapabilityStatus.DENIED,
    AwsErrorKind.NOT_ENABLED: CapabilityStatus.NOT_ENABLED,
}
