"""CloudFormation templates that create the role with its least policy: for one account, or by StackSet for many.

Syntax as in the CloudFormation user guide: AWS::IAM::Role, AWS::IAM::RolePolicy, mappings, quick-create links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cloudconsole.aws import policy
from cloudconsole.aws.policy import CAPABILITIES, Capability

_EXTERNAL_IDS = "ExternalIds"

Template = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template starts with. `role` is a role's name with its path, as after `role/` in its ARN."""

    role: str
    trusted_arn: str
    capabilities: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.role.rpartition("/")[2]

    @property
    def path(self) -> str:
        folder = self.role.rpartition("/")[0]
        return f"/{folder}/" if folder else "/"


def for_one(wanted: Wanted, external_id: str) -> Template:
    """The role of one account. Everything that differs between accounts is a parameter, so one copy of it serves all."""
    external = {"ExternalId": _parameter("Made by Cloudconsole for this account alone.", external_id)}
    return _template(wanted, external, {"Ref": "ExternalId"})


def for_many(wanted: Wanted, external_ids: Mapping[str, str]) -> Template:
    """The same role in many accounts: a StackSet deploys one template, which finds each account's own external id.

    `external_ids` by account number. An account that is not in it refuses the template.
    """
    found = {"Fn::FindInMap": [_EXTERNAL_IDS, {"Ref": "AWS::AccountId"}, "Id"]}
    template = _template(wanted, {}, found)
    return {**template, "Mappings": {_EXTERNAL_IDS: {number: {"Id": made} for number, made in external_ids.items()}}}


def quick_create_link(template_url: str, wanted: Wanted, external_id: str, region: str) -> str:
    """Opens the console's review page with everything filled in. `template_url` must be an address in S3."""
    parameters = {
        "templateURL": template_url,
        "stackName": "cloudconsole",
        "param_ExternalId": external_id,
        "param_TrustedPrincipal": wanted.trusted_arn,
        "param_RoleName": wanted.name,
        "param_RolePath": wanted.path,
        **{f"param_{_switch(c)}": _yes_or_no(c, wanted.capabilities) for c in _of_roles()},
    }
    return f"{_console(region)}#/stacks/create/review?{urlencode(parameters, quote_via=quote)}"


def create_link(region: str) -> str:
    """Opens the console where a template can be uploaded."""
    return f"{_console(region)}#/stacks/create"


def _console(region: str) -> str:
    host = "console.aws.amazon.com"
    if region.startswith("cn-"):
        host = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        host = "console.amazonaws-us-gov.com"
    return f"https://{host}/cloudformation/home?region={region}"


def _template(wanted: Wanted, external: Template, external_id: Template) -> Template:
    capabilities = _of_roles()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A role that Cloudconsole assumes, with the least policy for what is switched on.",
        "Parameters": {
            **external,
            "TrustedPrincipal": _parameter("ARN of the one identity that may assume the role.", wanted.trusted_arn),
            "RoleName": _parameter("Name of the role.", wanted.name),
            "RolePath": _parameter("Path of the role.", wanted.path),
            **{_switch(c): _switch_parameter(c, wanted.capabilities) for c in capabilities},
        },
        "Conditions": {f"{_switch(c)}On": {"Fn::Equals": [{"Ref": _switch(c)}, "yes"]} for c in capabilities},
        "Resources": {"Role": _role(external_id), **dict(_policies(capabilities))},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Description": "Enter it in Cloudconsole."}},
    }


def _of_roles() -> list[Capability]:
    return [capability for capability in CAPABILITIES.values() if not capability.of_user]


def _parameter(description: str, default: str) -> Template:
    return {"Type": "String", "Description": description, "Default": default}


def _switch(capability: Capability) -> str:
    return "May" + "".join(part.capitalize() for part in capability.name.replace(".", "_").split("_"))


def _switch_parameter(capability: Capability, on: Iterable[str]) -> Template:
    return {**_parameter(capability.sentence, _yes_or_no(capability, on)), "AllowedValues": ["yes", "no"]}


def _yes_or_no(capability: Capability, on: Iterable[str]) -> str:
    return "yes" if capability.name in set(on) else "no"


def _role(external_id: Template) -> Template:
    trust: Template = dict(policy.trust_policy(trusted_arn="", external_id=""))
    statement = {
        **trust["Statement"][0],
        "Principal": {"AWS": {"Ref": "TrustedPrincipal"}},
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "Path": {"Ref": "RolePath"},
            "Description": "Assumed by Cloudconsole",
            "AssumeRolePolicyDocument": {**trust, "Statement": [statement]},
        },
    }


def _policies(capabilities: Iterable[Capability]) -> Iterable[tuple[str, Template]]:
    """One inline policy for each capability, so that switching one on or off touches nothing else."""
    for capability in capabilities:
        document = policy.permissions_policy([capability.name])
        properties = {"PolicyName": document["Statement"][0]["Sid"], "RoleName": {"Ref": "Role"}, "PolicyDocument": document}
        yield (
            f"{_switch(capability)}Policy",
            {"Type": "AWS::IAM::RolePolicy", "Condition": f"{_switch(capability)}On", "Properties": properties},
        )
