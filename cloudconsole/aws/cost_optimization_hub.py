"""What AWS itself recommends: Cost Optimization Hub (API reference). One endpoint, in us-east-1, for all regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudconsole.aws import calls, codes
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.pages import Listing, pages

HOME = "us-east-1"
_SERVICE = "cost-optimization-hub"
_PAGE = 100


@dataclass(frozen=True, slots=True)
class HubRecommendation:
    """One of AWS's recommendations. `saving`: AWS's own estimate for a month, after the discounts that it knows of.

    `resource_id` is empty for what concerns no single thing, such as a Savings Plan to buy.
    """

    recommendation_id: str
    account_id: str
    region: str
    resource_id: str
    resource_type: str  # "Ec2Instance", "EbsVolume", "LambdaFunction", …
    action: str  # "Rightsize", "Stop", "Upgrade", "Delete", "MigrateToGraviton", …
    current: str
    recommended: str
    saving: Decimal
    currency: str
    effort: str
    restart_needed: bool
    rollback_possible: bool
    lookback_days: int | None
    refreshed_at: datetime | None


@dataclass(frozen=True, slots=True)
class HubDetail:
    """What AWS's figure rests on, of the days that it looked back; None where AWS does not say. Money after its discounts."""

    cost_now: Decimal | None
    cost_then: Decimal | None
    saved_percent: Decimal | None
    days: int | None
    usages: tuple[str, ...]  # "EUC1-BoxUsage:m6i.2xlarge: 336 Hrs"


def require_enrolled(access: Access) -> None:
    """Raises AwsError: with the cause NOT_ENABLED where nobody has enrolled the account."""

    def ask() -> list[str]:
        found = client("cost-optimization-hub", HOME).list_enrollment_statuses()
        return [item["status"] for item in found["items"]]

    if "Active" not in calls.call(access, _SERVICE, "ListEnrollmentStatuses", HOME, ask):
        raise AwsError(
            service=_SERVICE,
            operation="ListEnrollmentStatuses",
            cause=codes.HUB_NOT_ENROLLED.cause,
            meaning=codes.HUB_NOT_ENROLLED.meaning,
            remedy=codes.HUB_NOT_ENROLLED.remedy,
            aws_code="Inactive",
        )


def recommendations(access: Access) -> Iterator[list[HubRecommendation]]:
    """The best one for each resource, which is how AWS avoids counting a saving twice; a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[HubRecommendation], str]:
        more: dict[str, Any] = {"nextToken": token} if token else {}
        answer = client("cost-optimization-hub", HOME).list_recommendations(
            includeAllRecommendations=False, maxResults=_PAGE, **more
        )
        return [_recommendation(item) for item in answer["items"]], answer.get("nextToken", "")

    return pages(Listing(access, _SERVICE, "ListRecommendations", HOME), ask)


def _recommendation(item: Mapping[str, Any]) -> HubRecommendation:
    refreshed = item.get("lastRefreshTimestamp")
    return HubRecommendation(
        recommendation_id=item["recommendationId"],
        account_id=item["accountId"],
        region=item.get("region", ""),
        resource_id=item.get("resourceId", ""),
        resource_type=item.get("currentResourceType") or item.get("recommendedResourceType", ""),
        action=item["actionType"],
        current=item.get("currentResourceSummary", ""),
        recommended=item.get("recommendedResourceSummary", ""),
        # A double on the wire: its shortest text is what AWS wrote.
        saving=Decimal(repr(float(item["estimatedMonthlySavings"]))),
        currency=item["currencyCode"],
        effort=item.get("implementationEffort", ""),
        restart_needed=bool(item.get("restartNeeded")),
        rollback_possible=bool(item.get("rollbackPossible")),
        lookback_days=item.get("recommendationLookbackPeriodInDays"),
        refreshed_at=refreshed.astimezone(UTC) if refreshed else None,
    )


def detail(access: Access, recommendation_id: str) -> HubDetail:
    """Of one recommendation. Raises AwsError."""

    def ask() -> Mapping[str, Any]:
        return client("cost-optimization-hub", HOME).get_recommendation(recommendationId=recommendation_id)

    found = calls.call(access, _SERVICE, "GetRecommendation", HOME, ask)
    now, then = (_calculation(found.get(name, {})) for name in ("currentResourceDetails", "recommendedResourceDetails"))
    return HubDetail(
        cost_now=_decimal(now.get("pricing", {}).get("estimatedCostAfterDiscounts")),
        cost_then=_decimal(then.get("pricing", {}).get("estimatedCostAfterDiscounts")),
        saved_percent=_decimal(found.get("estimatedSavingsPercentage")),
        days=found.get("costCalculationLookbackPeriodInDays"),
        usages=tuple(_usage(one) for one in now.get("usages", ())),
    )


def _calculation(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whatever kind of resource it is, the structure of that kind is the only one that is filled."""
    filled: Mapping[str, Any] = next(iter(details.values()), {})
    found: Mapping[str, Any] = filled.get("costCalculation", {})
    return found


def _usage(told: Mapping[str, Any]) -> str:
    return f"{told.get('usageType', '')}: {float(told.get('usageAmount', 0)):g} {told.get('unit', '')}".strip()


def _decimal(told: float | None) -> Decimal | None:
    """A double on the wire: its shortest text is what AWS wrote."""
    return None if told is None else Decimal(repr(float(told)))
