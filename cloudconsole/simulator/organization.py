"""The fixed organization as data: its accounts, users, roles, and the credentials that the demo and the tests use.

Keys and secrets are derived from the seed, so that they are the same on every start and stand in no file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cloudconsole.simulator.policies import Statement, allow, deny

MANAGEMENT = "111111111111"
PRODUCTION = "411111111111"
STAGING = "422222222222"
DEVELOPMENT = "433333333333"
SANDBOX = "444444444444"
# A company just bought: not in the organization, and nobody has opened Cost Explorer there yet.
ACQUIRED = "455555555555"

ORGANIZATION_ID = "o-cloudcons1"
# In a larger organization: the units it is divided into, and which of its further accounts are in trouble.
TEAMS = 4
SUSPENDED = 9  # closed by somebody: nothing can be assumed there any more
WITHOUT_ROLE = 17  # a StackSet fails there
OLD_EXTERNAL_ID = 33  # a StackSet leaves an earlier external id in the role's trust policy there
ROLE_NAME = "CloudconsoleReadOnly"
SESSION_LIFETIME = timedelta(hours=36)

# Regions that an account must opt in to before anything answers there (AWS account management guide).
OPT_IN_REGIONS = frozenset(
    (
        "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
        "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1",
        "me-south-1", "mx-central-1",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    name: str
    email: str
    joined: datetime
    in_organization: bool = True
    cost_explorer_enabled: bool = True
    opted_in_regions: frozenset[str] = frozenset()
    state: str = "ACTIVE"
    # What the organization's service control policies forbid here.
    guardrails: tuple[Statement, ...] = ()

    @property
    def is_payer(self) -> bool:
        return self.account_id == MANAGEMENT

    @property
    def arn(self) -> str:
        return f"arn:aws:organizations::{MANAGEMENT}:account/{ORGANIZATION_ID}/{self.account_id}"


@dataclass(frozen=True, slots=True)
class User:
    account_id: str
    name: str
    policy: tuple[Statement, ...]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:user/{self.name}"


@dataclass(frozen=True, slots=True)
class Role:
    """A role with the trust policy that Cloudconsole asks for: one principal, one external id.

    `external_id` None is a role whose trust policy forgot the condition: it accepts any.
    """

    account_id: str
    name: str
    policy: tuple[Statement, ...]
    trusted_principal: str
    external_id: str | None
    max_session_s: int = 3600

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:role/{self.name}"


@dataclass(frozen=True, slots=True)
class DemoKey:
    """Credentials by name. `purpose` says what they show; `expires_at` is set for session credentials."""

    name: str
    purpose: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires_at: datetime | None = None


_READ = allow(
    "ce:Get*", "ce:List*", "organizations:Describe*", "organizations:List*", "iam:SimulatePrincipalPolicy", "iam:Get*",
    "account:List*", "ec2:Describe*", "s3:List*", "s3:Get*", "lambda:List*", "lambda:Get*", "servicequotas:Get*",
    "servicequotas:List*",
    "cloudwatch:Get*", "cloudwatch:List*", "bedrock:List*", "tag:Get*", "budgets:View*", "kms:List*", "kms:Describe*",
    "pricing:Get*", "elasticloadbalancing:Describe*", "logs:Describe*", "cost-optimization-hub:List*",
    "cost-optimization-hub:Get*",
    "athena:*", "glue:Get*",
)  # fmt: skip
READ_ONLY = (_READ,)
# What changes instances, buckets and functions.
_OPERATE = allow(
    "ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances", "ec2:TerminateInstances",
    "s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
    "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload", "lambda:InvokeFunction", "lambda:CreateFunction", "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:CreateAlias", "lambda:UpdateAlias", "iam:PassRole",
    "ec2:CreateSnapshot", "ec2:DeleteVolume", "ec2:ModifyVolume", "ec2:ReleaseAddress", "logs:PutRetentionPolicy",
    "ce:ProvideAnomalyFeedback", "servicequotas:RequestServiceQuotaIncrease",
)  # fmt: skip
READ_AND_OPERATE = (_READ, _OPERATE)
# What a user may do with its own access keys, where somebody has allowed it.
_OWN_KEYS = allow(
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    resources=(f"arn:aws:iam::{DEVELOPMENT}:user/cloudconsole",),
)
# The role that Cloudconsole runs as where it has no access key (an ECS task, an instance profile).
HUB_ROLE_NAME = "CloudconsoleHub"
_HUB_ROLE_ARN = f"arn:aws:iam::{MANAGEMENT}:role/{HUB_ROLE_NAME}"
_ASSUME = allow("sts:AssumeRole", resources=(f"arn:aws:iam::*:role/{ROLE_NAME}", _HUB_ROLE_ARN))
_NO_BUCKET_DELETION = deny("s3:DeleteBucket")

_JOINED = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)

ACCOUNTS: dict[str, Account] = {
    account.account_id: account
    for account in (
        Account(MANAGEMENT, "management", "aws@example.com", _JOINED),
        Account(PRODUCTION, "production", "aws+production@example.com", _JOINED, guardrails=(_NO_BUCKET_DELETION,)),
        Account(STAGING, "staging", "aws+staging@example.com", _JOINED + timedelta(days=2)),
        Account(DEVELOPMENT, "development", "aws+development@example.com", _JOINED + timedelta(days=2)),
        Account(SANDBOX, "sandbox", "aws+sandbox@example.com", _JOINED + timedelta(days=190)),
        Account(ACQUIRED, "acquired", "it@acquired.example.com", _JOINED, in_organization=False, cost_explorer_enabled=False),
    )
}

HUB = User(MANAGEMENT, "cloudconsole-hub", (_ASSUME, *READ_AND_OPERATE))
USERS: dict[str, User] = {
    user.arn: user
    for user in (
        HUB,
        User(MANAGEMENT, "stranger", (_ASSUME,)),
        User(DEVELOPMENT, "cloudconsole", (*READ_AND_OPERATE, _OWN_KEYS)),
        User(DEVELOPMENT, "auditor", (allow("iam:Get*", "iam:SimulatePrincipalPolicy", "organizations:Describe*"),)),
        User(SANDBOX, "cloudconsole", READ_AND_OPERATE),
        User(ACQUIRED, "cloudconsole", (_READ,)),
    )
}


def organization_accounts(size: int = 0) -> list[Account]:
    """The members, payer first, in the order in which they joined; filled up with made-up ones to `size`."""
    named = [account for account in ACCOUNTS.values() if account.in_organization]
    return named + [further_account(at) for at in range(1, size - len(named) + 1)]


def further_account(at: int) -> Account:
    """The `at`-th (from 1) of the accounts that only a larger organization has."""
    name = f"team-{(at - 1) % TEAMS + 1}-{at:03}"
    state = "SUSPENDED" if at == SUSPENDED else "ACTIVE"
    return Account(f"5{at:011}", name, f"aws+{name}@example.com", _JOINED + timedelta(days=200 + at), state=state)


def account_of(number: str) -> Account:
    """The account with this number, a further one included. KeyError for a number that is nobody's."""
    if number not in ACCOUNTS and number.startswith("5"):
        return further_account(int(number[1:]))
    return ACCOUNTS[number]


