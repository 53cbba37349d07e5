"""Storing billing files: facts are made of the kept sums, all periods in one transaction.

What the database then holds is compared with what the file said: to the last digit, or nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog
from django.db import transaction

import audit.services
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import (
    METRICS,
    CostImport,
    CostSlice,
    CostSource,
    ImportedPeriod,
    ImportStatus,
    Owner,
    Part,
    SourceStatus,
)
from costs.rules.cubes import Cube
from costs.rules.sql_dialects import literal
from costs.rules.windows import DayRange, first_of_month
from costs.selectors.costs import add
from costs.services import budget_evaluations, facts, shelf, sources, tags
from costs.services.billing import chunks, contents, divisions, engine, homes, imports
from costs.services.billing.contents import Bill
from costs.services.billing.engine import CHARGES, Engine
from costs.services.billing.leases import Lease

log = structlog.get_logger(__name__)


class TotalsDiffer(CloudconsoleError):
    """What the database holds is not what the file said. Nothing was stored."""

    kind = Kind.CONFLICT
    code = "totals_differ"
    title = "The totals differ"


def wanted_tags() -> dict[str, str]:
    """The keys that files are read by, by the columns that their values become."""
    return {contents.column_of(number): key for number, key in tags.of_files().items()}


def store(row: CostImport, lease: Lease, folder: Path) -> None:
    kept = chunks.written(of=row, part=Part.CHARGES, to=folder / "kept.parquet")
    with engine.opened(folder, [kept], lease.renew) as duck:
        duck.run(f"CREATE TABLE {CHARGES} AS SELECT * FROM read_parquet({literal(str(kept))})")
        bills = {(bill.home, bill.month): bill for bill in divisions.bills(duck)}
        if row.periods.owning().exists():
            _commit(row, lease, duck, _divided_again(row, bills))
            return
        periods = list(row.periods.filter(owner=Owner.UNDECIDED))
        if any((period.number, period.month) not in bills or not _same(period, bills) for period in periods):
            _look_again(row, lease, duck)
            return
        _commit(row, lease, duck, _Division([bills[period.number, period.month] for period in periods]))


def _same(period: ImportedPeriod, bills: dict[tuple[str, date], Bill]) -> bool:
    return tuple(period.accounts) == bills[period.number, period.month].accounts


def _look_again(row: CostImport, lease: Lease, duck: Engine) -> None:
    """Accounts were connected or disconnected since: what would be stored where has changed."""
    with transaction.atomic():
        lease.renew()
        row.periods.filter(owner=Owner.UNDECIDED).delete()
        kept = {(period.number, period.month) for period in row.periods.all()}
        ImportedPeriod.objects.bulk_create(one for one in divisions.periods(row, duck) if (one.number, one.month) not in kept)
        lease.give_back(
            status=ImportStatus.READY,
            error_code="accounts_changed",
            error_detail="Accounts were connected or disconnected meanwhile, so the bill is divided in another way.",
            error_remedy="Look at the periods and store it again.",
        )
    imports.accept_by_itself(row)


@dataclass(frozen=True, slots=True)
class _Division:
    """The bills to be stored; the periods whose figures are other bills' by now, and those that Cost Explorer tells."""

    stored: Sequence[Bill]
    given_back: Sequence[ImportedPeriod] = ()
    left: Sequence[Bill] = ()


def _divided_again(row: CostImport, bills: dict[tuple[str, date], Bill]) -> _Division:
    """A file that is stored, as its bill is divided now. People's decisions about its periods hold.

    An account that came since goes on telling its own months, but for those that only the file knows.
    """
    known = {(period.number, period.month): period for period in row.periods.all()}
    gone = [period for key, period in known.items() if key not in bills]
    stored: list[Bill] = []
    left: list[Bill] = []
    for key, bill in bills.items():
        owner = known[key].owner if key in known else Owner.COST_EXPLORER if _tells(bill) else Owner.FILE
        (stored if owner in {Owner.FILE, Owner.UNDECIDED} else left).append(bill)
    return _Division(stored, gone, left)


def _tells(bill: Bill) -> bool:
    """Whether the account's own Cost Explorer told anything of the month."""
    source, end = homes.source_of(bill.home), first_of_month(bill.month, months=1)
    return source is not None and facts.is_controlled(source=source, days=DayRange(bill.month, end))


