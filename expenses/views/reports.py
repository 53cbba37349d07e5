"""Where the money goes: expenses in groups, held against the period before, each leading to its rows."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from accounts.requests import SignedInRequest
from cloudconsole.core import charts, clock, figures, series
from cloudconsole.core.charts import StackedChart
from cloudconsole.core.money import ZERO
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.rules import grouping
from expenses.rules.grouping import IN_ORDER, PERIODS, Days, GroupBy
from expenses.selectors import filters, rates, reports, total_spend
from expenses.selectors.expenses import ExpenseFilter
from expenses.selectors.filters import FilterRefused
from expenses.selectors.reports import Group, Report, Summed
from expenses.selectors.total_spend import ConvertedReport
from expenses.views.place import Place, place_of

LINES_SHOWN: Final = 200
BARS_SHOWN: Final = 14
MEDIANS_OF: Final = 20_000
TITLES: Final = {one: one.value.replace("_", " ").capitalize() for one in GroupBy} | {
    GroupBy.PAYMENT_METHOD: "Payment method",
    GroupBy.TAG: "Tags together",
    GroupBy.USER: "Person",
}


@dataclass(frozen=True)
class Line:
    """A group, its rows, and its share of the whole. `goes_on`: it is in the same first group as the line above."""

    group: Summed
    url: str
    share: str
    goes_on: bool


@dataclass(frozen=True)
class Preset:
    title: str
    url: str
    is_on: bool


class ExpenseReport(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        query = _with_defaults(request.GET, clock.today())
        group_by = _group_by(query)
        try:
            wanted = filters.read(query, request.user, workspaces=(place.workspace.pk,))
            refused = None
        except FilterRefused as error:
            wanted, refused = ExpenseFilter(workspaces=(place.workspace.pk,)), error
        found = reports.report(request.user, wanted, group_by, medians_of=_medians_of(query))
        into = query.get("into", "").upper()
        convertible = rates.known_currencies()
        context = _context(place, query, found) | {"refused": refused, "convertible": convertible, "into": into}
        if into in convertible:
            context |= _in_one(place, query, total_spend.converted(request.user, wanted, group_by, into))
        return render(request, "expenses/report.html", context)


def _medians_of(query: QueryDict) -> int:
    """Where there are more expenses than this, medians wait until somebody asks for them."""
    return sys.maxsize if query.get("median") else MEDIANS_OF


def _with_defaults(given: QueryDict, today: date) -> QueryDict:
    """Twelve months up to this one, by category and month, where nothing else is asked for."""
    query = given.copy()
    if not {"start", "until", "end", "always"} & set(given):
        query["start"] = grouping.months_later(today, -11).isoformat()
        query["end"] = grouping.months_later(today, 1).isoformat()
    if "group_by" not in given:
        query.setlist("group_by", [GroupBy.CATEGORY])
    return query


def _group_by(query: QueryDict) -> list[GroupBy]:
    known = [GroupBy(one) for one in query.getlist("group_by") if one in list(GroupBy)]
    return list(dict.fromkeys(known))[:2] or [GroupBy.CATEGORY]


def _context(place: Place, query: QueryDict, found: Report) -> dict[str, object]:
    shown = next((one for one in found.totals if one.currency == query.get("in")), found.totals[0] if found.totals else None)
    groups = [one for one in found.groups if shown is not None and one.currency == shown.currency]
    return {
        "place": place,
        "tab": "report",
        "given": query,
        "report": found,
        "shown": shown,
        "lines": _lines(place, query, groups[:LINES_SHOWN], shown.amount if shown else None),
        "rest": _rest(groups[LINES_SHOWN:]),
        "chart": _chart(found.group_by, groups, shown.currency) if shown and groups else None,
        "titles": [TITLES[one] for one in found.group_by],
        "choices": [(one.value, TITLES[one]) for one in GroupBy],
        "first": found.group_by[0].value,
        "second": found.group_by[1].value if len(found.group_by) > 1 else "",
        "compares": found.previous is not None and not set(found.group_by) & set(PERIODS),
        "presets": _presets(query, clock.today()),
        "currencies": [(one, f"?{_changed(query, **{'in': one.currency})}") for one in found.totals],
        "median_url": f"?{_with(query, 'median', '1')}" if groups and groups[0].median is None else "",
        "span": _span(found.days),
        "before": _span(found.previous),
    }


def _span(days: Days | None) -> str:
    if days is None:
        return ""
    return f"{days.start.day} {days.start:%b %Y} – {days.last.day} {days.last:%b %Y}"


def _in_one(place: Place, query: QueryDict, found: ConvertedReport) -> dict[str, object]:
    """The same in one currency. It is drawn only where no rate is missing: bars without a part would tell less than was spent."""
    lines = _lines(place, query, found.groups[:LINES_SHOWN], found.whole)
    told: dict[str, object] = {"converted": found, "converted_lines": lines}
    if found.whole is not None and found.groups:
        told["chart"] = _chart(_group_by(query), found.groups, found.currency)
    return told


def _lines(place: Place, query: QueryDict, groups: Sequence[Summed], whole: Decimal | None) -> list[Line]:
    kept = [(name, value) for name in filters.NAMES for value in query.getlist(name) if value and name != "workspace"]
    lines: list[Line] = []
    for one in groups:
        goes_on = bool(lines) and len(one.keys) > 1 and one.keys[0] == lines[-1].group.keys[0]
        lines.append(Line(one, _drill(place, _group_by(query), one, kept), _share(one.amount, whole), goes_on))
    return lines


def _share(amount: Decimal | None, whole: Decimal | None) -> str:
    return figures.percent(amount / whole) if whole and amount is not None and amount >= 0 else figures.UNKNOWN


def _drill(place: Place, group_by: Sequence[GroupBy], group: Summed, kept: Sequence[tuple[str, str]]) -> str:
    """The rows of the group: what narrows it replaces what the filter said of the same days."""
    narrow = reports.drill(group_by, group.keys)
    if isinstance(group, Group):
        narrow.append(("currency", group.currency))
    replaced = {name for name, _ in narrow} & {"currency"}
    replaced |= {"start", "until", "end"} if any(name == "start" for name, _ in narrow) else set()
    pairs = [(name, value) for name, value in kept if name not in replaced]
    return f"{reverse('expenses:list')}?{urlencode([('workspace', str(place.workspace.pk)), *pairs, *narrow])}"


def _rest(groups: Sequence[Group]) -> tuple[int, int, Decimal] | None:
    """What the table leaves out: how many groups, how many expenses, how much."""
    if not groups:
        return None
    return len(groups), sum(one.count for one in groups), sum((one.amount for one in groups), Decimal(0))


def _chart(group_by: Sequence[GroupBy], groups: Sequence[Summed], currency: str) -> StackedChart:
    """Periods, or else the largest groups, along the bottom; what else is grouped by is stacked."""
    across = next((at for at, one in enumerate(group_by) if one in IN_ORDER), 0)
    stacked = next((at for at in range(len(group_by)) if at != across), None)
    cells: defaultdict[str, defaultdict[object, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    bars: defaultdict[object, Decimal] = defaultdict(Decimal)
    labels: dict[object, str] = {}
    for one in groups:
        name = one.labels[stacked] if stacked is not None else "Spent"
        cells[name][one.keys[across]] += one.amount or ZERO
        bars[one.keys[across]] += one.amount or ZERO
        labels[one.keys[across]] = one.labels[across]
    order = _bar_order(group_by[across], bars)
    title = " by ".join(
        dict.fromkeys((TITLES[group_by[stacked]] if stacked is not None else "Spent", TITLES[group_by[across]].lower()))
    )
    return charts.stacked(
        name="report",
        title=title,
        currency=currency,
        periods=[charts.Period(_short(labels[key]), labels[key], total=bars[key]) for key in order],
        amounts={name: [row.get(key) for key in order] for name, row in cells.items()},
        colours=series.slots(cells) if stacked is not None else {"Spent": 1},
    )


def _bar_order(group: GroupBy, bars: dict[object, Decimal]) -> list[object]:
    if group in IN_ORDER:
        return sorted(bars, key=lambda key: (str(type(key)), key))[-60:]
    return sorted(bars, key=lambda key: (-abs(bars[key]), str(key)))[:BARS_SHOWN]


def _short(label: str) -> str:
    return label if len(label) <= 16 else f"{label[:15]}…"


def _presets(query: QueryDict, today: date) -> list[Preset]:
    months = ((("This month"), 0, 1), ("Last month", -1, 0), ("3 months", -2, 1), ("12 months", -11, 1))
    found = [
        (title, {"start": grouping.months_later(today, first).isoformat(), "end": grouping.months_later(today, last).isoformat()})
        for title, first, last in months
    ]
    found.append(("This year", {"start": date(today.year, 1, 1).isoformat(), "end": date(today.year + 1, 1, 1).isoformat()}))
    found.append(("Always", {"always": "1"}))
    return [
        Preset(title, f"?{_changed(query, **days)}", all(query.get(name) == value for name, value in days.items()))
        for title, days in found
    ]


def _with(query: QueryDict, name: str, value: str) -> str:
    changed = query.copy()
    changed[name] = value
    return changed.urlencode()


def _changed(query: QueryDict, **values: str) -> str:
    changed = query.copy()
    if "in" not in values:
        for name in ("start", "end", "until", "always"):
            changed.pop(name, None)
    for name, value in values.items():
        changed[name] = value
    return changed.urlencode()
