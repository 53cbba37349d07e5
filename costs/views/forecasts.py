"""Where this month and the next ones will end: known days, expected ones, and how much may be between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from rest_framework.exceptions import ValidationError

from accounts.requests import SignedInRequest
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import charts, clock
from cloudconsole.core.charts import Band, Series, StackedChart
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import EXACT
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.api.parameters import METRICS
from costs.models import REQUEST_PRICE, CostSource
from costs.rules import forecast
from costs.rules.cubes import Dimension
from costs.rules.forecast import Method
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import aws_forecasts as selectors
from costs.selectors import explorer, forecasts, sources
from costs.selectors.costs import Reader
from costs.selectors.forecasts import Point, Projection, Share
from costs.selectors.questions import Granularity, MixedCurrencies, Question
from costs.selectors.reports import Report
from costs.services import aws_forecasts as services
from costs.views import controls, names
from costs.views.controls import Chip, Option
from costs.views.explorer import Link, Trouble, words_of
from costs.views.names import Names

SERVICES_SHOWN = 10
_BESIDES = ("until",)
_DAY = timedelta(days=1)


class Until(StrEnum):
    """How far ahead the page looks."""

    MONTH = "month"
    THREE_MONTHS = "3m"
    YEAR = "year"


_TITLES = {
    Until.MONTH: "The end of this month",
    Until.THREE_MONTHS: "Three months more",
    Until.YEAR: "The end of the year",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What one service contributes to the whole; the rest of them has no address."""

    name: str
    share: Share
    percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An answered forecast, ready for the template."""

    found: Projection
    chart: StackedChart
    lines: Sequence[Line]
    method: str

    @property
    def currency(self) -> str:
        return self.found.currency or ""

    @property
    def known_until(self) -> date | None:
        return self.found.complete_until - _DAY if self.found.complete_until else None


class Forecast(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        until = _until(request.GET.get("until", ""))
        try:
            report = report_parameters.read(request.GET, besides=_BESIDES)
        except (ValidationError, CloudconsoleError) as error:
            context = _context(Report(), until, None) | {"trouble": Trouble("This cannot be asked", words_of(error))}
            return render(request, "costs/forecast.html", context, status=400)
        return _answered(request, report, until)


def _until(text: str) -> Until:
    return Until(text) if text in set(Until) else Until.MONTH


def _answered(request: SignedInRequest, report: Report, until: Until) -> HttpResponse:
    reader = explorer.reader_for(request.user, report)
    context = _context(report, until, reader) | {"compared": _compared(request, report, until), "lost": reader.lost}
    try:
        context |= {"shown": _shown(reader, report, until) if reader.sources else None}
    except MixedCurrencies as error:
        links = [Link(f"Show {one}", _address(replace(report, currency=one), until)) for one in error.currencies]
        context |= {
            "trouble": Trouble("These costs are in several currencies", "Amounts of different currencies are never added.", links)
        }
    except CloudconsoleError as error:
        context = _context(report, until, None) | {"trouble": Trouble(error.title, error.detail)}
        return render(request, "costs/forecast.html", context, status=400)
    return render(request, "costs/forecast.html", context)


def _context(report: Report, until: Until, reader: Reader | None) -> dict[str, Any]:
    called = Names.of(reader, {}) if reader else Names({}, {})
    chosen = controls.controls(report, clock.today(), called)
    return {
        "untils": [Option(one.value, title, one is until) for one, title in _TITLES.items()],
        "metrics": chosen.metrics,
        "charge_types": chosen.charge_types,
        "kept": chosen.kept,
        "chips": list(_chips(report, until, called)),
        "title": controls.title_of(_days(until)),
        "basis": controls.METRICS[report.metric],
        "charges": controls.charges_of(report),
        "as_of": reader.as_of if reader and reader.sources else None,
        "has_sources": bool(reader and reader.sources),
    }


def _address(report: Report, until: Until) -> str:
    return f"?{urlencode([*report.pairs(), *([('until', until.value)] if until is not Until.MONTH else [])])}"


def _chips(report: Report, until: Until, called: Names) -> Iterable[Chip]:
    for name, pairs in groupby(report.filters, key=lambda pair: pair[0]):
        text = ", ".join(called.of_filter(name, value) for _, value in pairs)
        yield Chip(name.replace("_", " ").capitalize(), text, _address(report.with_values(name, ()), until))


def _days(until: Until) -> DayRange:
    today = clock.today()
    if until is Until.YEAR:
        return DayRange(date(today.year, 1, 1), date(today.year + 1, 1, 1))
    return DayRange(first_of_month(today), first_of_month(today, months=1 if until is Until.MONTH else 4))


def _shown(reader: Reader, report: Report, until: Until) -> Shown:
    days, is_month = _days(until), until is Until.MONTH
    question = replace(
        report.question(clock.today()),
        days=days,
        group_by=(),
        granularity=Granularity.DAILY if is_month else Granularity.MONTHLY,
    )
    before = {Until.MONTH: 1, Until.THREE_MONTHS: 6, Until.YEAR: 0}[until]
    found = forecasts.projection(reader, question, since=first_of_month(days.start, months=-before))
    return Shown(found, _chart(found), list(_lines(reader, question, found)), forecast.METHODS[Method(found.outlook.method)])


def _lines(reader: Reader, question: Question, found: Projection) -> Iterable[Line]:
    shares = forecasts.shares(reader, question, Dimension.SERVICE, found, count=SERVICES_SHOWN)
    whole = found.outlook.amount
    for share in shares:
        percent = EXACT.multiply(EXACT.divide(share.amount, whole), Decimal(100)) if whole else None
        yield Line(share.key or names.OTHER, share, percent)


# --- what AWS expects


class AskAws(Page):
    """A paid request: it says what it costs, and asks only when somebody wants it."""

    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest) -> HttpResponse:
        until = _until(request.POST.get("until", ""))
        named = request.POST.get("metric", "")
        metric = Metric(named) if named in METRICS else Metric.UNBLENDED
        asked = services.request_for(
            account=request.POST.get("account", ""), metric=metric, end=_days(until).end, by=request.user
        )
        messages.success(request, f"AWS is asked what {asked.source.account.alias} will cost. The answer appears here.")
        return redirect(reverse("explorer:forecast") + _address(Report(metric=metric), until))


def _compared(request: SignedInRequest, report: Report, until: Until) -> dict[str, Any] | None:
    """None where the page is narrowed: AWS is asked for whole bills."""
    if report.filters or report.charge_types:
        return None
    offered = {source.pk: source for source in sources.refreshable(request.user)}
    found = selectors.compared(request.user, sources.visible(request.user), report.metric, _days(until).end)
    return {
        "lines": [(one, _left(offered.get(one.source.pk))) for one in found if one.asked or one.source.pk in offered],
        "until": until.value,
        "metric": report.metric.value,
        "price": REQUEST_PRICE,
    }


def _left(source: CostSource | None) -> int | None:
    """How many paid requests are left this month; None for who may not ask."""
    return None if source is None else max(0, vars(source)["cap"] - vars(source)["requests_this_month"])


# --- the chart


def _chart(found: Projection) -> StackedChart:
    is_daily = found.question.granularity is Granularity.DAILY
    return StackedChart(
        name="forecast",
        title="Daily cost, known and expected" if is_daily else "Monthly cost, known and expected",
        currency=found.currency or "",
        periods=tuple(_bar(point, found, is_daily=is_daily) for point in found.points),
        series=(
            Series("Known", tuple(point.actual for point in found.points), 1),
            Series("Expected", tuple(_still_expected(point, found) for point in found.points), 1, is_expected=True),
        ),
        band=_band(found),
    )


def _bar(point: Point, found: Projection, *, is_daily: bool) -> charts.Period:
    label = f"{point.start.day} {point.start:%b}" if is_daily else f"{point.start:%b} ’{point.start:%y}"
    title = f"{point.start:%a} {point.start.day} {point.start:%B %Y}" if is_daily else f"{point.start:%B %Y}"
    state, note = _state(point, found)
    return charts.Period(label=label, title=title, state=state, note=note, total=point.amount)


def _state(point: Point, found: Projection) -> tuple[str, str]:
    if _is_known(point, found):
        return ("unknown", "Not fetched.") if point.actual is None else ("complete", "")
    if point.actual is None:
        return "complete", "Expected."
    return "incomplete", "Known in part: AWS still adds to it."


def _is_known(point: Point, found: Projection) -> bool:
    return found.complete_until is not None and point.end <= found.complete_until


def _still_expected(point: Point, found: Projection) -> Decimal | None:
    """What is added to the known part; nothing where AWS adds nothing any more."""
    if point.amount is None or _is_known(point, found):
        return None
    return point.amount if point.actual is None else EXACT.subtract(point.amount, point.actual)


def _band(found: Projection) -> Band | None:
    if found.outlook.amount is None:
        return None
    low = tuple(None if _is_known(point, found) else point.low for point in found.points)
    high = tuple(None if _is_known(point, found) else point.high for point in found.points)
    return Band(f"{found.outlook.level} % likely", low, high)
