"""Which cost allocation tags there are, from Cost Explorer (ListCostAllocationTags, GetTags). Every page costs 0.01 USD.

Only the account that pays may list them with their activation; a member is told "Linked account doesn't have access to cost
allocation tags", and learns from GetTags which keys its own costs carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from cloudconsole.aws import metered
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.metered import Meter, Operation

LIST = Operation("ListCostAllocationTags", "list_cost_allocation_tags", "CostAllocationTags")
NAMES = Operation("GetTags", "get_tags", "Tags")

MAX_PAGES = 20
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class AllocationTag:
    """A key as AWS lists it. `active`: its values are on the bill. Days are those on which AWS changed or last met it."""

    key: str
    active: bool
    made_by_aws: bool
    last_updated_on: date | None
    last_used_on: date | None


def allocation_tags(access: Access, *, meter: Meter) -> list[AllocationTag]:
    """All keys that the payer knows. Raises AwsError (ACCESS_DENIED for a member), or what `meter` raises."""
    pages = _pages(access, LIST, {"MaxResults": _PAGE}, "NextToken", meter)
    return [_tag(told) for page in pages for told in page["CostAllocationTags"]]


def keys_in_use(access: Access, start: date, end: date, *, meter: Meter) -> list[str]:
    """The keys that costs of the days from `start` up to, without, `end` carry. Raises AwsError, or what `meter` raises."""
    asked = {"TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()}}
    return [str(key) for page in _pages(access, NAMES, asked, "NextPageToken", meter) for key in page["Tags"] if key]


def _pages(access: Access, operation: Operation, asked: dict[str, Any], token_name: str, meter: Meter) -> Iterator[Any]:
    """A list that repeats a token would never end, and is paid for page by page."""
    seen: set[str] = set()
    for number in range(1, MAX_PAGES + 1):
        page = metered.ask(access, operation, asked, meter=meter, page=number)
        yield page
        token = page.get(token_name)
        if not token:
            return
        if token in seen:
            raise metered.garbled(operation, "It repeats a page token, so it would never end.", page)
        seen.add(token)
        asked = {**asked, token_name: token}
    raise metered.garbled(operation, f"It has more than {MAX_PAGES} pages.", {})


def _tag(told: Any) -> AllocationTag:
    return AllocationTag(
        key=str(told["TagKey"]),
        active=told["Status"] == "Active",
        made_by_aws=told["Type"] == "AWSGenerated",
        last_updated_on=_day(told.get("LastUpdatedDate")),
        last_used_on=_day(told.get("LastUsedDate")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
