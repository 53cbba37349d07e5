"""The expenses that rows of a file may be, read a chunk at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import cast
from uuid import UUID

from django.db.models import Q

from expenses.models import Expense, ImportBatch, ImportRow, Outcome
from expenses.rules.entries import Entry
from expenses.rules.importing import payees
from expenses.rules.importing.verdicts import Known

_COLUMNS = ("pk", "date", "cost", "currency", "payee", "description", "payment_method__name", "source", "external_id")


def known(batch: ImportBatch, parsed: Collection[Entry]) -> list[Known]:
    """The expenses of the workspace with one of these ids at the batch's source, or of one of these amounts within three days."""
    if not parsed:
        return []
    found = {row[0]: row for wanted in _likely(parsed) for row in _rows(batch, wanted)}
    if ids := {one.external_id for one in parsed if one.external_id}:
        found |= {row[0]: row for row in _rows(batch, Q(source=batch.source, external_id__in=ids))}
    told = _told(found)
    return [_known(row, told) for row in found.values()]


def _likely(parsed: Collection[Entry]) -> Iterator[Q]:
    """Conditions that together hold for what has one of the amounts within three days, and for little else.

    A month of the rows at a time: rows in no order are about years, and all that was spent in those would be read with every
    chunk of a file.
    """
    months = groupby(sorted(parsed, key=lambda one: one.date), key=lambda one: (one.date.year, one.date.month))
    for _, rows in months:
        month = list(rows)
        yield Q(
            date__gte=month[0].date - payees.NEAR_DAYS,
            date__lte=month[-1].date + payees.NEAR_DAYS,
            cost__in={one.cost for one in month},
        )


def _rows(batch: ImportBatch, wanted: Q) -> Iterable[tuple[object, ...]]:
    return Expense.objects.kept().filter(wanted, workspace=batch.workspace_id).order_by().values_list(*_COLUMNS)


def _known(row: tuple[object, ...], told: dict[UUID, dict[str, str]]) -> Known:
    pk, day, cost, currency, payee, description, method, source, external_id = row
    return Known(pk, day, cost, currency, payee, description, method or "", source, external_id, told.get(pk))  # type: ignore[arg-type, call-overload]


def _told(found: dict[object, tuple[object, ...]]) -> dict[UUID, dict[str, str]]:
    """What the source said last of those that have an id there."""
    with_id = [cast(UUID, pk) for pk, row in found.items() if row[-1]]
    if not with_id:
        return {}
    said = ImportRow.objects.filter(expense__in=with_id, outcome__in=[Outcome.CREATED, Outcome.UPDATED]).order_by("pk")
    return dict(said.values_list("expense", "parsed"))
