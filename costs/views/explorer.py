"""Where the money goes: a report as chart and table, with everything it asks in the address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from rest_framework.exceptions import ValidationError

from accounts.requests import SignedInRequest
from cloudconsole.api import streams
from cloudconsole.core import clock
from cloudconsole.core.charts import StackedChart
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import EXACT
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from costs.api import exports, report_parameters
from costs.rules.amounts import plain
from costs.rules.cubes import Dimension
from costs.rules.pivots import Kind
from costs.selectors import explanations, explorer, saved
from costs.selectors.costs import LOST, Reader
from costs.selectors.explorer import Exploration
from costs.selectors.questions import Completeness, Granularity, MixedCurrencies, NotStored, Question
from costs.selectors.reports import ENVIRONMENT, Report
from costs.views import addresses, controls, drills, names, pictures, tables
from costs.views.names import Names
from costs.views.tables import Table

# What the page's address may say besides the report.
_BESIDES = ("report", "show", "part")
_TABLE = "table"  # the part that holds the chart's figures
_LONG = 62  # a table of more rows is made when somebody looks at it


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer, and what can be asked instead."""

    title: str
    text: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An answered report, ready for the template."""

    found: Exploration
    chart: StackedChart | None
    table: Table | None
    explanation: explanations.Explanation
    lost: Sequence[Completeness]
    misses_days: bool

    @property
    def total(self) -> Decimal | None:
        return self.found.by_period.total

    @property
    def currency(self) -> str:
        return self.found.by_period.currency or ""

    @property
    def open_periods(self) -> int:
        return sum(not period.complete and period.total is not None for period in self.found.by_period.periods)

    @property
    def final_periods(self) -> int:
        return sum(period.complete and period.total is not None for period in self.found.by_period.periods)

    @property
    def periods(self) -> int:
        return len(self.found.by_period.periods)

    @property
    def unit_title(self) -> str:
        return "Day" if self.found.report.granularity is Granularity.DAILY else "Month"

    @property
    def unit(self) -> str:
        return self.unit_title.lower() + ("" if self.periods == 1 else "s")

    @property
    def daily_average(self) -> Decimal | None:
        """Of the complete days."""
        whole = [period for period in self.found.by_period.periods if period.complete and period.total is not None]
        days = sum((period.end - period.start).days for period in whole)
        return EXACT.divide(sum((period.total or Decimal(0) for period in whole), Decimal(0)), days) if days else None

    @property
    def before_title(self) -> str:
        return controls.title_of(self.found.before_days) if self.found.before_days else ""


class Costs(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        if key := request.GET.get("report"):
            return redirect(f"{reverse(addresses.EXPLORER)}?{saved.shared(key).query}")
        today = clock.today()
        try:
            report = report_parameters.read(request.GET, besides=_BESIDES)
        except (ValidationError, CloudconsoleError) as error:
            context = _context(request, Report(), None, today) | {"trouble": Trouble("This cannot be asked", words_of(error))}
            return render(request, "costs/explorer.html", context, status=400)
        if "show" in request.GET:  # sent by the form, which names everything; the address to keep is the short one
            return redirect(addresses.of(report))
        try:
            return _answered(request, report, today)
        except CloudconsoleError as error:  # such as an account that is gone, in an address that somebody kept
            context = _context(request, report, None, today) | {"trouble": Trouble(error.title, error.detail)}
            return render(request, "costs/explorer.html", context, status=STATUS_OF[error.kind])


def _answered(request: SignedInRequest, report: Report, today: date) -> HttpResponse:
    reader = explorer.reader_for(request.user, report)
    asks_for_table = request.GET.get("part") == _TABLE
    if asks_for_table and "HX-Request" in request.headers:
        return _chart_table(request, reader, report, today)
    context = _context(request, report, reader, today)
    try:
        context |= {"shown": _shown(reader, report, today, with_table=asks_for_table)}
    except NotStored as error:
        context |= {"trouble": _not_stored(reader, report, error)}
    except MixedCurrencies as error:
        context |= {"trouble": _mixed(report, error)}
    return render(request, "costs/explorer.html", context)


def _context(request: SignedInRequest, report: Report, reader: Reader | None, today: date) -> dict[str, Any]:
    called = Names.of(reader, {}) if reader else Names({}, {})
    return {
        "report": report,
        "controls": controls.controls(report, today, called, reader.tag_keys if reader else ()),
        "title": controls.title_of(report.range(today)),
        "charges": controls.charges_of(report),
        "basis": controls.METRICS[report.metric],
        "as_of": reader.as_of if reader and reader.sources else None,
        "has_sources": bool(reader and reader.sources),
        "saved": saved.visible(request.user),
        "csv_url": addresses.of(report, "explorer:csv"),
        "export_urls": {chosen: addresses.of(report, "explorer:export", format=chosen) for chosen in exports.FORMATS},
        "filters_url": addresses.of(report, "explorer:filters"),
        "query": addresses.of(report).partition("?")[2],
        "budget_url": addresses.of_scope(report, "budgets:new") if request.user.may(Perm.COSTS_BUDGET) else "",
    }


def _chart_table(request: SignedInRequest, reader: Reader, report: Report, today: date) -> HttpResponse:
    try:
        shown = _shown(reader, report, today, with_table=True)
    except CloudconsoleError as error:
        return HttpResponse(escape(error.detail))  # the page around it says more
    return render(request, "parts/_chart_table.html", {"chart": shown.chart, "unit": shown.unit_title})


def _shown(reader: Reader, report: Report, today: date, *, with_table: bool) -> Shown:
    """`with_table`: the chart's figures are wanted at once, however many they are."""
    found = explorer.explore(reader, report, today, with_days=False)  # they are in the chart and in its own table
    called = Names.of(reader, found.labels)
    leads = drills.of(reader, found)
    told = reader.completeness(report.question(today))
    chart = pictures.chart(found, called, leads.row, misses_accounts=reader.misses_accounts)
    return Shown(
        found=found,
        chart=_with_table_apart(chart, report) if chart and not with_table else chart,
        table=tables.table(found, called, leads, pictures.colours_of(found)),
        explanation=explanations.explain(reader, found, today),
        lost=reader.lost,
        misses_days=any(one.missing_days and one.status not in LOST for one in told),
    )


