"""How the cells of a billing file are read, in SQL: as text without blanks, as amounts, as days.

A cell is named by its column in lower case; its amount has `_money` behind that name, its day `_day`. What a file has no column
for is NULL, so rules need not ask which columns there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from costs.rules import billing_columns
from costs.rules.billing_formats import Header
from costs.rules.sql_dialects import Dialect, is_nothing, literal

MONEY = "DECIMAL(38, 12)"
FINE = "DECIMAL(38, 20)"  # to tell how much the rounding to twelve places takes away
NOTHING = "CAST(NULL AS VARCHAR)"
ZERO = f"CAST(0 AS {MONEY})"


@dataclass(frozen=True, slots=True)
class Cells:
    """`maps`: columns that are maps, as Parquet has them."""

    dialect: Dialect
    header: Header
    maps: frozenset[str]

    def has(self, name: str) -> bool:
        return self.header.name_of(name) is not None or self._within(name) is not None

    def _within(self, name: str) -> tuple[str, str] | None:
        """The column that holds `name` under a key: CUR 2.0 has what few products tell in maps."""
        holder, inside = billing_columns.IN_MAPS.get(name, ("", ""))
        column = self.header.name_of(holder) if holder else None
        return None if column is None else (column, inside)

    def raw(self, name: str) -> str:
        """The cell as the file has it, as text."""
        own = self.header.name_of(name)
        if own is not None:
            return f"CAST({self.dialect.quoted(own)} AS VARCHAR)"
        column, inside = self._within(name) or (name, "")
        told = self.dialect.of_map if column in self.maps else self.dialect.of_json
        return told.format(self.dialect.quoted(column), literal(inside))

    def text(self, name: str) -> str:
        return alias(name) if self.has(name) else NOTHING

    def first(self, *names: str) -> str:
        found = [alias(name) for name in names if self.has(name)]
        return f"COALESCE({', '.join([*found, NOTHING])})" if found else NOTHING

    def money(self, name: str) -> str:
        """Exact, rounded to twelve places; NULL where it is no number."""
        return f"{alias(name)}_money" if self.has(name) else f"CAST(NULL AS {MONEY})"

    def first_money(self, *names: str) -> str:
        """The first of the amounts that the row tells; NULL where it tells none of them."""
        found = [self.money(name) for name in names if self.has(name)]
        return f"COALESCE({', '.join(found)})" if len(found) > 1 else next(iter(found), f"CAST(NULL AS {MONEY})")

    def or_zero(self, *names: str) -> str:
        """The same for columns that are empty where there is nothing to tell."""
        return f"COALESCE({self.first_money(*names)}, {ZERO})" if any(map(self.has, names)) else ZERO


def alias(name: str) -> str:
    return name.lower()


def clean(text: str) -> str:
    """Text without blanks; what exports write for nothing is nothing."""
    trimmed = f"TRIM({text})"
    return f"CASE WHEN {is_nothing(trimmed)} THEN NULL ELSE {trimmed} END"


def number(text: str, kind: str) -> str:
    """Asked of every line, so blanks are taken away only where it is no number with them."""
    return f"COALESCE(TRY_CAST({text} AS {kind}), TRY_CAST(TRIM({text}) AS {kind}))"


def day(text: str) -> str:
    """NULL for a day on which nobody was billed: DuckDB knows the years after 9999, and `infinity`."""
    found = f"TRY_CAST(SUBSTR({text}, 1, 10) AS DATE)"
    return f"CASE WHEN {found} BETWEEN DATE '2000-01-01' AND DATE '2099-12-31' THEN {found} END"


def only_day(text: str) -> str:
    """A moment without its time, which nobody asks for; left as it is where that could hide what is wrong with it."""
    in_utc = f"(LENGTH({text}) <= 20 OR {text} LIKE '%+00')"
    return f"CASE WHEN {text} BETWEEN '0' AND ':' AND {in_utc} THEN SUBSTR({text}, 1, 10) ELSE {text} END"


def elsewhere(text: str) -> str:
    """Whether a time names an offset from UTC that is none."""
    tail = f"SUBSTR({text}, 11)"
    # Twenty letters are a moment with Z at its end, which most are: no need to look closer.
    named = f"({tail} LIKE '%+%' OR {tail} LIKE '%-%')"
    return f"LENGTH({text}) > 20 AND {named} AND {tail} NOT LIKE '%+00%' AND {tail} NOT LIKE '%-00%'"


def case(cases: list[tuple[str, str]], otherwise: str) -> str:
    """Conditions on columns that the file has not got are never true, so they may stand."""
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases)} ELSE {otherwise} END"