def policy_of(account_id: str) -> tuple[Statement, ...]:
    """The policy that the admins of an account gave the role of Cloudconsole: those of staging let it only look."""
    return READ_ONLY if account_id == STAGING else READ_AND_OPERATE


def roles(seed: int) -> dict[str, Role]:
    """The roles as they are before the product registers its own external ids."""
    hub = Role(MANAGEMENT, HUB_ROLE_NAME, (_ASSUME, *READ_AND_OPERATE), HUB.arn, None, 43_200)
    members = (
        Role(account, ROLE_NAME, policy_of(account), HUB.arn, derived_external_id(seed, account), seconds)
        for account, seconds in ((PRODUCTION, 3600), (STAGING, 7200))
    )
    return {role.arn: role for role in (hub, *members)}


def derived_external_id(seed: int, account_id: str) -> str:
    return _digest(seed, f"external-id:{account_id}").hex()[:32]


def access_key_id(seed: int, name: str, *, prefix: str = "AKIA") -> str:
    return prefix + base64.b32encode(_digest(seed, f"key:{name}")).decode()[:16]


def secret_for(seed: int, name: str) -> str:
    return base64.b64encode(_digest(seed, f"secret:{name}")).decode()[:40]


def _digest(seed: int, name: str) -> bytes:
    return hmac.digest(f"cloudconsole-simulator-{seed}".encode(), name.encode(), hashlib.sha256)
