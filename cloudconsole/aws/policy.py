"""What Cloudconsole can do in an account, and the least IAM policy that allows exactly that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that Cloudconsole can do in an account; later parts add theirs to CAPABILITIES.

    `of_user`: it is about an IAM user's own access keys, which a role has none of. Only on where somebody asked for it.
    """

    name: str
    sentence: str
    actions: tuple[str, ...]
    resource: str = "*"
    of_user: bool = False


class Statement(TypedDict):
    """A statement of an IAM policy."""

    Sid: str
    Effect: Literal["Allow"]
    Action: str | list[str]
    Resource: NotRequired[str | list[str]]
    Principal: NotRequired[dict[str, str]]
    Condition: NotRequired[dict[str, dict[str, str]]]


class PolicyDocument(TypedDict):
    """An IAM policy as AWS takes it in JSON."""

    Version: Literal["2012-10-17"]
    Statement: list[Statement]


CAPABILITIES: Mapping[str, Capability] = {
    capability.name: capability
    for capability in (
        # Which rights the identity has is asked of IAM's simulator: most could not be tried without a charge or a change.
        Capability(
            "identity",
            "Know which account and identity the credentials are, and what it is allowed.",
            ("sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy"),
        ),
        Capability("costs", "Read what the account, or its organization, costs.", ("ce:GetCostAndUsage",)),
        Capability(
            "organization",
            "Read the organization's accounts: their names, states, units and tags.",
            (
                "organizations:DescribeOrganization",
                "organizations:ListAccounts",
                "organizations:ListRoots",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListAccountsForParent",
                "organizations:ListTagsForResource",
            ),
        ),
        Capability(
            "regions",
            "Find out which regions are enabled.",
            ("account:ListRegions", "ec2:DescribeRegions"),
        ),
        Capability(
            "key_rotation",
            "Replace its own access key when it has become old.",
            ("iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"),
            resource="arn:aws:iam::*:user/${aws:username}",
            of_user=True,
        ),
    )
}


BY_DEFAULT = tuple(name for name, capability in CAPABILITIES.items() if not capability.of_user)


def permissions_policy(enabled: Iterable[str], *, assumes: Sequence[str] = ()) -> PolicyDocument:
    """The policy for exactly the capabilities called `enabled`, in the order of CAPABILITIES, and for the roles it `assumes`.

    KeyError for a capability that does not exist. Reading what belongs to a whole account cannot be limited to a resource.
    """
    wanted = {CAPABILITIES[name].name for name in enabled}
    return {
        "Version": "2012-10-17",
        "Statement": [
            *(_allow(capability) for name, capability in CAPABILITIES.items() if name in wanted),
            *([_assume(assumes)] if assumes else []),
        ],
    }


def assuming_policy(role_arns: Sequence[str]) -> PolicyDocument:
    """Lets an identity assume these roles, and nothing else."""
    return {"Version": "2012-10-17", "Statement": [_assume(role_arns)]}


def trust_policy(*, trusted_arn: str, external_id: str) -> PolicyDocument:
    """Who may assume the role: `trusted_arn` (the hub's user, role or account), and only with `external_id`."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CloudconsoleMayAssumeThisRole",
                "Effect": "Allow",
                "Principal": {"AWS": trusted_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def _assume(role_arns: Sequence[str]) -> Statement:
    return {"Sid": "CloudconsoleAssumeRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": list(role_arns)}


def _allow(capability: Capability) -> Statement:
    sid = "Cloudconsole" + re.sub(r"[^A-Za-z0-9]", "", capability.name.title())
    return {"Sid": sid, "Effect": "Allow", "Action": list(capability.actions), "Resource": capability.resource}
