"""What to paste into AWS: the policy that an account's capabilities need, and who may assume its role."""

from __future__ import annotations

from accounts.models import AuthMethod, AwsAccount, User
from accounts.services import credentials
from cloudconsole.aws import iam, policy, sts
from cloudconsole.aws.policy import PolicyDocument
from cloudconsole.core.errors import CloudconsoleError, Kind


class NoRole(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_role"
    title = "This account is not reached through a role"


def permissions_policy(*, account: AwsAccount) -> PolicyDocument:
    """The least IAM policy for the capabilities switched on for `account`."""
    return policy.permissions_policy(account.capabilities)


def trust_policy(*, account: AwsAccount, actor: User) -> PolicyDocument:
    """The trust policy of the account's role: the one identity that assumes it, and only with the external id.

    Asks STS who that is where nobody has asked before. Raises NoRole, and AwsError when it cannot be told.
    """
    if account.auth_method != AuthMethod.ASSUME_ROLE:
        raise NoRole("A trust policy belongs to a role. This account has credentials of its own.")
    return policy.trust_policy(trusted_arn=iam.role_arn_of(_hub_arn(account, actor)), external_id=account.external_id)


def _hub_arn(account: AwsAccount, actor: User) -> str:
    if account.hub is not None and account.hub.identity_arn:
        return account.hub.identity_arn
    return sts.whoami(credentials.hub_access(account, actor)).arn
