"""The lines of stored billing files on their way out as FOCUS, with every column that they have.

What the database keeps of a file are sums; its lines are read from the file itself, which is kept here as long as it is not
discarded. Files of a bucket lie there: AWS is not asked while somebody waits for an answer, so their months are told as stored.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef

from cloudconsole.core import clock
from costs.models import METRICS, CostImport, CostMonthSlice, ImportChunk, ImportedPeriod
from costs.models import Part as FilePart
from costs.rules import billing_lines, charge_types, focus, settle, windows
from costs.rules.billing_charges import NO_REGION
from costs.rules.billing_sql import Query
from costs.rules.cubes import Cube
from costs.rules.focus import Charge
from costs.rules.windows import first_of_month
from costs.selectors import exports, plans
from costs.selectors.costs import Reader
from costs.selectors.plans import Values
from costs.selectors.questions import NotStored, Question
from costs.selectors.scope import Part
from costs.services.billing import chunks, content, engine
from costs.services.billing.engine import Engine

_GIB = 1 << 30
Row = list[str | Decimal]


@dataclass(frozen=True, slots=True)
class _Held:
    """One period of a kept file, and the accounts in it that count for the reader."""

    period: ImportedPeriod
    accounts: tuple[str, ...]


def rows(reader: Reader, question: Question) -> Iterator[Row]:
    """Every line of kept files, and what is stored of all other months, in the order of `focus.header()`.

    Filters that the stored groupings cannot answer need a kept file for every month of the question.
    Raises NotStored, UnknownAccount, UnknownValue, before the first row; UnreadableFile.
    """
    plans.check(question, Values.all())
    held = _held(reader.parts, question)
    told = frozenset((part.period.source_id or 0, part.period.month) for part in held)
    if _stored(reader.parts, question) <= told:
        return _lines(held, question)
    try:
        stored = exports.charges(reader, question, told)
    except NotStored as error:
        raise NotStored(
            f"{error.detail} Months whose billing file is kept here can be narrowed by all of these; the range has others.",
            attr=error.attr,
        ) from error
    return _both(stored, _lines(held, question))


def _both(stored: Iterator[Charge], lines: Iterator[Row]) -> Iterator[Row]:
    yield from (row for charge in stored for row in focus.rows(charge))
    yield from lines


def _months(question: Question) -> list[date]:
    return [first_of_month(month.start) for month in windows.chunks(question.days, 1)]


def _stored(parts: Sequence[Part], question: Question) -> frozenset[tuple[int, date]]:
    """The months of which anything is stored."""
    sources = [part.source.pk for part in parts]
    rows = CostMonthSlice.objects.filter(cube=Cube.TOTAL, source__in=sources, month__in=_months(question)).order_by()
    return frozenset(rows.values_list("source_id", "month"))


def _held(parts: Sequence[Part], question: Question) -> list[_Held]:
    kept = ImportChunk.objects.filter(cost_import=OuterRef("cost_import"), part=FilePart.FILE)
    found = ImportedPeriod.objects.owning().filter(
        Exists(kept), source__in={part.source.pk for part in parts}, month__in=_months(question)
    )
    periods = list(found.select_related("cost_import", "source__account").order_by("cost_import", "month", "number"))
    return [_Held(period, accounts) for period in periods if (accounts := _accounts(period, parts))]


def _accounts(period: ImportedPeriod, parts: Sequence[Part]) -> tuple[str, ...]:
    """Those of the period that count: all of a whole bill, or the linked accounts that the reader sees of it."""
    counted: set[str] = set()
    for part in parts:
        if part.source.pk == period.source_id:
            mine = set(period.accounts) if part.only is None else set(period.accounts) & part.only
            counted |= mine - part.without
    return tuple(sorted(counted))


def _lines(held: Sequence[_Held], question: Question) -> Iterator[Row]:
    of_file: defaultdict[CostImport, list[_Held]] = defaultdict(list)
    for one in held:
        of_file[one.period.cost_import].append(one)
    for row, periods in of_file.items():
        yield from _of_file(row, periods, question)


def _of_file(row: CostImport, periods: Sequence[_Held], question: Question) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="billing-") as name:
        folder = Path(name)
        sent = chunks.written(of=row, part=FilePart.FILE, to=folder / "sent")
        found = content.unpacked([sent], folder, most=settings.COST_IMPORT_MAX_GB * _GIB)
        with engine.opened(folder, found.paths, lambda progress: None) as duck:
            keys = sorted({key for key, _ in question.tags})
            query = engine.query_of(duck, found, {f"tag_{number}": key for number, key in enumerate(keys)})
            yield from _asked(duck, query, periods, question)


def _asked(duck: Engine, query: Query, periods: Sequence[_Held], question: Question) -> Iterator[Row]:
    condition, parameters = _condition(query, periods, question)
    sql = f"SELECT * FROM ({query.lines()}) lines WHERE {condition}"
    by_place = {(account, one.period.month): one.period for one in periods for account in one.accounts}
    for values in duck.rows(sql, parameters):
        told = dict(zip(query.line_names, values, strict=True))
        if question.charge_types and charge_types.classify(told["record_type"]) not in question.charge_types:
            continue
        yield _row(told, by_place[told["account"], told["month"]])


def _condition(query: Query, periods: Sequence[_Held], question: Question) -> tuple[str, list[object]]:
    conditions = ["day >= ?", "day < ?"]
    given: list[object] = [question.days.start, question.days.end]
    chosen = {
        "service": question.services,
        "region": question.regions,
        "record_type": question.record_types,
        "usage_type": question.usage_types,
        "currency": frozenset((question.currency,)) if question.currency else frozenset(),
    }
    for name, values in chosen.items():
        if values:
            conditions.append(f"list_contains(?, {name})")
            given.append(sorted(values))
    for column, key in query.tags.items():
        wanted = sorted(value for name, value in question.tags if name == key)
        conditions.append(f"list_contains(?, {column})" if column in query.told_tags else "FALSE")
        given += [wanted] if column in query.told_tags else []
    places = []
    for one in periods:
        places.append("(month = ? AND payer = ? AND list_contains(?, account))")
        given += [one.period.month, one.period.payer, list(one.accounts)]
    return " AND ".join((*conditions, f"({' OR '.join(places)})")), given


def _row(told: Mapping[str, Any], period: ImportedPeriod) -> Row:
    own = {name.removeprefix("told_"): value for name, value in told.items() if name.startswith("told_")}
    amounts = {name: focus.plain_number(own[name]) for name in billing_lines.AMOUNTS & own.keys() if own[name] is not None}
    return focus.line(_charge(told, period), own | amounts)


def _charge(told: Mapping[str, Any], period: ImportedPeriod) -> Charge:
    day: date = told["day"]
    return Charge(
        day=day,
        billing_account=told["payer"],
        billing_name="",
        account=told["account"],
        account_name=told["account_name"] or "",
        service=told["service"],
        record_type=told["record_type"],
        currency=told["currency"],
        estimated=period.month >= first_of_month(clock.today()),
        complete=settle.is_complete(day, period.decided_at or clock.now()),
        region="" if told["region"] == NO_REGION else told["region"],
        **{metric: told[metric] for metric in METRICS},
    )
