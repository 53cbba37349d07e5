"""The organization an account belongs to, as AWS Organizations tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def unit_paths(access: Access) -> dict[str, str]:
    """Where each account stands: account number → names of the units from the root down, "/" for the root itself.

    Two questions for each unit, however many accounts are in it. Raises AwsError.
    """
    region = regions.home(access.region)
    roots = _call(access, "ListRoots", lambda: _pages(region, "list_roots", "Roots"))
    waiting = [(str(root["Id"]), "/") for root in roots]
    found: dict[str, str] = {}
    while waiting:
        parent, path = waiting.pop()
        found |= {str(member["Id"]): path for member in _children(access, "Accounts", parent)}
        units = _children(access, "OrganizationalUnits", parent)
        waiting += [(str(unit["Id"]), f"{path.rstrip('/')}/{unit['Name']}") for unit in units]
    return found


def tags_of(access: Access, account_id: str) -> dict[str, str]:
    """The tags of an account of the organization. Raises AwsError."""
    region = regions.home(access.region)
    tags = _call(access, "ListTagsForResource", lambda: _pages(region, "list_tags_for_resource", "Tags", ResourceId=account_id))
    return {tag["Key"]: tag["Value"] for tag in tags}


_OF_PARENT = {
    "Accounts": ("ListAccountsForParent", "list_accounts_for_parent"),
    "OrganizationalUnits": ("ListOrganizationalUnitsForParent", "list_organizational_units_for_parent"),
}


def _children(access: Access, kind: str, parent: str) -> list[dict[str, str]]:
    region = regions.home(access.region)
    operation, paginator = _OF_PARENT[kind]
    return _call(access, operation, lambda: _pages(region, paginator, kind, ParentId=parent))


def _call(access: Access, operation: str, request: Callable[[], list[dict[str, str]]]) -> list[dict[str, str]]:
    return calls.call(access, "organizations", operation, regions.home(access.region), request)


def _pages(region: str, paginator: str, of: str, **parameters: str) -> list[dict[str, str]]:
    organizations: Any = client("organizations", region)  # its stubs know each paginator by its literal name only
    return [item for page in organizations.get_paginator(paginator).paginate(**parameters) for item in page[of]]


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
