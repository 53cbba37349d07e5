"""Questions to Athena over what lies in S3 (Amazon Athena API reference).

AWS charges for the bytes a query scans. The workgroup bounds them for each query; one that would scan more is cancelled by AWS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloudconsole.aws import calls, translation
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

_PAGE = 1_000  # what GetQueryResults gives at most
PRIMARY = "primary"


class State(StrEnum):
    """As Athena names them."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Execution:
    """How far a query is. `reason` is Athena's own, where it failed or was cancelled; `scanned` in bytes so far."""

    state: State
    reason: str
    scanned: int

    @property
    def is_over(self) -> bool:
        return self.state not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a query runs. The workgroup decides where results are written and how many bytes may be scanned."""

    region: str
    database: str
    workgroup: str


def start(access: Access, place: Place, sql: str, *, token: str) -> str:
    """The id of the query. The same `token` (32 characters or more) starts it once, however often it is sent. Raises AwsError."""

    def request() -> str:
        answer = client("athena", place.region).start_query_execution(
            QueryString=sql,
            ClientRequestToken=token,
            QueryExecutionContext={"Database": place.database},
            WorkGroup=place.workgroup or PRIMARY,
        )
        return str(answer["QueryExecutionId"])

    return calls.call(access, "athena", "StartQueryExecution", place.region, request)


def execution(access: Access, place: Place, query_id: str) -> Execution:
    """Raises AwsError."""

    def request() -> dict[str, Any]:
        told: dict[str, Any] = client("athena", place.region).get_query_execution(QueryExecutionId=query_id)
        return told

    told = calls.call(access, "athena", "GetQueryExecution", place.region, request)
    try:
        status = told["QueryExecution"]["Status"]
        scanned = told["QueryExecution"].get("Statistics", {}).get("DataScannedInBytes", 0)
        return Execution(State(status["State"]), status.get("StateChangeReason", ""), int(scanned))
    except (KeyError, ValueError) as error:
        raise translation.garbled("athena", "GetQueryExecution", "It tells no state of the query.") from error


def results(access: Access, place: Place, query_id: str) -> Iterator[tuple[str | None, ...]]:
    """The rows as text, page by page, without the line of column names that Athena puts first. Raises AwsError."""
    token: str | None = None
    is_first = True
    while True:
        page = _page(access, place, query_id, token)
        rows = page["ResultSet"]["Rows"]
        for row in rows[1:] if is_first else rows:
            yield tuple(cell.get("VarCharValue") for cell in row["Data"])
        token, is_first = page.get("NextToken"), False
        if not token:
            return


def columns(access: Access, place: Place, table: str) -> dict[str, str]:
    """Name and type of the table's columns, partitions included, as the data catalogue knows them. Raises AwsError."""

    def request() -> dict[str, Any]:
        told: dict[str, Any] = client("athena", place.region).get_table_metadata(
            CatalogName="AwsDataCatalog", DatabaseName=place.database, TableName=table, WorkGroup=place.workgroup or PRIMARY
        )
        return told

    told = calls.call(access, "athena", "GetTableMetadata", place.region, request)["TableMetadata"]
    return {one["Name"]: one.get("Type", "") for one in (*told.get("Columns", ()), *told.get("PartitionKeys", ()))}


def stop(access: Access, place: Place, query_id: str) -> None:
    """Raises AwsError."""

    def request() -> None:
        client("athena", place.region).stop_query_execution(QueryExecutionId=query_id)

    calls.call(access, "athena", "StopQueryExecution", place.region, request)


def _page(access: Access, place: Place, query_id: str, token: str | None) -> dict[str, Any]:
    more = {"NextToken": token} if token else {}

    def request() -> dict[str, Any]:
        told: dict[str, Any] = client("athena", place.region).get_query_results(
            QueryExecutionId=query_id, MaxResults=_PAGE, **more
        )
        return told

    return calls.call(access, "athena", "GetQueryResults", place.region, request)
