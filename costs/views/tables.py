"""The table of a report, ready to be written as HTML or CSV: lines with names, columns with heads, addresses that drill down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from cloudconsole.core import series
from costs.rules.pivots import Kind, Row
from costs.selectors.explorer import Exploration
from costs.selectors.questions import Granularity
from costs.views import names
from costs.views.drills import NOWHERE, Drills
from costs.views.names import Names

# More columns than this are in the chart's own table and in the CSV.
COLUMNS_SHOWN = 13


@dataclass(frozen=True, slots=True)
class Head:
    name: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`slot` is the colour in the chart, None where it has none. `note` says what the line is when its name does not.

    `urls`: where the cells of a group lead.
    """

    kind: Kind
    name: str
    title: str
    url: str
    slot: int | None
    note: str
    row: Row
    urls: tuple[str, ...] = ()

    @property
    def share(self) -> str:
        """Of the total, as text."""
        return "—" if self.row.share is None else f"{self.row.share * 100:.1f} %".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Table:
    """`shows_cells`: whether the page shows the columns; the CSV always does."""

    row_title: str
    column_title: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    currency: str
    shows_cells: bool

    @property
    def shows_before(self) -> bool:
        return any(line.row.before is not None for line in self.lines)

    @property
    def total(self) -> Line:
        return self.lines[-1]


def table(found: Exploration, called: Names, leads: Drills, colours: Mapping[str, int]) -> Table | None:
    """None where nothing is known."""
    if found.pivot is None:
        return None
    first = found.report.group_by[0] if found.report.group_by else None
    keys = found.pivot.heads
    fits = 1 < len(keys) <= COLUMNS_SHOWN and (found.by_columns or found.report.granularity is Granularity.MONTHLY)
    leads = leads if fits else replace(leads, cell=NOWHERE.cell, column=NOWHERE.column)
    lines = [_line(row, found, called, leads, colours) for row in found.pivot.rows if first or row.kind is Kind.TOTAL]
    heads = tuple(_head(key, found, called, leads) for key in keys)
    title = names.title_of(first) if first else "Costs"
    column_title = names.title_of(found.report.group_by[1]) if found.by_columns else ""
    return Table(title, column_title, heads, tuple(lines), found.by_period.currency or "", fits)


def _line(row: Row, found: Exploration, called: Names, leads: Drills, colours: Mapping[str, int]) -> Line:
    match row.kind:
        case Kind.GROUP:
            dimension = found.report.group_by[0]
            name, title = called.of_value(dimension, row.key), called.in_full(dimension, row.key)
            return Line(row.kind, name, title, leads.row(row.key), colours.get(row.key, 0), "", row, _urls(row, found, leads))
        case Kind.OTHER:
            count = found.others
            note = f"{count} more" if count else "in the span before only"
            return Line(row.kind, names.OTHER, "", "", 0, note, row)
        case Kind.RESIDUAL:
            return Line(row.kind, names.RESIDUAL, names.WHY_RESIDUAL, "", 0, "in the total, in no group", row)
        case Kind.TOTAL:
            return Line(row.kind, "Total", "", "", None, "", row)


def _urls(row: Row, found: Exploration, leads: Drills) -> tuple[str, ...]:
    """A cell without costs, and the one of all other columns, lead nowhere."""
    heads = found.pivot.heads if found.pivot else ()
    cells = zip(heads, row.cells, strict=True)
    return tuple("" if head is None or not amount else leads.cell(row.key, head) for head, amount in cells)


def _head(key: str | None, found: Exploration, called: Names, leads: Drills) -> Head:
    if key is None:
        return Head(names.OTHER, "All others together")
    url = leads.column(key)
    if found.by_columns:
        dimension = found.report.group_by[1]
        return Head(series.short(called.of_value(dimension, key)), called.in_full(dimension, key), url)
    day = date.fromisoformat(key)
    if found.report.granularity is Granularity.MONTHLY:
        return Head(f"{day:%b} ’{day:%y}", f"{day:%B %Y}", url)
    return Head(f"{day.day} {day:%b}", f"{day:%a} {day.day} {day:%B %Y}", url)
