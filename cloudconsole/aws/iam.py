"""What a principal may do, according to AWS's own policy simulator."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from cloudconsole.aws import calls, regions
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import SimulatePrincipalPolicyRequestPaginateTypeDef

Decision = Literal["allowed", "implicitDeny", "explicitDeny"]

_ASSUMED_ROLE = re.compile(r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")


def simulate(
    access: Access,
    principal_arn: str,
    actions: Sequence[str],
    resource: str = "*",
    *,
    context: Mapping[str, str] | None = None,
) -> dict[str, Decision]:
    """AWS's simulated decision for each action on `resource`. Includes service control policies, but "may differ from live".

    `context`: values of condition keys, which AWS takes as missing otherwise. The arn of an assumed-role session is taken
    as its role (without a path). Needs iam:SimulatePrincipalPolicy.
    Raises AwsError.
    """
    region = regions.home(access.region)
    asked: SimulatePrincipalPolicyRequestPaginateTypeDef = {
        "PolicySourceArn": role_arn_of(principal_arn),
        "ActionNames": list(actions),
        "ResourceArns": [resource],
        "ContextEntries": [
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for name, value in (context or {}).items()
        ],
    }
    return calls.call(access, "iam", "SimulatePrincipalPolicy", region, lambda: _simulate(region, asked))


def role_arn_of(principal_arn: str) -> str:
    """The IAM arn behind the arn of a role session; any other arn unchanged."""
    session = _ASSUMED_ROLE.fullmatch(principal_arn)
    if session is None:
        return principal_arn
    return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"


def _simulate(region: str, asked: SimulatePrincipalPolicyRequestPaginateTypeDef) -> dict[str, Decision]:
    pages = client("iam", region).get_paginator("simulate_principal_policy")
    return {
        result["EvalActionName"]: result["EvalDecision"]
        for page in pages.paginate(**asked)
        for result in page["EvaluationResults"]
    }
