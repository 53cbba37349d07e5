"""Who the credentials are, and whether a role insists on its external id."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from cloudconsole.aws import calls, identity
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import MIN_DURATION_S, Access, AssumedRole, session_name
from cloudconsole.aws.errors import AwsError, AwsErrorKind


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The answer of GetCallerIdentity: which account, which user or role session, and AWS's request id."""

    account_id: str
    arn: str
    user_id: str
    request_id: str


def whoami(access: Access) -> CallerIdentity:
    """Who `access` is. Needs no permission: proves the credentials, not what they may do. Raises AwsError."""
    return calls.call(access, "sts", "GetCallerIdentity", access.region, lambda: _whoami(access.region))


def _whoami(region: str) -> CallerIdentity:
    answer = client("sts", region).get_caller_identity()
    request_id = answer["ResponseMetadata"]["RequestId"]
    return CallerIdentity(answer["Account"], answer["Arn"], answer["UserId"], request_id)


def insists_on_external_id(access: Access, role: AssumedRole) -> bool:
    """Whether AWS refuses `role` to its own hub without the external id, and with a wrong one.

    False is a finding: anybody who may use the hub can then be tricked into this role ("confused deputy").
    Raises AwsError when AWS does not answer the question.
    """
    wrong = secrets.token_urlsafe(24)
    return not any(_can_assume(access, replace(role, external_id=probe)) for probe in (None, wrong))


def _can_assume(access: Access, role: AssumedRole) -> bool:
    as_hub = replace(access, source=role.hub)
    sts = client("sts", access.region)
    try:
        calls.call(
            as_hub,
            "sts",
            "AssumeRole",
            access.region,
            lambda: identity.assume_role(sts, role, session_name(access.actor), MIN_DURATION_S),
        )
    except AwsError as refusal:
        if refusal.cause is AwsErrorKind.ACCESS_DENIED:
            return False
        raise
    return True
