"""What an account cost, from Cost Explorer (GetCostAndUsage). Every page of every request costs 0.01 USD.

botocore has no paginator for it. Rules of paging: the same parameters with every token, a cap on the pages, and one
fresh start when AWS refuses a token. Documentation: AWS Billing and Cost Management API reference, GetCostAndUsage.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError, ResponseStreamingError

from cloudconsole.aws import calls, regions, translation
from cloudconsole.aws.attempts import Attempt
from cloudconsole.aws.clients import client
from cloudconsole.aws.cost_answers import METRIC_NAMES, Amounts, CostAnswer, DayCosts, Merge, UnreadablePage
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.rates import Rate, bucket_for
from cloudconsole.core.errors import CloudconsoleError, Kind

if TYPE_CHECKING:
    from mypy_boto3_ce.type_defs import GetCostAndUsageRequestTypeDef, GetCostAndUsageResponseTypeDef

__all__ = [
    "Amounts",
    "CostAnswer",
    "CostQuery",
    "DayCosts",
    "Dimension",
    "Granularity",
    "Meter",
    "Metric",
    "RequestRecord",
    "TooManyPages",
    "get_cost_and_usage",
]

OPERATION = "GetCostAndUsage"

# AWS publishes no limit; its staff once named ten a second. The burst covers a whole backfill of one account.
_RATE = Rate(per_second=2, burst=40)

# The request was sent and may have been answered, so it may be on the bill.
_ANSWER_LOST = (ReadTimeoutError, ConnectionClosedError, ResponseStreamingError)

# AWS allows two groupings per request.
_MAX_GROUP_BY = 2


class Metric(StrEnum):
    """The five ways AWS counts cost; the value is the field of Amounts."""

    UNBLENDED = "unblended"
    BLENDED = "blended"
    AMORTIZED = "amortized"
    NET_UNBLENDED = "net_unblended"
    NET_AMORTIZED = "net_amortized"


class Dimension(StrEnum):
    """What costs can be grouped by."""

    SERVICE = "SERVICE"
    LINKED_ACCOUNT = "LINKED_ACCOUNT"
    REGION = "REGION"
    RECORD_TYPE = "RECORD_TYPE"
    USAGE_TYPE = "USAGE_TYPE"


Granularity = Literal["DAILY", "MONTHLY"]


@dataclass(frozen=True, slots=True)
class CostQuery:
    """Costs of the UTC days from `start` up to, without, `end`, grouped by at most two dimensions."""

    start: date
    end: date
    group_by: tuple[Dimension, ...] = ()
    granularity: Granularity = "DAILY"

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}: the end is exclusive.")
        if len(self.group_by) > _MAX_GROUP_BY or len(set(self.group_by)) != len(self.group_by):
            raise ValueError("Cost Explorer groups by at most two different dimensions.")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP request to Cost Explorer. `outcome`: "ok" or the value of an AwsErrorKind.

    `charged`: AWS bills it. Refused requests are free; one whose answer got lost is counted as billed.
    """

    operation: str
    outcome: str
    aws_request_id: str
    duration_ms: int
    page: int
    charged: bool


class Meter(Protocol):
    """Watches what is spent: asked before each HTTP request, retries included, and told about it afterwards."""

    def before_request(self) -> None:
        """May raise to refuse the request; the error ends the call and nothing is sent."""

    def after_request(self, record: RequestRecord) -> None:
        """What it raises ends the call: a request that cannot be recorded shall not be followed by another."""


class TooManyPages(CloudconsoleError):
    """The answer has more pages than allowed; nothing of it is given out, because a cut answer looks like a saving."""

    kind = Kind.UPSTREAM
    code = "aws_too_many_pages"
    title = "The answer of Cost Explorer is too long"


def get_cost_and_usage(access: Access, query: CostQuery, *, meter: Meter, max_pages: int = 20) -> CostAnswer:
    """All pages of the answer to `query` as one: all five metrics, every period that AWS told, summed exactly.

    Raises AwsError, TooManyPages beyond `max_pages`, or what `meter` raises. A refused page token leads to one fresh
    start from page 1 and then to AwsError with cause TOKEN_REFUSED.
    """
    fetch = _Fetch(access, query, meter, max_pages)
    try:
        return fetch.all_pages()
    except AwsError as error:
        if error.cause is not AwsErrorKind.TOKEN_REFUSED:
            raise
    return fetch.all_pages()


