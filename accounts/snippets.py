"""What has to be pasted into AWS, as text to copy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import AwsAccount, User
from accounts.rules import identifiers
from accounts.services import adoptions, policies
from cloudconsole.aws import iam, policy
from cloudconsole.aws.policy import CAPABILITIES, PolicyDocument
from cloudconsole.core.errors import CloudconsoleError

# Stands where nobody has asked AWS yet who the credentials are; a person replaces it.
_NOT_KNOWN_YET = "<ARN of the identity that assumes the role>"


@dataclass(frozen=True)
class Snippet:
    """The trust policy for a role that is assumed through `hub` (an account's id; empty: the credentials of this host)."""

    hub: str
    name: str
    text: str


def permissions(account: AwsAccount, actor: User) -> str:
    """The least policy for what is switched on for `account`, and for the roles that it assumes."""
    return _text(policies.permissions_policy(account=account, actor=actor))


def trust(account: AwsAccount, actor: User) -> str:
    """The trust policy of the account's role; with a gap in it while AWS cannot tell who will assume it."""
    try:
        return _text(policies.trust_policy(account=account, actor=actor))
    except CloudconsoleError:
        return _text(policy.trust_policy(trusted_arn=_NOT_KNOWN_YET, external_id=account.external_id))


def for_new_role(hubs: Iterable[AwsAccount], external_id: str) -> list[Snippet]:
    """One trust policy for each way in which a new role can be assumed."""
    known = [(str(hub.pk), hub.alias, iam.role_arn_of(hub.identity_arn) if hub.identity_arn else _NOT_KNOWN_YET) for hub in hubs]
    ways = [*known, ("", "the credentials of this host", _NOT_KNOWN_YET)]
    return [Snippet(hub, name, _text(policy.trust_policy(trusted_arn=arn, external_id=external_id))) for hub, name, arn in ways]


def assuming(role_name: str) -> str:
    """What the identity needs that assumes a role of this name in many accounts."""
    return _text(policy.assuming_policy([f"arn:aws:iam::*:role/{role_name}"]))


def permissions_for(capabilities: Iterable[str]) -> str:
    """The policy for what shall be switched on; names that mean nothing are left out."""
    return _text(policy.permissions_policy([name for name in capabilities if name in CAPABILITIES]))


def assuming_role(arn: str) -> str:
    """What the identity needs that assumes this role; while no role is named, one of the usual name in any account."""
    return _text(policy.assuming_policy([arn])) if identifiers.account_number_of_role(arn) else assuming(adoptions.DEFAULT_ROLE)


def _text(document: PolicyDocument) -> str:
    return json.dumps(document, indent=2)
