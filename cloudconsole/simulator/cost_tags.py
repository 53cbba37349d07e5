"""Cost allocation tags of the simulated organization: which resources carry what, and what AWS tells of the keys.

A value is None where a resource has no such tag and empty where somebody left it empty; groups tell both as `key$`
(Cost Explorer API reference, GetCostAndUsage, GetTags, ListCostAllocationTags).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zlib import crc32

from cloudconsole.simulator import catalogue
from cloudconsole.simulator.cost_lists import Listed, listed
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.line_items import Line
from cloudconsole.simulator.organization import ACCOUNTS, DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING
from cloudconsole.simulator.wire import AwsError

Carried = Callable[[Line], str | None]

# Taxes, fees, credits and discounts carry no tags.
_TAGGED = frozenset({"Usage", "SavingsPlanCoveredUsage", "DiscountedUsage"})
_TEAMS = {
    catalogue.EC2: "web", catalogue.ELB: "web", catalogue.CLOUDFRONT: "web", catalogue.RDS: "data", catalogue.DYNAMODB: "data",
    catalogue.GLUE: "data", catalogue.BEDROCK: "assistants", catalogue.LAMBDA: "platform", catalogue.S3: "platform",
}  # fmt: skip
_PROJECTS = ("checkout", "search", "reporting")
_CENTRES = {PRODUCTION: "4100", STAGING: "4200", DEVELOPMENT: "4200", MANAGEMENT: "4000"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the payer's list of cost allocation tags has it; values show on the bill from `active_since` on."""

    name: str
    kind: str
    active_since: date | None
    carried: Carried


def _team(line: Line) -> str | None:
    """Nobody tags in the sandbox; in development some leave the value empty."""
    if line.account == SANDBOX:
        return None
    if line.account == DEVELOPMENT and line.service == catalogue.RDS:
        return ""
    return _TEAMS.get(line.service)


def _project(line: Line) -> str | None:
    if line.account not in (PRODUCTION, STAGING):
        return None
    number = crc32(f"{line.service}/{line.region}".encode()) % 5
    return _PROJECTS[number] if number < len(_PROJECTS) else None


def _environment(line: Line) -> str | None:
    return ACCOUNTS[line.account].name


@cache
def keys(origin: date) -> dict[str, Key]:
    """Every key that AWS has seen on a resource; `cost-center` was switched on ten weeks before the story's day."""
    long_ago = date(2024, 4, 1)
    found = (
        Key("Environment", "UserDefined", long_ago, _environment),
        Key("aws:createdBy", "AWSGenerated", None, lambda line: f"IAMUser:AIDA:{ACCOUNTS[line.account].name}"),
        Key("cost-center", "UserDefined", origin - timedelta(weeks=10), lambda line: _CENTRES.get(line.account)),
        Key("owner", "UserDefined", None, _team),
        Key("project", "UserDefined", long_ago, _project),
        Key("team", "UserDefined", long_ago, _team),
    )
    return {key.name: key for key in found}


def carried(origin: date, line: Line, day: date) -> tuple[tuple[str, str], ...]:
    """The tags that the bill tells of a charge: none of a key that is not active, or was not yet on that day."""
    if line.record_type not in _TAGGED:
        return ()
    active = (key for key in keys(origin).values() if key.active_since and key.active_since <= day)
    return tuple((key.name, value) for key in active if (value := key.carried(line)) is not None)


def get_tags(lines: Iterable[Line], arguments: dict[str, Any]) -> dict[str, Any]:
    """The keys that these charges carry, or the values of one of them; an empty one stands for charges without it."""
    asked = arguments.get("TagKey")
    if asked is None:
        names = {name for line in lines for name, _ in line.tags}
    else:
        names = {value_of(line, str(asked)) or "" for line in lines}
    return listed("Tags", [Listed(name, name) for name in sorted(names)], arguments)


def value_of(line: Line, key: str) -> str | None:
    """None where the charge carries no such tag."""
    return next((value for name, value in line.tags if name == key), None)


def allocation_tags(origin: date, identity: Identity, arguments: dict[str, Any], today: date) -> dict[str, Any]:
    """The list of the account that pays. Raises AwsError for a member of an organization."""
    account = identity.account
    if account.in_organization and not account.is_payer:
        raise AwsError("AccessDeniedException", "Linked account doesn't have access to cost allocation tags.")
    size = arguments.get("MaxResults", 100)
    if not 1 <= size <= 1000:
        raise AwsError("ValidationException", "MaxResults must be between 1 and 1000.")
    found = [_described(key, today) for key in keys(origin).values()]
    for name, field in (("Status", "Status"), ("Type", "Type")):
        if wanted := arguments.get(name):
            found = [one for one in found if one[field] == wanted]
    if wanted := arguments.get("TagKeys"):
        found = [one for one in found if one["TagKey"] in wanted]
    token = str(arguments.get("NextToken", "0"))
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.")
    page = found[int(token) : int(token) + size]
    more = {"NextToken": str(int(token) + size)} if int(token) + size < len(found) else {}
    return {"CostAllocationTags": page, **more}


def _described(key: Key, today: date) -> dict[str, str]:
    changed = key.active_since or date(2024, 4, 1)
    return {
        "TagKey": key.name,
        "Type": key.kind,
        "Status": "Active" if key.active_since else "Inactive",
        "LastUpdatedDate": _moment(changed),
        "LastUsedDate": _moment(today.replace(day=1)),
    }


def _moment(day: date) -> str:
    return f"{datetime.combine(day, time()).isoformat()}Z"
