"""Service Quotas (API reference, 2019-06-24): limits in force and by default, and asking for higher ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from cloudconsole.aws import calls
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.pages import Listing, pages
from cloudconsole.aws.rates import Rate

SERVICE: Final = "service-quotas"
# AWS allows some ten requests a second in a region, to everybody in the account together, and does not raise it.
_RATE = Rate(per_second=5, burst=1)
_PAGE = 100  # small pages meet AWS's limit of some ten requests a second sooner
_SECONDS = {
    "MICROSECOND": Decimal("0.000001"),
    "MILLISECOND": Decimal("0.001"),
    "SECOND": Decimal(1),
    "MINUTE": Decimal(60),
    "HOUR": Decimal(3600),
    "DAY": Decimal(86_400),
    "WEEK": Decimal(604_800),
}


@dataclass(frozen=True, slots=True)
class UsageMetric:
    """The CloudWatch metric that AWS itself names for the use of a quota. `statistic` as AWS recommends it."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


@dataclass(frozen=True, slots=True)
class QuotaFacts:
    """One quota as AWS told it. `period_s`: the quota counts what happens in so many seconds; None: what there is.

    `is_global`: one value for all regions of the account.
    """

    service_code: str
    service_name: str
    code: str
    name: str
    value: Decimal
    unit: str
    adjustable: bool
    is_global: bool
    period_s: Decimal | None
    usage: UsageMetric | None


@dataclass(frozen=True, slots=True)
class IncreaseFacts:
    """A request for a higher value, by whomever. `status`: PENDING, CASE_OPENED, APPROVED, DENIED, CASE_CLOSED, …"""

    request_id: str
    case_id: str
    service_code: str
    code: str
    desired: Decimal
    status: str
    requester: str
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """AWS took a request: the request as it stands, and the id of the call."""

    increase: IncreaseFacts
    aws_request_id: str


def services(access: Access, region: str) -> Iterator[list[str]]:
    """The codes of the services that have quotas in the region, a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[str], str]:
        more = {"NextToken": token} if token else {}
        answer = client(SERVICE, region).list_services(MaxResults=_PAGE, **more)
        return [str(found["ServiceCode"]) for found in answer["Services"]], answer.get("NextToken", "")

    return pages(Listing(access, SERVICE, "ListServices", region, _RATE), ask)


def applied(access: Access, region: str, service_code: str) -> Iterator[list[QuotaFacts]]:
    """The values in force, a page at a time. A quota that AWS never applied to the account is missing. Raises AwsError."""
    return _quotas(access, region, service_code, "ListServiceQuotas", "list_service_quotas")


def defaults(access: Access, region: str, service_code: str) -> Iterator[list[QuotaFacts]]:
    """AWS's default values, a page at a time. Raises AwsError."""
    return _quotas(access, region, service_code, "ListAWSDefaultServiceQuotas", "list_aws_default_service_quotas")


def is_not_offered(error: AwsError) -> bool:
    """Whether the service is simply not there in the region: then it has no quotas, and nothing failed."""
    return error.service == SERVICE and error.cause is AwsErrorKind.NOT_FOUND


def increases(access: Access, region: str) -> Iterator[list[IncreaseFacts]]:
    """The requests for higher quotas of all services in the last 90 days, a page at a time. Raises AwsError."""

    def ask(token: str) -> tuple[list[IncreaseFacts], str]:
        more = {"NextToken": token} if token else {}
        answer = client(SERVICE, region).list_requested_service_quota_change_history(MaxResults=_PAGE, **more)
        return [_increase(found) for found in answer["RequestedQuotas"]], answer.get("NextToken", "")

    return pages(Listing(access, SERVICE, "ListRequestedServiceQuotaChangeHistory", region, _RATE), ask)


def request_increase(
    access: Access, region: str, service_code: str, code: str, desired: Decimal, *, observer: Observer | None = None
) -> Asked:
    """Ask AWS for a higher value. It is sent once: a second request while one is open is a conflict. Raises AwsError."""

    def ask() -> Asked:
        answer: Any = once(SERVICE, region).request_service_quota_increase(
            ServiceCode=service_code, QuotaCode=code, DesiredValue=float(desired)
        )
        request_id = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
        return Asked(_increase(answer["RequestedQuota"]), request_id)

    return calls.call(access, SERVICE, "RequestServiceQuotaIncrease", region, ask, observer=observer)


def _quotas(access: Access, region: str, service_code: str, operation: str, method: str) -> Iterator[list[QuotaFacts]]:
    def ask(token: str) -> tuple[list[QuotaFacts], str]:
        more = {"NextToken": token} if token else {}
        answer = getattr(client(SERVICE, region), method)(ServiceCode=service_code, MaxResults=_PAGE, **more)
        return [_quota(found) for found in answer["Quotas"] if "Value" in found], answer.get("NextToken", "")

    return pages(Listing(access, SERVICE, operation, region, _RATE), ask)


def _quota(found: Mapping[str, Any]) -> QuotaFacts:
    return QuotaFacts(
        service_code=found["ServiceCode"],
        service_name=found.get("ServiceName", ""),
        code=found["QuotaCode"],
        name=found.get("QuotaName", ""),
        value=_exact(found["Value"]),
        unit=found.get("Unit", ""),
        adjustable=bool(found.get("Adjustable")),
        is_global=bool(found.get("GlobalQuota")),
        period_s=_period(found.get("Period")),
        usage=_usage(found.get("UsageMetric")),
    )


def _period(found: Mapping[str, Any] | None) -> Decimal | None:
    if not found or found.get("PeriodUnit") not in _SECONDS:
        return None
    return _SECONDS[found["PeriodUnit"]] * int(found.get("PeriodValue", 1))


def _usage(found: Mapping[str, Any] | None) -> UsageMetric | None:
    """AWS sends an empty description where there is no metric."""
    if not found or not found.get("MetricNamespace") or not found.get("MetricName"):
        return None
    dimensions = tuple(sorted((str(name), str(value)) for name, value in found.get("MetricDimensions", {}).items()))
    return UsageMetric(
        found["MetricNamespace"], found["MetricName"], dimensions, found.get("MetricStatisticRecommendation") or "Maximum"
    )


def _increase(found: Mapping[str, Any]) -> IncreaseFacts:
    return IncreaseFacts(
        request_id=found["Id"],
        case_id=found.get("CaseId", ""),
        service_code=found.get("ServiceCode", ""),
        code=found.get("QuotaCode", ""),
        desired=_exact(found["DesiredValue"]),
        status=found.get("Status", "PENDING"),
        requester=found.get("Requester", ""),
        created_at=_moment(found.get("Created")),
        updated_at=_moment(found.get("LastUpdated")),
    )


def _moment(found: datetime | None) -> datetime | None:
    return found.astimezone(UTC) if found else None


def _exact(value: float) -> Decimal:
    """A double on the wire: its shortest text is what AWS wrote."""
    return Decimal(repr(float(value))).normalize() + 0
