"""Many facts into the database at once: COPY on PostgreSQL, batched inserts elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, models

from cloudconsole.aws.cost_explorer import Amounts
from costs.models import METRICS, CostFact

COLUMNS = ("source_id", "cube", "day", "first_id", "second_id", "currency", *METRICS)
_BATCH = 500


class Place(NamedTuple):
    """The slice that a fact belongs to."""

    source_id: int
    cube: int
    day: date


class FactRow(NamedTuple):
    """One fact in the order of COLUMNS."""

    source_id: int
    cube: int
    day: date
    first_id: int
    second_id: int
    currency: str
    unblended: Decimal
    blended: Decimal
    amortized: Decimal
    net_unblended: Decimal
    net_amortized: Decimal

    @classmethod
    def of(cls, place: Place, keys: tuple[int, int], currency: str, amounts: Amounts) -> FactRow:
        values = (amounts.unblended, amounts.blended, amounts.amortized, amounts.net_unblended, amounts.net_amortized)
        return cls(*place, *keys, currency, *values)


def insert(rows: Sequence[FactRow]) -> None:
    """Insert facts in the current transaction. Raises IntegrityError where one is already there."""
    if connection.vendor == "postgresql":
        _copy(rows)
    else:
        CostFact.objects.bulk_create((CostFact(**fact._asdict()) for fact in rows), batch_size=_BATCH)


def _copy(rows: Iterable[FactRow]) -> None:
    table = connection.ops.quote_name(CostFact._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(column) for column in COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for fact in rows:
            copy.write_row(fact)


def insert_from(target: type[models.Model], columns: Sequence[str], query: models.QuerySet[Any, Any]) -> None:
    """INSERT ... SELECT: the rows of `query`, whose values are `columns` in this order, into `target`'s table."""
    sql, parameters = query.query.sql_with_params()
    table = connection.ops.quote_name(target._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {sql}", parameters)
