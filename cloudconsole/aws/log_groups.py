"""Log groups of CloudWatch Logs (API reference): how large they are, how long they keep, and setting how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudconsole.aws import calls
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.ebs import Changed
from cloudconsole.aws.pages import Listing, pages

_PAGE = 50  # of at most 50

# The only numbers of days that CloudWatch Logs takes (PutRetentionPolicy).
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogGroupFacts:
    """A log group. `stored_bytes` is what is stored and billed, compressed; `retention_days` None keeps for ever."""

    name: str
    stored_bytes: int
    retention_days: int | None
    storage_class: str  # "STANDARD", "INFREQUENT_ACCESS" or "DELIVERY"
    created_at: datetime | None


def log_groups(access: Access, region: str) -> Iterator[list[LogGroupFacts]]:
    """All log groups of a region, a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[LogGroupFacts], str]:
        more: dict[str, Any] = {"nextToken": token} if token else {}
        answer = client("logs", region).describe_log_groups(limit=_PAGE, **more)
        return [_group(found) for found in answer["logGroups"]], answer.get("nextToken", "")

    return pages(Listing(access, "logs", "DescribeLogGroups", region), ask)


def log_group(access: Access, region: str, name: str) -> LogGroupFacts | None:
    """The one called exactly so; None where there is none (any more). Raises AwsError."""

    def ask() -> list[LogGroupFacts]:
        answer = client("logs", region).describe_log_groups(logGroupNamePrefix=name, limit=_PAGE)
        return [_group(found) for found in answer["logGroups"]]

    return next((found for found in calls.call(access, "logs", "DescribeLogGroups", region, ask) if found.name == name), None)


def set_retention(access: Access, region: str, name: str, days: int, *, observer: Observer | None = None) -> Changed:
    """Keep events so many days; older ones are deleted within about three days, for good. Raises AwsError."""

    def ask() -> Changed:
        answer: Any = once("logs", region).put_retention_policy(logGroupName=name, retentionInDays=days)
        return Changed(str(answer.get("ResponseMetadata", {}).get("RequestId", "")))

    return calls.call(access, "logs", "PutRetentionPolicy", region, ask, observer=observer)


def _group(found: Mapping[str, Any]) -> LogGroupFacts:
    created = found.get("creationTime")
    return LogGroupFacts(
        name=found["logGroupName"],
        stored_bytes=found.get("storedBytes", 0),
        retention_days=found.get("retentionInDays"),
        storage_class=found.get("logGroupClass", "STANDARD"),
        created_at=datetime.fromtimestamp(created / 1000, UTC) if created is not None else None,
    )
