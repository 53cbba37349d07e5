"""Athena over the exports' bucket (Amazon Athena API reference): a query is run by DuckDB over the same files, in Athena's words.

A query is queued first and over at the next look. Each workgroup has its limit of scanned bytes; one that would scan more is
cancelled, as AWS does it (Athena user guide, "Data usage control limits").
"""

from __future__ import annotations

import csv
import io
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import MANAGEMENT
from cloudconsole.simulator.s3 import exports
from cloudconsole.simulator.wire import AwsError

DATABASE = "billing"
# Bytes that one query may scan. AWS takes 10 MB at least; the files of this story are smaller than those of the world.
WORKGROUPS: Mapping[str, int | None] = {"primary": None, "tiny-scans": 1_000}
_PAGE = 1_000
_CATALOG = "AwsDataCatalog"
# What Athena calls otherwise than DuckDB.
_FUNCTIONS = (
    "CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern)",
    "CREATE MACRO json_parse(text) AS CAST(text AS JSON)",
    "CREATE MACRO array_join(held, between) AS array_to_string(held, between)",
    "CREATE MACRO element_at(held, wanted) AS held[wanted]",
    "CREATE MACRO json_extract_scalar(text, path) AS TRY(json_extract_string(text, path))",
)

Files = Callable[[str], list[tuple[str, bytes]]]
Arguments = dict[str, Any]


@dataclass
class Query:
    """`rows`: the answer, the names of the columns first."""

    id: str
    sql: str
    workgroup: str
    looked_at: bool = False
    state: str = "SUCCEEDED"
    reason: str = ""
    scanned: int = 0
    rows: list[tuple[str | None, ...]] = field(default_factory=list)


class Athena:
    """`files` gives period and content of an export's data files."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        self._queries: dict[str, Query] = {}
        self._tokens: dict[str, str] = {}

    def answer(self, operation: str, identity: Identity, arguments: Arguments) -> dict[str, Any] | None:
        """None for an operation that is not simulated. Raises AwsError."""
        served = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._execution,
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
            "GetTableMetadata": self._table,
        }.get(operation)
        if served is None:
            return None
        if identity.account_id != MANAGEMENT:
            raise AwsError("MetadataException", f"Database {DATABASE} not found")
        with self._lock:
            return served(arguments)

    def _start(self, arguments: Arguments) -> dict[str, Any]:
        token, workgroup = str(arguments.get("ClientRequestToken", "")), str(arguments.get("WorkGroup", "primary"))
        if len(token) < 32:
            raise AwsError("InvalidRequestException", "clientRequestToken must be between 32 and 128 characters")
        if workgroup not in WORKGROUPS:
            raise AwsError("InvalidRequestException", f"WorkGroup {workgroup} is not found.")
        if token not in self._tokens:
            made = self._run(Query(str(uuid.uuid4()), str(arguments["QueryString"]), workgroup))
            self._queries[made.id], self._tokens[token] = made, made.id
        return {"QueryExecutionId": self._tokens[token]}

    def _run(self, query: Query) -> Query:
        limit = WORKGROUPS[query.workgroup]
        with tempfile.TemporaryDirectory(prefix="simulated-athena-") as folder, duckdb.connect(":memory:") as engine:
            query.scanned = self._prepare(engine, Path(folder), query.sql)
            if limit is not None and query.scanned > limit:
                query.state, query.reason = "CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded"
                return query
            try:
                found = engine.execute(query.sql)
                names = tuple(str(column[0]) for column in found.description or ())
                query.rows = [names, *(tuple(map(_text, row)) for row in found.fetchall())]
            except duckdb.Error as error:
                query.state, query.reason = "FAILED", str(error).splitlines()[0]
        return query

    def _prepare(self, engine: duckdb.DuckDBPyConnection, folder: Path, sql: str) -> int:
        """The tables as views over their files; how many bytes a query of `sql` scans: its partition's."""
        for function in _FUNCTIONS:
            engine.execute(function)
        engine.execute(f"CREATE SCHEMA {DATABASE}")
        scanned = 0
        for table in (exports.CUR, exports.FOCUS):
            views = []
            for number, (period, content) in enumerate(self._files(table)):
                path = folder / f"{table}-{number}.csv.gz"
                path.write_bytes(content)
                source = f"read_csv('{path}', all_varchar = true, header = true)"
                views.append(f"SELECT *, '{period}' AS billing_period FROM {source}")  # noqa: S608 - names of our own
                scanned += len(content) if f"'{period}'" in sql and f'"{table}"' in sql else 0
            engine.execute(f"CREATE VIEW {DATABASE}.{table} AS {' UNION ALL '.join(views)}")
        return scanned

    def _of(self, arguments: Arguments) -> Query:
        query = self._queries.get(str(arguments.get("QueryExecutionId", "")))
        if query is None:
            raise AwsError("InvalidRequestException", "QueryExecution was not found")
        return query

    def _execution(self, arguments: Arguments) -> dict[str, Any]:
        query = self._of(arguments)
        state, query.looked_at = (query.state if query.looked_at else "QUEUED"), True
        reason = {"StateChangeReason": query.reason} if query.reason and state == query.state else {}
        statistics = {"DataScannedInBytes": query.scanned, "EngineExecutionTimeInMillis": 812}
        told = {"QueryExecutionId": query.id, "Query": query.sql, "WorkGroup": query.workgroup, "Statistics": statistics}
        return {"QueryExecution": {**told, "Status": {"State": state, **reason}}}

    def _results(self, arguments: Arguments) -> dict[str, Any]:
        query, start = self._of(arguments), int(arguments.get("NextToken") or 0)
        if query.state != "SUCCEEDED" or not query.looked_at:
            message = f"Query has not yet finished. Current state: {query.state if query.looked_at else 'QUEUED'}"
            raise AwsError("InvalidRequestException", message)
        size = int(arguments.get("MaxResults", _PAGE))
        if not 1 <= size <= _PAGE:
            raise AwsError("InvalidRequestException", "MaxResults is more than maximum allowed length 1000.")
        page = query.rows[start : start + size]
        more = {"NextToken": str(start + size)} if start + size < len(query.rows) else {}
        rows = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in page]
        return {"ResultSet": {"Rows": rows}, "UpdateCount": 0, **more}

    def _stop(self, arguments: Arguments) -> dict[str, Any]:
        query = self._of(arguments)
        query.state, query.reason = "CANCELLED", "Query cancelled by user"
        return {}

    def _table(self, arguments: Arguments) -> dict[str, Any]:
        table = str(arguments.get("TableName", ""))
        if arguments.get("CatalogName") != _CATALOG or arguments.get("DatabaseName") != DATABASE:
            raise AwsError("MetadataException", "Database not found")
        files = self._files(table)
        if not files:
            raise AwsError("MetadataException", f"EntityNotFoundException: Entity {table} not found")
        columns = [{"Name": name.lower(), "Type": "string"} for name in _header(files[0][1])]
        partition = [{"Name": "billing_period", "Type": "string"}]
        return {"TableMetadata": {"Name": table, "TableType": "EXTERNAL_TABLE", "Columns": columns, "PartitionKeys": partition}}


def _header(content: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(exports.unpacked(content).decode())))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
