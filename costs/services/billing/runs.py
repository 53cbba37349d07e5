"""Reading and storing billing files. The row says what is to be done; a worker that dies leaves it for the next.

Reading sums the file's charges once and keeps the sums; storing them is `storing`'s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

import audit.services
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import (
    CostImport,
    ImportedPeriod,
    ImportRejection,
    ImportStatus,
    Part,
)
from costs.models import Engine as EngineName
from costs.rules import billing_tags, failures
from costs.rules.billing_sql import Query
from costs.rules.failures import Reaction
from costs.rules.sql_dialects import literal
from costs.services.billing import chunks, content, contents, divisions, engine, exports, imports, leases, storing
from costs.services.billing.content import Shape, UnreadableFile
from costs.services.billing.engine import CHARGES, Engine
from costs.services.billing.leases import Lease, LeaseLost

log = structlog.get_logger(__name__)

_GIB = 1 << 30
MAX_ATTEMPTS = 5


class WorkerLost(CloudconsoleError):
    kind = Kind.UNAVAILABLE
    code = "worker_lost"
    title = "Workers ended several times while they read the file"


def run(*, import_id: int) -> None:
    """Do what the import waits for. Safe to call at any time."""
    lease = leases.claim(import_id)
    if lease is None:
        return
    row = CostImport.objects.select_related("bucket__account", "requested_by").get(pk=import_id)
    step = storing.store if row.status == ImportStatus.ACCEPTED else _read
    try:
        _step(row, lease, step)
    except LeaseLost:
        log.info("lease_lost", cost_import=import_id)


def _step(row: CostImport, lease: Lease, step: Callable[[CostImport, Lease, Path], None]) -> None:
    if row.attempts > MAX_ATTEMPTS:
        _fail(row, lease, WorkerLost("Workers ended several times while they read the file. See the worker's log."))
        return
    try:
        with tempfile.TemporaryDirectory(prefix="billing-") as folder:
            step(row, lease, Path(folder))
    except AwsError as error:
        if failures.VERDICTS[error.cause].reaction is Reaction.WAIT and row.attempts < MAX_ATTEMPTS:
            _rest(row, lease, error)
        else:
            _fail(row, lease, error)
    except CloudconsoleError as error:
        _fail(row, lease, error)


def _rest(row: CostImport, lease: Lease, error: AwsError) -> None:
    lease.give_back(
        attempts=row.attempts + 1,
        not_before=clock.now() + failures.pause(row.attempts + 1),
        error_code=error.code,
        error_detail=error.detail,
        error_remedy=error.remedy,
    )


def _fail(row: CostImport, lease: Lease, error: CloudconsoleError) -> None:
    """What was stored before stays as it was."""
    with transaction.atomic():
        stored = row.periods.owning().exists()
        lease.give_back(
            status=ImportStatus.COMMITTED if stored else ImportStatus.FAILED,
            error_code=error.code,
            error_detail=error.detail,
            error_remedy=getattr(error, "remedy", ""),
            finished_at=clock.now(),
        )
        outcome = "failure"
        verb = verbs.IMPORT_COMMITTED if row.status == ImportStatus.ACCEPTED else verbs.IMPORT_READ
        audit.services.record(verb, actor=None, subject=row.name, outcome=outcome, detail={"import": row.pk, "code": error.code})


# --- reading


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an export was read. `tells_lines`: False where Athena was asked. `tag_keys`: those that its lines carry."""

    query: Query
    tag_keys: Sequence[str]
    tells_lines: bool = True
    lines_can_break: bool = False
    scanned: int | None = None


def _read(row: CostImport, lease: Lease, folder: Path) -> None:
    if row.bucket is not None and row.bucket.engine_in_use == EngineName.ATHENA:
        with engine.opened(folder, [], lease.renew) as duck:
            query, scanned = exports.ask_athena(row, duck, lease, storing.wanted_tags())
            _keep(row, lease, duck, _Reading(query, _tags_in(duck, query), tells_lines=False, scanned=scanned))
        return
    found = content.unpacked(_fetched(row, folder, lease), folder, most=settings.COST_IMPORT_MAX_GB * _GIB)
    with engine.opened(folder, found.paths, lease.renew) as duck:
        query = engine.query_of(duck, found, storing.wanted_tags())
        duck.hold(query.aggregate())
        _keep(row, lease, duck, _Reading(query, _tags_in(duck, query), lines_can_break=found.shape is Shape.CSV))


