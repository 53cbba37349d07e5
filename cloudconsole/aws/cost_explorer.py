"""What an account cost, from Cost Explorer (GetCostAndUsage). Every page of every request costs 0.01 USD.

botocore has no paginator for it. Rules of paging: the same parameters with every token, a cap on the pages, and one
fresh start when AWS refuses a token. Documentation: AWS Billing and Cost Management API reference, GetCostAndUsage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from cloudconsole.aws import metered
from cloudconsole.aws.cost_answers import METRIC_NAMES, Amounts, CostAnswer, DayCosts, Merge, UnreadablePage
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.metered import Meter, Operation, RequestRecord
from cloudconsole.core.errors import CloudconsoleError, Kind

if TYPE_CHECKING:
    from mypy_boto3_ce.type_defs import GetCostAndUsageRequestTypeDef, GroupDefinitionTypeDef

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
    "Tag",
    "TooManyPages",
    "get_cost_and_usage",
]

OPERATION = "GetCostAndUsage"
_ASKED = Operation(OPERATION, "get_cost_and_usage", "ResultsByTime")

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
    """What costs can be grouped by, besides tags."""

    SERVICE = "SERVICE"
    LINKED_ACCOUNT = "LINKED_ACCOUNT"
    REGION = "REGION"
    RECORD_TYPE = "RECORD_TYPE"
    USAGE_TYPE = "USAGE_TYPE"


@dataclass(frozen=True, slots=True)
class Tag:
    """A cost allocation tag. Its groups come as `key$value`; `key$` holds what is untagged or has an empty value."""

    key: str


Granularity = Literal["DAILY", "MONTHLY"]


@dataclass(frozen=True, slots=True)
class CostQuery:
    """Costs of the UTC days from `start` up to, without, `end`, grouped by at most two dimensions."""

    start: date
    end: date
    group_by: tuple[Dimension | Tag, ...] = ()
    granularity: Granularity = "DAILY"

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}: the end is exclusive.")
        if len(self.group_by) > _MAX_GROUP_BY or len(set(self.group_by)) != len(self.group_by):
            raise ValueError("Cost Explorer groups by at most two different dimensions.")


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

    def all_pages(self) -> CostAnswer:
        merge = Merge(start=self._query.start, end=self._query.end, keys_per_group=len(self._query.group_by))
        request, seen = _request(self._query), set[str]()
        for number in range(1, self._max_pages + 1):
            page = metered.ask(self._access, _ASKED, request, meter=self._meter, page=number)
            token = page.get("NextPageToken")
            try:
                merge.add(page)
                if not token:
                    return merge.answer()
            except UnreadablePage as error:
                raise metered.garbled(_ASKED, str(error), page) from error
            if token in seen:
                raise metered.garbled(_ASKED, "It repeats a page token, so it would never end.", page)
            seen.add(token)
            request["NextPageToken"] = token
        raise TooManyPages(f"Cost Explorer has more than {self._max_pages} pages for this question; none was kept.")


def _request(query: CostQuery) -> GetCostAndUsageRequestTypeDef:
    request: GetCostAndUsageRequestTypeDef = {
        "TimePeriod": {"Start": query.start.isoformat(), "End": query.end.isoformat()},
        "Granularity": query.granularity,
        "Metrics": list(METRIC_NAMES),
    }
    if query.group_by:
        request["GroupBy"] = [_group(one) for one in query.group_by]
    return request


def _group(by: Dimension | Tag) -> GroupDefinitionTypeDef:
    return {"Type": "TAG", "Key": by.key} if isinstance(by, Tag) else {"Type": "DIMENSION", "Key": str(by)}
