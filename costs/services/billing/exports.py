"""Exports in a bucket: their files brought here for DuckDB, or Athena asked, which sums them where they lie."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from django.conf import settings

from accounts.services import credentials
from cloudconsole.aws import athena, s3
from cloudconsole.aws.athena import Place, State
from cloudconsole.aws.credentials import Access
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs.models import BillingBucket, CostImport
from costs.rules import manifests
from costs.rules.billing_cells import MONEY
from costs.rules.billing_sql import METRICS, Query
from costs.rules.sql_dialects import ATHENA, literal
from costs.services.billing import engine
from costs.services.billing.content import FileTooLarge, UnreadableFile
from costs.services.billing.engine import Engine
from costs.services.billing.leases import Lease

_LARGEST_MANIFEST = 16 << 20
_GIB = 1 << 30
_FIRST_LOOK_S, _LOOK_EVERY_S = 0.25, 5.0
_LONGEST_S = 1_800.0
_RENEW_EVERY_S = 15


class QueryFailed(CloudconsoleError):
    """Athena did not answer the question; nothing was stored."""

    kind = Kind.UPSTREAM
    code = "athena_query_failed"
    title = "Athena could not answer"
    remedy = "See the query in Athena's history; a workgroup's limit of scanned bytes can be raised there."


def access_of(bucket: BillingBucket) -> Access:
    return credentials.access_for(bucket.account, None)


def fetched(row: CostImport, folder: Path, lease: Lease) -> list[Path]:
    """The files that the import's manifest names. Raises UnreadableFile, FileTooLarge, AwsError."""
    bucket = _bucket(row)
    access = access_of(bucket)
    text = s3.read(access, bucket.region, bucket.bucket, row.name, most=_LARGEST_MANIFEST)
    try:
        keys = manifests.read(text, bucket.bucket).keys
    except manifests.UnreadableManifest as error:
        raise UnreadableFile(str(error)) from error
    left = settings.COST_IMPORT_MAX_GB * _GIB
    paths = []
    for number, key in enumerate(keys):
        path = folder / f"part-{number}"
        left -= s3.download(access, bucket.region, bucket.bucket, key, path, alive=_renewing(lease, left))
        paths.append(path)
    return paths


def _renewing(lease: Lease, most: int) -> Callable[[int], None]:
    """Holds on to the lease while bytes come in, and refuses more of them than may be kept."""
    renewed = time.monotonic()

    def alive(size: int) -> None:
        nonlocal renewed
        if size > most:
            raise FileTooLarge(
                "The export is larger than may be kept here (COST_IMPORT_MAX_GB). Athena can read it where it lies."
            )
        if time.monotonic() - renewed >= _RENEW_EVERY_S:
            renewed = time.monotonic()
            lease.renew()

    return alive


def _bucket(row: CostImport) -> BillingBucket:
    if row.bucket is None:
        raise UnreadableFile("The bucket is not known any more.")
    return row.bucket


# --- Athena


def ask_athena(row: CostImport, duck: Engine, lease: Lease, tags: Mapping[str, str]) -> tuple[Query, int]:
    """Fill the table of charges with Athena's answer; the question, and how many bytes Athena scanned.

    Raises QueryFailed, UnreadableFile, AwsError, LeaseLost.
    """
    bucket = _bucket(row)
    if not (bucket.database and bucket.table):
        raise QueryFailed("The bucket names no database and table for Athena, which COST_ENGINE asks for.")
    access, place = access_of(bucket), Place(bucket.region, bucket.database, bucket.workgroup)
    query = athena_query(bucket, athena.columns(access, place, bucket.table), manifests.period_of(row.name) or "", tags)
    sql = query.aggregate()
    query_id = row.query_id or athena.start(access, place, sql, token=_token(row, sql))
    CostImport.objects.filter(pk=row.pk).update(query_id=query_id)
    scanned = _awaited(access, place, query_id, lease)
    _take(duck, query.output, athena.results(access, place, query_id), lease)
    CostImport.objects.filter(pk=row.pk).update(query_id="")
    return query, scanned


def athena_query(bucket: BillingBucket, columns: dict[str, str], period: str, tags: Mapping[str, str]) -> Query:
    """The questions to one period of the export's table, in Athena's words. Raises UnreadableFile."""
    header = engine.header_of([*columns])
    partition = next((name for name in columns if name.lower() == "billing_period"), None)
    if partition is None:
        raise UnreadableFile("The table has no partition billing_period, so every question would scan the whole export.")
    table = f"{ATHENA.quoted(bucket.database)}.{ATHENA.quoted(bucket.table)}"
    source = f"(SELECT * FROM {table} WHERE {ATHENA.quoted(partition)} = {literal(period)}) export"
    maps = frozenset(name for name, kind in columns.items() if kind.lower().startswith("map<"))
    return Query(ATHENA, header, source, maps, tags)


def _token(row: CostImport, sql: str) -> str:
    """The same for the same work, so that a worker that takes it up starts no second query."""
    return hashlib.sha256(
        f"cloudconsole import {row.pk} {row.digest} {row.created_at.isoformat()} {row.reading} {sql}".encode()
    ).hexdigest()


def _awaited(access: Access, place: Place, query_id: str, lease: Lease) -> int:
    began, pause = time.monotonic(), _FIRST_LOOK_S
    while True:
        found = athena.execution(access, place, query_id)
        if found.is_over:
            break
        if time.monotonic() - began > _LONGEST_S:
            athena.stop(access, place, query_id)
            raise QueryFailed("Athena did not answer within half an hour; the query was stopped.")
        lease.renew()
        time.sleep(pause)
        pause = min(2 * pause, _LOOK_EVERY_S)
    if found.state is not State.SUCCEEDED:
        raise QueryFailed(f"Athena: {found.reason or found.state.value.lower()}")
    return found.scanned


_TYPES = dict.fromkeys(METRICS, MONEY) | {
    "month": "DATE", "day": "DATE", "exact": "DECIMAL(38, 20)", "lines": "BIGINT",
}  # fmt: skip


def _take(duck: Engine, output: Sequence[str], rows: Iterator[tuple[str | None, ...]], lease: Lease) -> None:
    """The answer by way of a file, which takes no memory; its empty cells are Athena's nulls."""
    with duck.taken.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for number, row in enumerate(rows):
            writer.writerow(["" if cell is None else cell for cell in row])
            if number % 5_000 == 0:
                lease.renew()
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in output)
    cast = ", ".join(f"CAST(NULLIF({name}, '') AS {_TYPES.get(name, 'VARCHAR')}) AS {name}" for name in output)
    how = "header = false, auto_detect = false, quote = '\"', escape = '\"'"
    source = f"read_csv({literal(str(duck.taken))}, columns = {{{columns}}}, {how})"
    duck.hold(f"SELECT {cast} FROM {source}")