def _tags_in(duck: Engine, query: Query) -> list[str]:
    """The keys that any line carries, but for those that can be none: with signs that no database keeps."""
    columns = (billing_tags.key_in_column(name) for name in query.header.columns.values())
    names = (billing_tags.key_told(name) for name in contents.tag_names(duck))
    return sorted({key for key in (*names, *columns) if key and key.isprintable()})


def _fetched(row: CostImport, folder: Path, lease: Lease) -> list[Path]:
    if row.bucket is not None:
        return exports.fetched(row, folder, lease)
    return [chunks.written(of=row, part=Part.FILE, to=folder / "sent")]


def _keep(row: CostImport, lease: Lease, duck: Engine, reading: _Reading) -> None:
    """Keep the summed charges, the periods and the faulty lines; then the file waits for a decision, or goes on by itself.

    What is stored already keeps its periods, and is stored again.
    """
    told, structural = contents.summary(duck), engine.count_rejected(duck) if reading.lines_can_break else 0
    faulty, faults, periods = told.faulty + structural, _faults(duck, reading), divisions.periods(row, duck)
    if not periods and faulty == 0:
        raise UnreadableFile("There are columns, but no lines.")
    duck.run(f"COPY {CHARGES} TO {literal(str(duck.written))} (FORMAT parquet, COMPRESSION zstd)")
    with transaction.atomic():
        lease.renew()
        is_stored = row.periods.owning().exists()
        _replace_parts(row, duck, faults)
        if not is_stored:
            row.periods.all().delete()
            ImportedPeriod.objects.bulk_create(periods)
        lease.give_back(
            status=ImportStatus.ACCEPTED if is_stored else ImportStatus.READY,
            format=reading.query.header.format.value,
            tag_keys=list(reading.tag_keys),
            lines=told.lines + structural,
            faulty=faulty,
            rounded=told.rounded,
            scanned=reading.scanned,
            progress=100,
            attempts=0,
            **imports.NO_ERROR,
        )
        detail = {"import": row.pk, "lines": told.lines, "faulty": faulty}
        audit.services.record(verbs.IMPORT_READ, actor=None, subject=row.name, detail=detail)
        if is_stored:
            jobs.enqueue(imports.RUN, import_id=row.pk)
    if faulty == 0 and not is_stored:
        imports.accept_by_itself(row)


def _replace_parts(row: CostImport, duck: Engine, faults: list[dict[str, object]]) -> None:
    chunks.remove(of=row, part=Part.CHARGES)
    with duck.written.open("rb") as file:
        chunks.store(of=row, part=Part.CHARGES, pieces=chunks.pieces_of(file))
    row.rejections.all().delete()
    ImportRejection.objects.bulk_create((ImportRejection(cost_import=row, **fault) for fault in faults), batch_size=500)


def _faults(duck: Engine, reading: _Reading) -> list[dict[str, object]]:
    if not reading.tells_lines:
        return []
    rejected = engine.rejected(duck) if reading.lines_can_break else []
    found = duck.run(f"{reading.query.faults()} LIMIT {engine.TOLD_FAULTS}") if contents.summary(duck).faulty else []
    wrong = [(int(line), str(name), str(value or ""), str(reason)) for line, name, reason, value in found]
    # DuckDB numbers the lines that it could read; those before them that it could not count as well.
    unread = sorted(line for line, *_ in rejected)
    counted = [(_line(line, unread), name, value, reason) for line, name, value, reason in wrong]
    told = sorted([*rejected, *counted])[: engine.TOLD_FAULTS]
    return [{"line": line, "column": name[:256], "value": _shown(value), "reason": reason} for line, name, value, reason in told]


def _line(number: int, unread: list[int]) -> int:
    for line in unread:
        if line > number:
            break
        number += 1
    return number


def _shown(value: str) -> str:
    """Short, and without what a database or a terminal stumbles over."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in value[:200])
    return plain if len(value) <= 120 else f"{plain[:119]}…"
