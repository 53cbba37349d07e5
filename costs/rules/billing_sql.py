"""The questions asked of a billing file, in SQL: one generator, two dialects (DuckDB here, Athena over the export bucket).

A file's rows become charges: whose, when, for what, in five metrics. What a row lacks is its *fault*, as text
`column|reason`, and such a row is counted and told, never guessed at. Amounts have twelve decimal places.

Of each row only its amounts are looked at. Its words are those of many rows, so rows are summed by their words as they stand, and
what the words mean is asked once of each sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costs.rules import billing_cells, billing_lines
from costs.rules.billing_cells import FINE, MONEY, NOTHING, Cells, alias, clean
from costs.rules.billing_charges import Fault, Rules, rules_of
from costs.rules.billing_formats import Header
from costs.rules.billing_tag_sql import TagColumns
from costs.rules.sql_dialects import LONGEST_NAME, Dialect, literal

METRICS = ("unblended", "blended", "amortized", "net_unblended", "net_amortized")
KEYS = ("month", "day", "payer", "account", "currency", "service", "region", "record_type", "usage_type")
TAG_NAMES = "tag_names"
_TEXTS = frozenset(("account_name", "currency", "service", "region", "record_type", "usage_type"))


@dataclass(frozen=True, slots=True)
class Query:
    """A billing file's questions in one dialect. `source` is what stands behind FROM."""

    dialect: Dialect
    header: Header
    source: str
    maps: frozenset[str] = frozenset()  # columns that are maps, as Parquet has them
    tags: Mapping[str, str] = field(default_factory=dict)  # keys that are wanted, by the column that each becomes

    @property
    def _cells(self) -> Cells:
        return Cells(self.dialect, self.header, self.maps)

    @property
    def _rules(self) -> Rules:
        return rules_of(self._cells)

    @property
    def _tags(self) -> TagColumns:
        return TagColumns(self.dialect, self.header, self.maps)

    @property
    def told_tags(self) -> list[str]:
        """Of the wanted tags, the columns of those that the file has a place for."""
        return [column for column, key in self.tags.items() if self._tags.value(key) is not None]

    @property
    def output(self) -> tuple[str, ...]:
        """What `aggregate` tells of each group, in this order."""
        return (*KEYS, *self.told_tags, "fault", "account_name", *METRICS, "exact", "lines", TAG_NAMES)

    def aggregate(self) -> str:
        """Charges summed by everything that is kept of them, good and bad rows apart.

        Beside them, in rows of their own, the different sets of names under which rows have tags, as `tag_names`.
        """
        keys = ", ".join((*KEYS, *self.told_tags, "fault"))
        sums = ", ".join(f"SUM({metric}) AS {metric}" for metric in (*METRICS, "exact"))
        return (
            f"SELECT {keys}, MAX(account_name) AS account_name, {sums}, CAST(SUM(lines) AS BIGINT) AS lines, {TAG_NAMES} "
            f"FROM ({self._charges()}) charges GROUP BY GROUPING SETS (({keys}), ({TAG_NAMES})) "
            f"HAVING GROUPING({TAG_NAMES}) = 1 OR {TAG_NAMES} <> ''"
        )

    def _charges(self) -> str:
        """Faulty rows keep their fault and nothing that would have to be guessed."""
        charge = self._rules.charge()
        values = {**charge, **{column: column for column in self.told_tags}, "account_name": "account_name", "exact": "exact"}
        selected = ", ".join(f"CASE WHEN fault IS NULL THEN {_kept(name, sql)} END AS {name}" for name, sql in values.items())
        told = self._told(self._summed(), also=("exact", "lines", TAG_NAMES))
        return f"SELECT {selected}, fault, lines, {TAG_NAMES} FROM ({told}) told"

    def _summed(self) -> str:
        """The rows summed by their words and the names of their tags."""
        rules = self._rules
        keys = ", ".join((*map(alias, rules.words), *self.told_tags, "amount_fault", TAG_NAMES))
        sums = ", ".join(f"SUM({sql}) AS {name}" for name, sql in self._good_amounts())
        of_days = {name: billing_cells.only_day(self._cells.raw(name)) for name in rules.days}
        rows = self._rows(of_days, {TAG_NAMES: self._tags.names() or NOTHING})
        return f"SELECT {keys}, MAX(account_name) AS account_name, {sums}, COUNT(*) AS lines FROM ({rows}) cells GROUP BY {keys}"

    def lines(self) -> str:
        """Each good row as a charge with its tags and, under `told_` and their names, the columns of FOCUS beside it."""
        charge = {name: f"{_kept(name, sql)} AS {name}" for name, sql in self._line_charge().items()}
        selected = ", ".join(charge.get(name, name) for name in self.line_names)
        beside = {**self._told_columns(), "told_Tags": self._tags.all() or NOTHING}
        return f"SELECT {selected} FROM ({self._told(self._each(beside), also=beside)}) told WHERE fault IS NULL"

    @property
    def line_names(self) -> tuple[str, ...]:
        """What `lines` tells of each row, in this order."""
        return (*self._line_charge(), *self._told_columns(), *self.told_tags, "told_Tags")

    def _line_charge(self) -> dict[str, str]:
        return {**self._rules.charge(), "account_name": "account_name"}

    def _told_columns(self) -> dict[str, str]:
        found = billing_lines.columns(self.header.format)
        told = {name: [clean(self._cells.raw(one)) for one in of if self._cells.has(one)] for name, of in found.items()}
        texts = {name: f"COALESCE({', '.join(found)}, NULL)" for name, found in told.items() if found}
        return {f"told_{name}": _typed(name, text) for name, text in texts.items()}

    def faults(self) -> str:
        """The faulty rows only, numbered from 1 as they come in the file, with the text that is at fault."""
        rules, column = self._rules, "split_part(fault, '|', 1)"
        amounts = [alias(name) for name in rules.told_amounts]
        cases = [f"WHEN {literal(name)} THEN {alias(name)}" for name in rules.words]
        cases += [f"WHEN {literal(name)} THEN {clean(alias(name))}" for name in rules.told_amounts]
        told = self._told(self._each({}), also=amounts)
        return (
            f"SELECT number, {column} AS name, split_part(fault, '|', 2) AS reason, CASE {column} {' '.join(cases)} END AS found "
            f"FROM (SELECT row_number() OVER () AS number, * FROM ({told}) told) numbered WHERE fault IS NOT NULL"
        )

    def _each(self, beside: Mapping[str, str]) -> str:
        """The rows one by one, with what is summed of them. `beside`: further columns."""
        rules = self._rules
        names = (*map(alias, (*rules.words, *rules.told_amounts)), *self.told_tags, "amount_fault", "account_name", *beside)
        sums = (f"{sql} AS {name}" for name, sql in self._good_amounts())
        return f"SELECT {', '.join((*names, *sums))} FROM ({self._rows({}, beside)}) cells"

    def _good_amounts(self) -> Iterable[tuple[str, str]]:
        summed = {**self._rules.summed(), "exact": "fine"}
        return ((name, f"CASE WHEN amount_fault IS NULL THEN {sql} END") for name, sql in summed.items())

    def _rows(self, instead: Mapping[str, str], beside: Mapping[str, str]) -> str:
        """The file's rows: words as they stand, amounts, and what is at fault with these. `instead`: other readings."""
        rules, cells = self._rules, self._cells
        columns = {alias(name): instead.get(name, cells.raw(name)) for name in (*rules.words, *rules.told_amounts)}
        columns |= {f"{alias(name)}_money": billing_cells.number(cells.raw(name), MONEY) for name in rules.told_amounts}
        columns["fine"] = billing_cells.number(cells.raw(rules.amounts[0]), FINE)
        called = cells.raw(rules.account_name) if cells.has(rules.account_name) else NOTHING
        columns["account_name"] = f"SUBSTR({clean(called)}, 1, {LONGEST_NAME})"
        columns |= {column: self._tags.value(self.tags[column]) or NOTHING for column in self.told_tags}
        read = ", ".join(f"{sql} AS {name}" for name, sql in {**columns, **beside}.items())
        fault = _first_of(_texts(rules.amount_faults()))
        return f"SELECT *, {fault} AS amount_fault FROM (SELECT {read} FROM {self.source}) amounts"

    def _told(self, rows: str, *, also: Iterable[str]) -> str:
        """Rows or sums of them with cleaned words, days and their fault. `also`: columns that stay as they are."""
        rules = self._rules
        before, after = rules.word_faults()
        of_amount = ("amount_fault IS NOT NULL", "amount_fault")
        fault = _first_of([*_texts(before), of_amount, *_texts(after)])
        words = [f"{clean(alias(name))} AS {alias(name)}" for name in rules.words]
        kept = [*self.told_tags, *rules.summed(), "account_name", "amount_fault", *also]
        days = ", ".join(f"{billing_cells.day(alias(name))} AS {alias(name)}_day" for name in rules.days)
        cleaned = f"SELECT {', '.join((*words, *kept))} FROM ({rows}) counted"
        return f"SELECT *, {fault} AS fault FROM (SELECT *, {days} FROM ({cleaned}) cleaned) dated"


def _texts(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    return [(condition, literal(f"{name}|{why}")) for name, condition, why in faults]


def _first_of(cases: Iterable[tuple[str, str]]) -> str:
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases)} END"


def _kept(name: str, sql: str) -> str:
    """No database keeps a NUL in text."""
    return f"REPLACE({sql}, CHR(0), '')" if name in _TEXTS else sql


def _typed(name: str, text: str) -> str:
    """Moments in FOCUS's way of writing them, amounts as they are kept; everything else stays text."""
    if name in billing_lines.MOMENTS:
        return f"STRFTIME(TRY_CAST({text} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ')"
    if name in billing_lines.AMOUNTS:
        return f"TRY_CAST({text} AS {MONEY})"
    return f"REPLACE({text}, CHR(0), '')"
