"""AWS Organizations, as much as the product asks for (Organizations API reference)."""

from __future__ import annotations

from typing import Any

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import ACCOUNTS, MANAGEMENT, ORGANIZATION_ID, Account, organization_accounts
from cloudconsole.simulator.wire import AwsError

_PAGE = 20


def describe_organization(identity: Identity) -> dict[str, Any]:
    """Any member may ask; an account outside is told that it is in none."""
    _require_membership(identity)
    payer = ACCOUNTS[MANAGEMENT]
    return {
        "Organization": {
            "Id": ORGANIZATION_ID,
            "Arn": f"arn:aws:organizations::{MANAGEMENT}:organization/{ORGANIZATION_ID}",
            "FeatureSet": "ALL",
            "MasterAccountArn": payer.arn,
            "MasterAccountId": MANAGEMENT,
            "MasterAccountEmail": payer.email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
    }


def list_accounts(identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
    """Only the management account may list; at most 20 a page, fewer where MaxResults says so."""
    _require_membership(identity)
    if not identity.account.is_payer:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    size = arguments.get("MaxResults", _PAGE)
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidInputException", "You provided an invalid value for MaxResults.")
    start = _offset(arguments.get("NextToken"))
    accounts = organization_accounts()
    answer: dict[str, Any] = {"Accounts": [_account(account) for account in accounts[start : start + size]]}
    if start + size < len(accounts):
        answer["NextToken"] = f"accounts-{start + size}"
    return answer


def _require_membership(identity: Identity) -> None:
    if not identity.account.in_organization:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    number = token.removeprefix("accounts-")
    if not number.isdigit():
        raise AwsError("InvalidInputException", "You specified an invalid value for nextToken.")
    return int(number)


def _account(account: Account) -> dict[str, Any]:
    return {
        "Id": account.account_id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "INVITED" if account.is_payer else "CREATED",
        "JoinedTimestamp": account.joined.timestamp(),
    }
