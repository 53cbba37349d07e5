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
        _insert_many(rows)


def _insert_many(rows: Iterable[FactRow]) -> None:
    """One statement for all of them, without an object for each. Amounts are text, as AmountField has them there."""
    columns = ", ".join(connection.ops.quote_name(column) for column in COLUMNS)
    marks = ", ".join(["%s"] * len(COLUMNS))
    table = connection.ops.quote_name(CostFact._meta.db_table)
    plain = [_plain(fact) for fact in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", plain)  # noqa: S608 - names of our own


def _plain(fact: FactRow) -> tuple[int | str, ...]:
    place = (fact.source_id, fact.cube, fact.day.isoformat(), fact.first_id, fact.second_id, fact.currency)
    amounts = (fact.unblended, fact.blended, fact.amortized, fact.net_unblended, fact.net_amortized)
    return (*place, *map(str, amounts))


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