def _with_table_apart(chart: StackedChart, report: Report) -> StackedChart:
    is_long = len(chart.periods) > _LONG
    return replace(chart, table_url=addresses.of(report, part=_TABLE)) if is_long else chart


def words_of(error: Exception) -> str:
    if isinstance(error, CloudconsoleError):
        return error.detail
    detail: Any = error.detail if isinstance(error, ValidationError) else {}
    told = [f"{name.replace('_', ' ').capitalize()}: {_first(found)}" for name, found in dict(detail).items()]
    return " ".join(told)


def _first(found: Any) -> str:
    while isinstance(found, list | Mapping):
        found = next(iter(found.values() if isinstance(found, Mapping) else found), "")
    return str(found)


def _not_stored(reader: Reader, report: Report, error: NotStored) -> Trouble:
    links = [Link(_offer(report, one), addresses.of(one)) for one in explorer.offers(reader, report)]
    text = (
        "AWS tells costs apart by at most two things at a time, and these are not stored together. "
        "Some accounts of a bill, and not all, count as one of the things. "
        "Nothing is guessed from parts; the nearest questions that have an exact answer are:"
        if links
        else error.detail
    )
    return Trouble("This combination has no exact answer", text, links)


def _offer(asked: Report, offered: Report) -> str:
    words = []
    if offered.group_by != asked.group_by:
        grouped = " and ".join(names.in_sentence(one) for one in offered.group_by)
        words.append(f"grouped by {grouped}" if grouped else "without a grouping")
    gone = {name for name, _ in asked.filters} - {name for name, _ in offered.filters}
    words += [f"without the filter on {_filter_name(name)}" for name in sorted(gone)]
    if asked.charge_types and not offered.charge_types:
        words.append("with all charge types")
    offer = ", ".join(words)
    return offer[:1].upper() + offer[1:]


def _filter_name(name: str) -> str:
    return names.in_sentence(Dimension.called(name)) if name != ENVIRONMENT else name


def _mixed(report: Report, error: MixedCurrencies) -> Trouble:
    links = [Link(f"Show {one}", addresses.of(replace(report, currency=one))) for one in error.currencies]
    return Trouble("These costs are in several currencies", "Amounts of different currencies are never added.", links)


class ExportCosts(Page):
    """The report's range and filters as FOCUS 1.2, or every row of its answer: what `/api/costs/export` gives."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        try:
            report = report_parameters.read(request.GET, besides=("format", "detail"))
            reader = explorer.reader_for(request.user, report)
        except ValidationError as error:
            return HttpResponse(words_of(error), status=400, content_type="text/plain; charset=utf-8")
        asked = report.question(clock.today())
        wanted = _wanted(request.GET, asked)
        try:
            return exports.exported(request, reader, asked, wanted)
        except NotStored as error:
            raise (NotStored(_NO_FOCUS) if wanted.format != "csv" else error) from error


_NO_FOCUS = (
    "FOCUS tells the service and the charge of every cost, and AWS does not tell these together with everything that this "
    "report is narrowed to. Take filters away, or export every row as plain CSV."
)


def _wanted(query: QueryDict, asked: Question) -> exports.Wanted:
    """What sums cannot be narrowed by is left to the lines of billing files, unless the address says otherwise."""
    chosen, detail = query.get("format", "csv"), query.get("detail", "")
    usual = "lines" if asked.filtered - exports.TOLD_TOGETHER else "stored"
    return exports.Wanted(chosen if chosen in exports.FORMATS else "csv", detail if detail in exports.DETAILS else usual)


class CostsCsv(Page):
    """The table as shown, with every digit, and every day or month where there is one grouping."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        try:
            report = report_parameters.read(request.GET)
        except ValidationError as error:
            return HttpResponse(words_of(error), status=400, content_type="text/plain; charset=utf-8")
        reader = explorer.reader_for(request.user, report)
        found = explorer.explore(reader, report, clock.today())
        table = tables.table(found, Names.of(reader, found.labels), drills.NOWHERE, {})
        lines = streams.csv_lines(_csv_head(table), _csv_rows(table)) if table else iter(["\r\n"])
        filename = f"costs-{found.days.start}-{found.days.end}.csv"
        return streams.streamed(request, lines, content_type="text/csv; charset=utf-8", filename=filename)


def _csv_head(table: Table) -> list[str]:
    return [table.row_title, *(head.title for head in table.heads), "Total", "Share", "Before", "Change", "Currency"]


def _csv_rows(table: Table) -> Iterator[list[object]]:
    for line in table.lines:
        row = line.row
        amounts = [*row.cells, row.amount, row.share, row.before, row.change]
        name = line.title if line.kind is Kind.GROUP else line.name
        yield [name, *(_number(amount) for amount in amounts), table.currency]


def _number(amount: Decimal | None) -> Decimal | str:
    """Numbers stay numbers: a minus in front of them is no formula."""
    return "" if amount is None else Decimal(plain(amount))
