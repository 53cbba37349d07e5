"""What the summed charges of an export say: its periods, and a month as the answers that facts are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, DayCosts
from cloudconsole.core.money import ZERO
from costs.rules import cubes
from costs.rules.billing_sql import METRICS, TAG_NAMES
from costs.rules.billing_tag_sql import BETWEEN_NAMES
from costs.rules.cubes import CUBES, Cube, Dimension
from costs.rules.sql_dialects import literal
from costs.rules.tags import UNTAGGED
from costs.rules.windows import first_of_month
from costs.services.billing.engine import ANSWER, CHARGES, Engine

_DAY = timedelta(days=1)
_MOST_TAGS = 1_000
_COLUMNS: dict[Dimension, str] = {
    Dimension.SERVICE: "service",
    Dimension.ACCOUNT: "account",
    Dimension.REGION: "region",
    Dimension.RECORD_TYPE: "record_type",
    Dimension.USAGE_TYPE: "usage_type",
}
_SUMS = ", ".join(f"SUM({metric})" for metric in METRICS)


def tag_column(cube: Cube) -> str:
    """Where the charges keep the values of the tag that the cube is of."""
    return column_of(cubes.tag_number(cube) or 0)


def column_of(number: int) -> str:
    """Of the installation's `number`-th tag key."""
    return f"tag_{number}"


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the whole export. `rounded`: what rounding each line to twelve places changed."""

    lines: int
    faulty: int
    rounded: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """One account's charges of one month. `home`: the account whose figures they become."""

    home: str
    payer: str
    month: date
    currency: str
    accounts: tuple[str, ...]
    lines: int
    amounts: Amounts


def summary(engine: Engine) -> Summary:
    lines, faulty, rounded = engine.run(
        f"SELECT COALESCE(SUM(lines), 0), COALESCE(SUM(lines) FILTER (fault IS NOT NULL), 0), "
        f"COALESCE(SUM(unblended) - SUM(exact), 0) FROM {CHARGES}"
    )[0]
    return Summary(int(lines), int(faulty), Decimal(rounded))


def accounts(engine: Engine) -> frozenset[str]:
    return frozenset(number for (number,) in engine.run(f"SELECT DISTINCT account FROM {CHARGES} WHERE fault IS NULL"))


def bills(engine: Engine, apart: Collection[str]) -> Iterator[Bill]:
    """By home, payer, month and currency; the accounts in `apart` have a bill of their own."""
    rows = engine.run(
        f"SELECT CASE WHEN list_contains(?, account) THEN account ELSE payer END AS home, payer, month, currency, "
        f"list_sort(list(DISTINCT account)), SUM(lines), {_SUMS} FROM {CHARGES} WHERE fault IS NULL "
        "GROUP BY home, payer, month, currency ORDER BY month, home, payer, currency",
        [sorted(apart)],
    )
    for home, payer, month, currency, numbers, lines, *sums in rows:
        yield Bill(home, payer, month, currency, tuple(numbers), int(lines), _amounts(sums))


def tag_names(engine: Engine) -> list[str]:
    """The names of all tags, as the file writes them. AWS has 500 keys on a bill at most, so what is far beyond is left out."""
    names = f"SELECT DISTINCT UNNEST(string_split({TAG_NAMES}, {literal(BETWEEN_NAMES)})) AS name FROM {ANSWER}"
    return [str(name) for (name,) in engine.run(f"{names} WHERE {TAG_NAMES} IS NOT NULL ORDER BY name LIMIT {_MOST_TAGS}")]


def told_tags(engine: Engine, wanted: Mapping[str, str]) -> list[str]:
    """The keys that the charges tell, of those `wanted` by column. One that no line carries may not be on the bill at all."""
    columns = [str(name) for name, *_ in engine.run(f"DESCRIBE {CHARGES}") if name in wanted]
    told = ", ".join(f"COUNT(*) FILTER ({column} <> {literal(UNTAGGED)})" for column in columns)
    counts = engine.run(f"SELECT {told} FROM {CHARGES}")[0] if columns else ()
    return [wanted[column] for column, count in zip(columns, counts, strict=True) if count]


def answers(engine: Engine, bill: Bill, today: date, tags: Collection[Cube] = ()) -> dict[Cube, CostAnswer]:
    """The bill in every cube and those of `tags`, the control totals first. A day on which nothing was charged cost nothing."""
    days = tuple(_days(engine, bill, today))
    is_open = bill.month >= first_of_month(today)
    bare = CostAnswer(days=(), currency=bill.currency, pages=1, request_ids=(), labels=_labels(engine, bill), payload_hash="")
    found = {cube: _groups(engine, bill, cube) for cube in (*CUBES, *tags)}
    return {
        cube: replace(bare, days=tuple(_day(day, groups[day], cube, is_open=is_open) for day in days))
        for cube, groups in found.items()
    }


def _day(day: date, groups: dict[tuple[str, ...], Amounts], cube: Cube, *, is_open: bool) -> DayCosts:
    if cube.shape:
        return DayCosts(day, is_open, None, groups)
    return DayCosts(day, is_open, groups.get((), _NOTHING), {})


_NOTHING = Amounts(ZERO, ZERO, ZERO, ZERO, ZERO)


def _groups(engine: Engine, bill: Bill, cube: Cube) -> defaultdict[date, dict[tuple[str, ...], Amounts]]:
    columns = [_COLUMNS.get(dimension) or tag_column(cube) for dimension in cube.shape]
    keys = ", ".join(["day", *columns])
    # What a line says under a tag may not be readable: it is told in the total only.
    told = " AND ".join((_OF_BILL, *(f"{column} IS NOT NULL" for column in columns)))
    rows = engine.run(f"SELECT {keys}, {_SUMS} FROM {CHARGES} WHERE {told} GROUP BY {keys}", _parameters(bill))
    groups: defaultdict[date, dict[tuple[str, ...], Amounts]] = defaultdict(dict)
    for day, *values in rows:
        groups[day][tuple(values[: len(columns)])] = _amounts(values[len(columns) :])
    return groups


_OF_BILL = "fault IS NULL AND month = ? AND payer = ? AND currency = ? AND list_contains(?, account)"


def _parameters(bill: Bill) -> list[object]:
    return [bill.month, bill.payer, bill.currency, list(bill.accounts)]


def _labels(engine: Engine, bill: Bill) -> dict[str, str]:
    rows = engine.run(
        f"SELECT account, MAX(account_name) FROM {CHARGES} WHERE {_OF_BILL} AND account_name IS NOT NULL GROUP BY account",
        _parameters(bill),
    )
    return dict(rows)


def _days(engine: Engine, bill: Bill, today: date) -> list[date]:
    """The month's days until the last that the file names for anybody: what comes after it may not have been written yet.

    Of a month that goes on, until the last of this bill.
    """
    asked = (
        (_OF_BILL, _parameters(bill)) if bill.month >= first_of_month(today) else ("fault IS NULL AND month = ?", [bill.month])
    )
    last = engine.run(f"SELECT MAX(day) FROM {CHARGES} WHERE {asked[0]}", asked[1])[0][0]
    end = min(first_of_month(bill.month, months=1), last + _DAY)
    return [bill.month + _DAY * number for number in range((end - bill.month).days)]


def _amounts(sums: Collection[Any]) -> Amounts:
    return Amounts(*(ZERO if value is None else Decimal(value) for value in sums))