def _commit(row: CostImport, lease: Lease, duck: Engine, division: _Division) -> None:
    now, today = clock.now(), clock.today()
    keys = contents.told_tags(duck, wanted_tags())
    of_tags = [cube for key in keys for cube in _cubes_of(key)]
    told = [(bill, contents.answers(duck, bill, today, of_tags)) for bill in division.stored]
    ids = [{cube: facts.prepare(cube=cube, answer=one) for cube, one in answers.items()} for _, answers in told]
    with transaction.atomic():
        lease.renew()
        sources.lock({*(bill.home for bill in division.stored), *(period.number for period in division.given_back)})
        for period in division.given_back:
            imports.give_back(period, Owner.NOBODY)
        for bill in division.left:
            _period_of(row, bill, Owner.COST_EXPLORER)
        stored = 0
        for (bill, answers), known in zip(told, ids, strict=True):
            source = homes.source_for(number=bill.home, accounts=bill.accounts, by=row.requested_by)
            _take_over(_period_of(row, bill, Owner.UNDECIDED), source)
            stored += facts.replace_month(source=source, month=bill.month, answers=answers, ids=known, fetched_at=now)
            _check(source, bill)
            _freshen(source, bill)
            _tell_tags(source, row, keys)
        lease.give_back(status=ImportStatus.COMMITTED, facts=stored, finished_at=now, progress=100, attempts=0)
        budget_evaluations.look_again()
        detail = {"import": row.pk, "periods": len(told), "facts": stored}
        audit.services.record(verbs.IMPORT_COMMITTED, actor=None, subject=row.name, detail=detail)
    # By itself, because it locks all sources, and the facts of a file take their time.
    sources.settle_coverage()


def _cubes_of(key: str) -> tuple[Cube, Cube]:
    found = tags.key_called(key).cubes
    return found.by_service, found.by_account


def _tell_tags(source: CostSource, row: CostImport, keys: Sequence[str]) -> None:
    tags.found_in_file(source=source, keys=row.tag_keys)
    for key in keys:
        tags.stored_from_elsewhere(source=source, key=key)


def _period_of(row: CostImport, bill: Bill, owner: Owner) -> ImportedPeriod:
    """The bill's, with what it says now; a new one is told by `owner`."""
    told, source = divisions.told_of(bill), homes.source_of(bill.home)
    new = {**told, "owner": owner, "source": source, "decided_at": clock.now()}
    return row.periods.update_or_create(number=bill.home, month=bill.month, defaults=told, create_defaults=new)[0]


def _take_over(period: ImportedPeriod, source: CostSource) -> None:
    """From now on the file tells the month: what Cost Explorer told is put aside, an older file's figures are replaced."""
    if period.month in shelf.months_of_files(source=source):
        older = ImportedPeriod.objects.owning().filter(source=source, month=period.month)
        older.update(owner=Owner.NEWER_FILE, decided_at=clock.now())
    else:
        shelf.shelve(source=source, month=period.month)
    ImportedPeriod.objects.filter(pk=period.pk).update(owner=Owner.FILE, source=source, decided_at=clock.now())


def _check(source: CostSource, bill: Bill) -> None:
    """Raises TotalsDiffer."""
    end = first_of_month(bill.month, months=1)
    slices = list(CostSlice.objects.filter(source=source, cube=Cube.TOTAL, day__gte=bill.month, day__lt=end))
    for metric in METRICS:
        held, said = add(getattr(one, metric) for one in slices), getattr(bill.amounts, metric)
        if held != said or any(one.currency != bill.currency for one in slices):
            raise TotalsDiffer(
                f"The file says {said} {bill.currency} ({metric}) for {bill.home} in {bill.month:%Y-%m}; stored would be {held}."
            )


def _freshen(source: CostSource, bill: Bill) -> None:
    """A source that only files tell is as fresh as its newest file."""
    if not source.is_imported:
        return
    first = min(filter(None, (source.backfilled_from, bill.month)))
    CostSource.objects.filter(pk=source.pk).update(status=SourceStatus.OK, fresh_at=clock.now(), backfilled_from=first)