class _Fetch:
    """The pages of one query."""

    def __init__(self, access: Access, query: CostQuery, meter: Meter, max_pages: int) -> None:
        self._access = access
        self._query = query
        self._meter = meter
        self._max_pages = max_pages
        self._region = regions.cost_explorer(access.region)

    def all_pages(self) -> CostAnswer:
        merge = Merge(start=self._query.start, end=self._query.end, keys_per_group=len(self._query.group_by))
        request, seen = _request(self._query), set[str]()
        for number in range(1, self._max_pages + 1):
            page = self._page(request, number)
            token = page.get("NextPageToken")
            try:
                merge.add(page)
                if not token:
                    return merge.answer()
            except UnreadablePage as error:
                raise self._garbled(str(error), page) from error
            if token in seen:
                raise self._garbled("It repeats a page token, so it would never end.", page)
            seen.add(token)
            request["NextPageToken"] = token
        raise TooManyPages(f"Cost Explorer has more than {self._max_pages} pages for this question; none was kept.")

    def _page(self, request: GetCostAndUsageRequestTypeDef, number: int) -> GetCostAndUsageResponseTypeDef:
        observer = _PageObserver(self._meter, number, (self._access.key, self._region))
        try:
            return calls.call(
                self._access,
                "ce",
                OPERATION,
                self._region,
                lambda: client("ce", self._region).get_cost_and_usage(**request),
                observer=observer,
            )
        except AwsError as error:
            observer.close(error)
            raise

    def _garbled(self, why: str, page: GetCostAndUsageResponseTypeDef) -> AwsError:
        return translation.garbled("ce", OPERATION, why, page["ResponseMetadata"].get("RequestId", ""))


class _PageObserver:
    """Tells the meter about every attempt to get one page."""

    def __init__(self, meter: Meter, page: int, budget: tuple[str, str]) -> None:
        self._meter = meter
        self._page = page
        self._bucket = bucket_for(("ce", *budget), _RATE)
        self._started: float | None = None

    def before_attempt(self) -> None:
        self._bucket.wait()
        self._meter.before_request()
        self._started = time.monotonic()

    def after_attempt(self, attempt: Attempt) -> None:
        if attempt.failure is not None:
            error = translation.translate("ce", OPERATION, attempt.failure)
            self._record(error.cause, error.request_id, charged=isinstance(attempt.failure, _ANSWER_LOST))
        elif attempt.parsed is not None and "Error" in attempt.parsed:
            error = translation.from_answer("ce", OPERATION, attempt.parsed)
            self._record(error.cause, error.request_id)
        else:
            answer = attempt.parsed or {}
            outcome = "ok" if "ResultsByTime" in answer else AwsErrorKind.GARBLED.value
            self._record(outcome, answer.get("ResponseMetadata", {}).get("RequestId", ""), charged=True)

    def close(self, error: AwsError) -> None:
        """An attempt whose answer cannot be parsed is not reported by botocore; its failure is recorded here instead."""
        if self._started is not None:
            self._record(error.cause, error.request_id, charged=True)

    def _record(self, outcome: str, request_id: str, *, charged: bool = False) -> None:
        started, self._started = self._started, None
        elapsed = 0.0 if started is None else time.monotonic() - started
        self._meter.after_request(
            RequestRecord(
                operation=OPERATION,
                outcome=str(outcome),
                aws_request_id=request_id,
                duration_ms=round(elapsed * 1000),
                page=self._page,
                charged=charged,
            )
        )


def _request(query: CostQuery) -> GetCostAndUsageRequestTypeDef:
    request: GetCostAndUsageRequestTypeDef = {
        "TimePeriod": {"Start": query.start.isoformat(), "End": query.end.isoformat()},
        "Granularity": query.granularity,
        "Metrics": list(METRIC_NAMES),
    }
    if query.group_by:
        request["GroupBy"] = [{"Type": "DIMENSION", "Key": str(dimension)} for dimension in query.group_by]
    return request
