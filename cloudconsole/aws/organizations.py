"""The organization an account belongs to, as AWS Organizations tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudconsole.aws import calls, regions
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_organizations.type_defs import AccountTypeDef


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization and the account that pays for it."""

    id: str
    management_account_id: str


@dataclass(frozen=True, slots=True)
class OrganizationAccount:
    """A member. `state`: PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE or CLOSED."""

    account_id: str
    name: str
    email: str
    state: str


def describe(access: Access) -> Organization | None:
    """The organization of the account, None when it is in none. Raises AwsError."""
    region = regions.home(access.region)
    try:
        return calls.call(access, "organizations", "DescribeOrganization", region, lambda: _describe(region))
    except AwsError as error:
        if error.aws_code == "AWSOrganizationsNotInUseException":
            return None
        raise


def list_accounts(access: Access) -> list[OrganizationAccount]:
    """All accounts of the organization; only its management account and delegated administrators may ask."""
    region = regions.home(access.region)
    return calls.call(access, "organizations", "ListAccounts", region, lambda: _list(region))


def _describe(region: str) -> Organization:
    organization = client("organizations", region).describe_organization()["Organization"]
    return Organization(organization["Id"], organization["MasterAccountId"])


def _list(region: str) -> list[OrganizationAccount]:
    # A page may be empty and still be followed by another; the paginator goes on until there is no token.
    pages = client("organizations", region).get_paginator("list_accounts").paginate()
    return [_account(account) for page in pages for account in page["Accounts"]]


def _account(account: AccountTypeDef) -> OrganizationAccount:
    # `Status` is retired by AWS in favour of `State`; older endpoints only know the former.
    state = account.get("State") or account.get("Status") or "UNKNOWN"
    return OrganizationAccount(account["Id"], account.get("Name", ""), account.get("Email", ""), state)
