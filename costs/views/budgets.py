"""Will we keep our word? The budgets, and each with its pace, its thresholds and its past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date

from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.core import charts, clock
from cloudconsole.core.charts import Series, StackedChart
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.forms.budgets import BudgetFilterForm
from costs.models import Budget, BudgetAlert, BudgetEvaluation, BudgetThreshold
from costs.rules.budget_periods import Every
from costs.rules.charge_types import ChargeType
from costs.rules.windows import DayRange
from costs.selectors import budget_courses, explorer
from costs.selectors import budgets as selectors
from costs.selectors.budget_courses import Course
from costs.selectors.budgets import BudgetFilter, Order
from costs.selectors.questions import Granularity
from costs.selectors.reports import Report
from costs.services import budget_alerts
from costs.services import budgets as services
from costs.views import addresses, controls, names, pace_bars
from costs.views.controls import Chip

PAGE_SIZE = 50
ALERTS_SHOWN = 20
_MOST_BARS = 92  # a quarter by its days
MUTES = ((1, "a day"), (7, "a week"), (30, "a month"))


class BudgetList(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        form = BudgetFilterForm(request.GET)
        form.full_clean()
        given: dict[str, str] = form.cleaned_data
        wanted = BudgetFilter(
            words=given.get("q", ""),
            standing=given.get("standing", ""),
            every=given.get("every", ""),
            mine=given.get("show") == "mine",
            archived=given.get("show") == "archived",
        )
        found = selectors.listed(request.user, wanted, Order(given.get("order") or Order.USED))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "lines": [pace_bars.line(one) for one in selectors.hide(request.user, page.object_list)],
            "form": form,
            "filtered": any(value for name, value in given.items() if name != "order"),
            "summary": f"{page.paginator.count} {'budget' if page.paginator.count == 1 else 'budgets'}",
            "may_make": request.user.may(Perm.COSTS_BUDGET),
        }
        return render(request, "costs/budgets.html", context)


@dataclass(frozen=True, slots=True)
class Level:
    """One threshold on the page: at which money it is reached, and whether it was in this period."""

    threshold: BudgetThreshold
    text: str
    money: Decimal
    fired: BudgetAlert | None


class BudgetDetail(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = selectors.get_for(request.user, pk)
        line, report = pace_bars.line(budget), selectors.report_of(budget)
        explored = _explored(request.user, report)
        rows, alerts = selectors.periods(budget), list(selectors.alerts(budget)[:ALERTS_SHOWN])
        course = budget_courses.course(budget) if line.row else None
        context = {
            "budget": budget,
            "line": line,
            "row": line.row,
            "rows": [(row, pace_bars.of(row), _period_url(explored, row)) for row in rows],
            "levels": _levels(budget, line.row, alerts),
            "alerts": [(one, budget_alerts.words_of(one.limit, budget.currency)) for one in alerts],
            "chart": _chart(budget, course, line.row) if course and line.row else None,
            "history": _history(budget, rows),
            "chips": list(_chips(budget, report)),
            "basis": controls.METRICS[report.metric],
            "charges": controls.charges_of(report),
            "explorer_url": _period_url(explored, line.row) if line.row else addresses.of(explored),
            "may_change": selectors.may_change(request.user, budget),
            "is_own": budget.owner_id == request.user.pk,
            "is_muted": budget.is_muted(clock.now()),
            "mutes": MUTES,
        }
        return render(request, "costs/budget.html", context)


def _explored(user: User, report: Report) -> Report:
    """By service where that has an answer: what a budget is narrowed to may leave no room for a grouping."""
    by_service = replace(report, group_by=Report().group_by)
    is_told = explorer.is_told(explorer.reader_for(user, by_service), by_service)
    return by_service if is_told else replace(report, group_by=())


def _period_url(explored: Report, row: BudgetEvaluation) -> str:
    """The days of a period up to today in the explorer, a year by its months."""
    days = DayRange(row.period_start, min(row.period_end, clock.today() + timedelta(days=1)))
    by = Granularity.MONTHLY if days.days > _MOST_BARS else Granularity.DAILY
    return addresses.of(replace(explored, days=days, granularity=by))


def _levels(budget: Budget, row: BudgetEvaluation | None, alerts: Sequence[BudgetAlert]) -> list[Level]:
    start = row.period_start if row else None
    fired = {one.threshold: one for one in alerts if one.period_start == start and one.revision == budget.revision}
    amount = row.amount if row else budget.amount
    found = [
        Level(one, budget_alerts.words_of(one.limit, budget.currency), one.limit.money(amount), fired.get(one.limit.key))
        for one in budget.thresholds.all()
    ]
    return sorted(found, key=lambda level: (level.threshold.kind, level.money))


def _chips(budget: Budget, report: Report) -> Iterable[Chip]:
    """What is counted, each leading to the explorer narrowed to it."""
    aliases = {account.account_id: account.alias for account in budget.accounts.all()}
    for name in report.filter_names:
        values = report.values_of(name)
        shown = [*(aliases.get(value, value) for value in values[:3]), *([f"{len(values) - 3} more"] if len(values) > 3 else [])]
        only = Report(metric=report.metric, currency=report.currency).with_values(name, values)
        yield Chip(names.filter_title(name), ", ".join(shown), addresses.of(only))
    if report.charge_types:
        left_out = [names.CHARGE_TYPES[one].lower() for one in ChargeType if one not in report.charge_types]
        yield Chip("Without", ", ".join(left_out), addresses.of(Report(charge_types=report.charge_types)))


# --- charts


def _chart(budget: Budget, course: Course, row: BudgetEvaluation) -> StackedChart | None:
    """The period as it adds up: what is known, what is expected, and the lines that it is held against."""
    if budget.period is Every.DAILY:
        return None
    return StackedChart(
        name="course",
        title=f"{row.title}, adding up",
        currency=budget.currency,
        periods=tuple(_bar(point, course) for point in course.points),
        series=(
            Series("Spent", tuple(point.actual for point in course.points), 1),
            Series("Expected", tuple(point.still_expected for point in course.points), 1, is_expected=True),
        ),
        band=_band(course),
        lines=tuple(_lines(budget, course, row)),
    )


def _bar(point: budget_courses.Point, course: Course) -> charts.Period:
    day = point.last
    label = f"{day.day} {day:%b}"
    if point.is_known:
        return charts.Period(label, f"Until {label}", total=point.total)
    if point.actual is None:
        return charts.Period(label, f"Until {label}", note=course.reason or "Expected.", total=point.total)
    return charts.Period(label, f"Until {label}", "incomplete", "AWS still adds to the last days.", point.total)


def _band(course: Course) -> charts.Band | None:
    if not any(point.low is not None for point in course.points):
        return None
    return charts.Band(
        f"{course.level} % likely", tuple(point.low for point in course.points), tuple(point.high for point in course.points)
    )


def _lines(budget: Budget, course: Course, row: BudgetEvaluation) -> Iterable[charts.Line]:
    count = len(course.points)
    yield charts.Line("Pace", tuple(point.pace for point in course.points), is_dashed=True)
    yield charts.Line("Budget", (row.amount,) * count, "bad")
    for threshold in budget.thresholds.all():
        money = threshold.limit.money(row.amount)
        if money != row.amount and threshold.kind == "actual":
            yield charts.Line(budget_alerts.words_of(threshold.limit, budget.currency), (money,) * count, "warn", is_dashed=True)


def _history(budget: Budget, rows: Sequence[BudgetEvaluation]) -> StackedChart | None:
    """The periods one after the other, against what was promised."""
    if len(rows) < 2:
        return None
    ordered = rows[::-1]
    return StackedChart(
        name="history",
        title="Period by period",
        currency=budget.currency,
        periods=tuple(_past(row, is_last=row is ordered[-1]) for row in ordered),
        series=(Series("Spent", tuple(row.actual for row in ordered), 1),),
        lines=(charts.Line("Budget", tuple(row.amount for row in ordered), "bad"),),
    )


def _past(row: BudgetEvaluation, *, is_last: bool) -> charts.Period:
    if row.actual is None:
        return charts.Period(row.title, row.title, "unknown", row.reason)
    if row.missing_days or row.misses_accounts or is_last:
        return charts.Period(row.title, row.title, "incomplete", row.reason or "Not over yet.", row.actual)
    return charts.Period(row.title, row.title, total=row.actual)


# --- what can be done with one


class _Change(Page):
    """A button on the page of one budget."""

    permission = Perm.COSTS_BUDGET

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = selectors.get_for(request.user, pk)
        try:
            messages.success(request, self.change(request, budget))
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return redirect("budgets:detail", pk)

    def change(self, request: SignedInRequest, budget: Budget) -> str:
        raise NotImplementedError


class MuteBudget(_Change):
    """Until a day, or for some days; without either it tells people again."""

    def change(self, request: SignedInRequest, budget: Budget) -> str:
        until = _until(request.POST.get("until", ""), request.POST.get("days", ""))
        services.mute(budget=budget, until=until, by=request.user)
        return f"Muted until {until:%d %b %Y %H:%M} UTC." if until else "It tells people again."


def _until(day: str, days: str) -> datetime | None:
    if days.isdecimal() and 0 < int(days) <= 366:
        return clock.now() + timedelta(days=int(days))
    found: date | None = parse_date(day) if day else None
    return datetime.combine(found, time(), UTC) if found else None


class TakeOverBudget(_Change):
    def change(self, request: SignedInRequest, budget: Budget) -> str:
        services.take_over(budget=budget, by=request.user)
        return "It counts with your rights now."


class RestoreBudget(_Change):
    def change(self, request: SignedInRequest, budget: Budget) -> str:
        services.restore(budget=budget, by=request.user)
        return f"Restored the budget “{budget.name}”."


class ArchiveBudget(_Change):
    """The question first; its page then offers to take it back."""

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = selectors.get_for(request.user, pk)
        return render(request, "costs/archive_budget.html", {"budget": budget, "alerts": selectors.alerts(budget)[:1]})

    def change(self, request: SignedInRequest, budget: Budget) -> str:
        services.archive(budget=budget, by=request.user)
        return f"Archived the budget “{budget.name}”. Nobody is told of it any more."
