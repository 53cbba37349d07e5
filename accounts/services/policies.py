"""What to paste into AWS: the policy that an account's capabilities need, who may assume its role, and both as a template."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from accounts.models import AuthMethod, AwsAccount, User
from accounts.services import credentials, inputs
from cloudconsole.aws import cloudformation, iam, policy, regions, sts
from cloudconsole.aws.cloudformation import Template, Wanted
from cloudconsole.aws.policy import CAPABILITIES, PolicyDocument
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class NoRole(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_role"
    title = "This account is not reached through a role"


@dataclass(frozen=True)
class Line:
    """One line of a policy: kept, added or removed."""

    change: Literal["kept", "added", "removed"]
    text: str


@dataclass(frozen=True)
class PolicyChange:
    """What switching capabilities does to the policy: IAM actions that come and go, and the text line by line."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Stack:
    """The role's template and the address in AWS's console that takes it.

    `is_filled_in`: the address brings template and parameters along; otherwise the template is uploaded there.
    """

    template: Template
    url: str
    is_filled_in: bool


def permissions_policy(*, account: AwsAccount, actor: User, capabilities: Collection[str] | None = None) -> PolicyDocument:
    """The least IAM policy for what is switched on for `account`, or for `capabilities` in place of that.

    It names the roles through which `account` reaches others, as far as `actor` may see those.
    """
    reached = AwsAccount.objects.visible_to(actor, Perm.ACCOUNTS_VIEW).filter(hub=account).order_by("alias")
    enabled = account.capabilities if capabilities is None else capabilities
    return policy.permissions_policy(enabled, assumes=[other.role_arn for other in reached if other.role_arn])


def policy_change(*, account: AwsAccount, capabilities: Sequence[str]) -> PolicyChange:
    """What the policy would lose and gain with `capabilities` instead of those switched on. Raises InvalidInput."""
    wanted = inputs.capability_names(capabilities)
    before, after = _actions(account.capabilities), _actions(wanted)
    return PolicyChange(
        added=tuple(action for action in after if action not in before),
        removed=tuple(action for action in before if action not in after),
        lines=_lines(policy.permissions_policy(account.capabilities), policy.permissions_policy(wanted)),
    )


def trust_policy(*, account: AwsAccount, actor: User) -> PolicyDocument:
    """The trust policy of the account's role: the one identity that assumes it, and only with the external id.

    Asks STS who that is where nobody has asked before. Raises NoRole, and AwsError when it cannot be told.
    """
    if account.auth_method != AuthMethod.ASSUME_ROLE:
        raise NoRole("A trust policy belongs to a role. This account has credentials of its own.")
    return policy.trust_policy(trusted_arn=trusted_arn(account=account, actor=actor), external_id=account.external_id)


def stack(*, account: AwsAccount, actor: User) -> Stack:
    """A CloudFormation template that creates the role with trust and least policy. Raises as `trust_policy` does."""
    if account.auth_method != AuthMethod.ASSUME_ROLE:
        raise NoRole("The template creates a role. This account has credentials of its own.")
    wanted = Wanted(_role_of(account), trusted_arn(account=account, actor=actor), tuple(account.capabilities))
    template = cloudformation.for_one(wanted, account.external_id)
    region = regions.home(account.regions[0] if account.regions else "us-east-1")
    hosted = str(settings.CLOUDFORMATION_TEMPLATE_URL)
    if hosted:
        return Stack(template, cloudformation.quick_create_link(hosted, wanted, account.external_id, region), is_filled_in=True)
    return Stack(template, cloudformation.create_link(region), is_filled_in=False)


def trusted_arn(*, account: AwsAccount, actor: User | None) -> str:
    """Whom the role of `account` has to trust. Raises AwsError when it cannot be told."""
    if account.hub is not None and account.hub.identity_arn:
        return iam.role_arn_of(account.hub.identity_arn)
    return iam.role_arn_of(sts.whoami(credentials.hub_access(account, actor)).arn)


def _role_of(account: AwsAccount) -> str:
    return account.role_arn.partition(":role/")[2]


def _actions(capabilities: Collection[str]) -> list[str]:
    return [action for name, capability in CAPABILITIES.items() if name in capabilities for action in capability.actions]


def _lines(before: PolicyDocument, after: PolicyDocument) -> tuple[Line, ...]:
    """What differs, with three lines around it; "…" stands for what is left out. Empty when nothing differs."""
    old, new = (json.dumps(document, indent=2).splitlines() for document in (before, after))
    marks: dict[str, Literal["kept", "added", "removed"]] = {" ": "kept", "+": "added", "-": "removed"}
    compared = list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:]
    return tuple(Line(marks[line[0]], line[1:]) if line[0] in marks else Line("kept", "…") for line in compared)
