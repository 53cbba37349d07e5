"""Where the figures of a report lead: each to the report that tells more about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from costs.rules.windows import DayRange
from costs.selectors import explorer
from costs.selectors.costs import Reader
from costs.selectors.explorer import Exploration
from costs.views import addresses


def _nowhere(*_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Drills:
    """Addresses by the keys of a table: of a row, of a column (a value of the second grouping, or a month), and of a cell."""

    row: Callable[[str], str] = _nowhere
    column: Callable[[str], str] = _nowhere
    cell: Callable[[str, str], str] = _nowhere


NOWHERE = Drills()


def of(reader: Reader, found: Exploration) -> Drills:
    """What each leads to is found out when the first one of its kind is asked for: not every page shows columns."""
    report = found.report
    if not report.group_by:
        return Drills(column=_months(found))
    into = explorer.drilled(reader, report, report.group_by[0])
    if found.by_columns:
        across = cache(lambda: explorer.drilled(reader, report, report.group_by[1]))
        both = cache(lambda: explorer.crossed(reader, report))
        return Drills(
            row=lambda key: addresses.of(into(key)),
            column=lambda key: addresses.of(across()(key)),
            cell=lambda row, column: addresses.of(both()(row, column)),
        )
    days = _days(found)
    return Drills(
        row=lambda key: addresses.of(into(key)),
        column=_months(found),
        cell=lambda row, column: addresses.of(explorer.in_days(into(row), days[column])),
    )


def _months(found: Exploration) -> Callable[[str], str]:
    days = _days(found)
    return lambda key: addresses.of(explorer.in_days(found.report, days[key])) if key in days else ""


def _days(found: Exploration) -> dict[str, DayRange]:
    """Of each column that is a month or a day of which anything is known."""
    return {
        period.start.isoformat(): DayRange(period.start, period.end)
        for period in found.by_period.periods
        if period.total is not None
    }
