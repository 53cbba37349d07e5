"""AWS Organizations, as much as the product asks for (Organizations API reference)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cloudconsole.simulator import units
from cloudconsole.simulator.identity import Directory, Identity
from cloudconsole.simulator.organization import ACCOUNTS, MANAGEMENT, ORGANIZATION_ID, Account
from cloudconsole.simulator.units import UNITS, Unit
from cloudconsole.simulator.wire import AwsError

_PAGE = 20

Arguments = dict[str, Any]


def answer(operation: str, identity: Identity, directory: Directory, arguments: Arguments) -> dict[str, Any] | None:
    """The answer to a call; None for an operation that is not simulated. Raises AwsError."""
    if operation == "DescribeOrganization":
        return describe_organization(identity)
    found = _FOR_MANAGERS.get(operation)
    if found is None:
        return None
    _require_membership(identity)
    if not (identity.account.is_payer or identity.account_id in directory.delegated_administrators):
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    return found(directory, arguments)


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


def _list_accounts(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    return _page("Accounts", [_account(account) for account in directory.members()], arguments)


def _list_roots(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    return _page("Roots", [_unit(units.ROOT) | {"PolicyTypes": []}], arguments)


def _list_units(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    return _page("OrganizationalUnits", [_unit(unit) for unit in units.children_of(_parent(arguments))], arguments)


def _list_accounts_for_parent(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    parent = _parent(arguments)
    inside = [account for account in directory.members() if units.home_of(account).id == parent]
    return _page("Accounts", [_account(account) for account in inside], arguments)


def _list_parents(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    child = str(arguments.get("ChildId", ""))
    if child in UNITS and UNITS[child].parent:
        parent = UNITS[str(UNITS[child].parent)]
    else:
        parent = units.home_of(_member(directory, child, "ChildNotFoundException", "child"))
    kind = "ORGANIZATIONAL_UNIT" if parent.parent else "ROOT"
    return _page("Parents", [{"Id": parent.id, "Type": kind}], arguments)


def _describe_unit(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    found = UNITS.get(str(arguments.get("OrganizationalUnitId", "")))
    if found is None or found.parent is None:
        message = "You specified an organizational unit that doesn't exist."
        raise AwsError("OrganizationalUnitNotFoundException", message)
    return {"OrganizationalUnit": _unit(found)}


def _describe_account(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    number = str(arguments.get("AccountId", ""))
    return {"Account": _account(_member(directory, number, "AccountNotFoundException", "account"))}


def _list_tags(directory: Directory, arguments: Arguments) -> dict[str, Any]:
    found = _member(directory, str(arguments.get("ResourceId", "")), "TargetNotFoundException", "target")
    return {"Tags": [{"Key": key, "Value": value} for key, value in units.tags_of(found).items()]}


_FOR_MANAGERS: dict[str, Callable[[Directory, Arguments], dict[str, Any]]] = {
    "ListAccounts": _list_accounts,
    "ListRoots": _list_roots,
    "ListOrganizationalUnitsForParent": _list_units,
    "ListAccountsForParent": _list_accounts_for_parent,
    "ListParents": _list_parents,
    "ListTagsForResource": _list_tags,
    "DescribeOrganizationalUnit": _describe_unit,
    "DescribeAccount": _describe_account,
}


def _require_membership(identity: Identity) -> None:
    if not identity.account.in_organization:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


def _parent(arguments: Arguments) -> str:
    parent = str(arguments.get("ParentId", ""))
    if parent not in UNITS:
        raise AwsError("ParentNotFoundException", "You specified a parent that doesn't exist.")
    return parent


def _member(directory: Directory, number: str, code: str, noun: str) -> Account:
    for account in directory.members():
        if account.account_id == number:
            return account
    raise AwsError(code, f"You specified a {noun} that doesn't exist.")


def _page(name: str, items: Sequence[dict[str, Any]], arguments: Arguments) -> dict[str, Any]:
    """At most 20 on a page, fewer where MaxResults says so."""
    size = arguments.get("MaxResults", _PAGE)
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidInputException", "You provided an invalid value for MaxResults.")
    start = _offset(arguments.get("NextToken"), name)
    answer: dict[str, Any] = {name: list(items[start : start + size])}
    if start + size < len(items):
        answer["NextToken"] = f"{name}-{start + size}"
    return answer


def _offset(token: str | None, name: str) -> int:
    if token is None:
        return 0
    number = token.removeprefix(f"{name}-")
    if not number.isdigit():
        raise AwsError("InvalidInputException", "You specified an invalid value for nextToken.")
    return int(number)


def _unit(unit: Unit) -> dict[str, Any]:
    return {"Id": unit.id, "Arn": unit.arn, "Name": unit.name}


def _account(account: Account) -> dict[str, Any]:
    return {
        "Id": account.account_id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "Status": "SUSPENDED" if account.state == "SUSPENDED" else "ACTIVE",
        "State": account.state,
        "JoinedMethod": "INVITED" if account.is_payer else "CREATED",
        "JoinedTimestamp": account.joined.timestamp(),
    }
