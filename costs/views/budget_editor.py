"""Making and changing a budget: what it promises, what it counts, and what that cost in the last periods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from rest_framework.exceptions import ValidationError

from accounts.alerts import Severity
from accounts.models import Environment, User
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.forms.budgets import BudgetForm
from costs.models import Budget
from costs.models.budgets import KINDS, SEVERITIES, UNITS
from costs.rules import budget_periods, budgets
from costs.rules.amounts import plain
from costs.rules.budget_periods import Every
from costs.rules.budgets import Figures, Kind, Limit, Unit
from costs.selectors import budget_figures
from costs.selectors import budgets as selectors
from costs.selectors.budget_figures import Past, Preview, Readers
from costs.selectors.reports import ENVIRONMENT, FILTERS, Report
from costs.services import budget_alerts
from costs.services import budgets as services
from costs.services.budget_inputs import BudgetInput, NotStoredApart, Threshold
from costs.views import controls, names
from costs.views.controls import Option
from costs.views.explorer import words_of
from costs.views.filters import Choices, fields
from costs.views.names import Names

_SCOPE = (*FILTERS, ENVIRONMENT, "metric", "charge_type")
# The rows of thresholds that are free to be filled in.
_FREE_ROWS = 2
_PLANNED = {Every.MONTHLY: 12, Every.QUARTERLY: 4, Every.YEARLY: 2}
_SUGGESTED = (
    Threshold(Limit(Kind.ACTUAL, Unit.PERCENT, Decimal(80)), Severity.INFO),
    Threshold(Limit(Kind.ACTUAL, Unit.PERCENT, Decimal(100)), Severity.CRITICAL),
    Threshold(Limit(Kind.FORECAST, Unit.PERCENT, Decimal(100)), Severity.WARNING),
)


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    kind: str
    value: str
    unit: str
    severity: str


class _Unreadable(Exception):
    """A number of a threshold or a planned period is none."""


@dataclass
class Draft:
    """A form as far as it is filled in."""

    form: BudgetForm
    report: Report
    thresholds: Sequence[ThresholdRow]
    planned: dict[date, str]

    @property
    def every(self) -> Every:
        value = self.form["every"].value()
        return Every(value) if value in set(Every) else Every.MONTHLY

    @classmethod
    def fresh(cls, report: Report) -> Draft:
        start = {"currency": report.currency or "", "every": Every.MONTHLY.value}
        return cls(BudgetForm(initial=start), report, [_row(one) for one in _SUGGESTED], {})

    @classmethod
    def of(cls, budget: Budget, *, name: str) -> Draft:
        given = services.input_of(budget)
        shown = {
            "name": name,
            "every": budget.every,
            "amount": plain(budget.amount),
            "currency": budget.currency,
            "start": budget.start,
            "last": budget.end - timedelta(days=1) if budget.end else None,
        }
        planned = {day: plain(amount) for day, amount in given.planned}
        return cls(BudgetForm(initial=shown), given.report, [_row(one) for one in given.thresholds], planned)

    @classmethod
    def sent(cls, post: QueryDict) -> Draft:
        """Raises ValidationError for a scope that cannot be read."""
        rows = zip(*(post.getlist(f"threshold_{name}") for name in ("kind", "value", "unit", "severity")), strict=False)
        planned = zip(post.getlist("planned_period"), post.getlist("planned_amount"), strict=False)
        return cls(
            BudgetForm(post),
            replace(_scope(post), currency=post.get("currency") or None),
            [ThresholdRow(*(part.strip() for part in row)) for row in rows],
            {date.fromisoformat(day): amount.strip() for day, amount in planned if _is_day(day)},
        )

    def input(self) -> BudgetInput:
        """Of a form that is valid. Raises _Unreadable."""
        given = self.form.cleaned_data
        return BudgetInput(
            name=given["name"],
            report=self.report,
            amount=given["amount"],
            every=Every(given["every"]),
            planned=tuple((day, _number(amount)) for day, amount in self.planned.items() if amount),
            thresholds=tuple(_threshold(row) for row in self.thresholds if row.value),
            start=given["start"],
            end=given["last"] + timedelta(days=1) if given["last"] else None,
        )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _scope(given: QueryDict) -> Report:
    only = QueryDict(mutable=True)
    for name, values in given.lists():
        if name in _SCOPE or name.startswith("tag:"):
            only.setlist(name, values)
    return replace(report_parameters.read(only), group_by=())


def _row(one: Threshold) -> ThresholdRow:
    return ThresholdRow(one.limit.kind.value, plain(one.limit.value), one.limit.unit.value, one.severity.value)


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text.replace(" ", ""))
    except InvalidOperation as error:
        raise _Unreadable(f"“{text}” is no number.") from error
    return found


def _threshold(row: ThresholdRow) -> Threshold:
    try:
        return Threshold(Limit(Kind(row.kind), Unit(row.unit), _number(row.value)), Severity(row.severity))
    except ValueError as error:
        raise _Unreadable("A threshold watches the actual or the forecast amount, in percent or money.") from error


# --- the preview


@dataclass(frozen=True, slots=True)
class Fired:
    """One of the last periods beside the thresholds on its actual amount that it would have reached."""

    past: Past
    reached: Sequence[str]


@dataclass(frozen=True, slots=True)
class Previewed:
    found: Preview
    rows: Sequence[Fired]
    currency: str
    trouble: str = ""
    offers: Sequence[str] = ()


def _preview(user: User, draft: Draft) -> Previewed | str:
    """What the last periods cost; or, in words, why that cannot be told."""
    try:
        found = budget_figures.preview(Readers().of(user, draft.report), draft.report, draft.every)
    except CloudconsoleError as error:
        return error.detail
    currency = draft.report.currency or found.reading.currency or ""
    rows = [Fired(past, list(_reached(draft, past, currency))) for past in (found.now, *found.past)]
    return Previewed(found, rows, currency)


def _reached(draft: Draft, past: Past, currency: str) -> Iterable[str]:
    try:
        amount = _number(str(draft.form["amount"].value() or ""))
        limits = [_threshold(row).limit for row in draft.thresholds if row.value]
    except _Unreadable:
        return
    if past.amount is None or amount <= 0:
        return
    figures = Figures(amount, past.amount, None, None, None, is_whole=past.is_whole, is_sure=False)
    for limit in budgets.reached(limits, figures):
        yield budget_alerts.words_of(limit, currency)


# --- the pages


class _Editor(Page):
    permission = Perm.COSTS_BUDGET

    def show(self, request: SignedInRequest, draft: Draft, status: int = 200, **more: object) -> HttpResponse:
        """The form beside its preview."""
        context = {
            "draft": draft,
            "form": draft.form,
            "preview": _preview(request.user, draft),
            **_choices(request.user, draft),
            **more,
        }
        return render(request, "costs/budget_form.html", context, status=status)

    def refused(self, request: SignedInRequest, draft: Draft, error: CloudconsoleError, **more: object) -> HttpResponse:
        attr = error.attr or ""
        field = {"end": "last"}.get(attr, attr)
        draft.form.add_error(field if field in draft.form.fields else None, error.detail)
        offers = error.offers if isinstance(error, NotStoredApart) else ()
        return self.show(request, draft, STATUS_OF[error.kind], offers=offers, **more)


def _choices(user: User, draft: Draft) -> dict[str, Any]:
    today, report = clock.today(), draft.report
    offered = list(fields(user, report, today))
    called = Names.of(Readers().of(user, Report()), {})
    chosen = controls.controls(report, today, called)
    starts = budget_periods.following(draft.every, today, _PLANNED.get(draft.every, 0)) if draft.every in _PLANNED else []
    return {
        "fields": [_Field(one, len([choice for choice in one.choices if choice.chosen])) for one in offered],
        "environments": [Option(value, label, value in report.values_of(ENVIRONMENT)) for value, label in Environment.choices],
        "metrics": chosen.metrics,
        "charge_types": chosen.charge_types,
        "charges": controls.charges_of(report),
        "rows": [
            *(one for one in draft.thresholds if one.value),
            *[ThresholdRow("actual", "", "percent", "warning")] * _FREE_ROWS,
        ],
        "kinds": KINDS,
        "units": UNITS,
        "severities": SEVERITIES,
        "periods": [(days.start, budget_periods.title(draft.every, days), draft.planned.get(days.start, "")) for days in starts],
        "chips": [(names.filter_title(name), _told(called, name, report)) for name in report.filter_names],
    }


def _told(called: Names, name: str, report: Report) -> str:
    return ", ".join(called.of_filter(name, value) for value in report.values_of(name))


@dataclass(frozen=True, slots=True)
class _Field:
    choices: Choices
    chosen: int


class NewBudget(_Editor):
    """Empty, for what the address narrows to, or like another one."""

    def get(self, request: SignedInRequest) -> HttpResponse:
        if pk := request.GET.get("like", ""):
            budget = selectors.get_for(request.user, int(pk) if pk.isdecimal() else 0)
            return self.show(request, Draft.of(budget, name=f"{budget.name} (copy)"[:80]))
        try:
            report = replace(_scope(request.GET), currency=request.GET.get("currency") or None)
        except (ValidationError, CloudconsoleError):
            return redirect("budgets:new")
        return self.show(request, Draft.fresh(report))

    def post(self, request: SignedInRequest) -> HttpResponse:
        try:
            draft = Draft.sent(request.POST)
        except (ValidationError, CloudconsoleError) as error:
            draft = Draft(BudgetForm(request.POST), Report(group_by=()), (), {})
            draft.form.add_error(None, words_of(error))
        if not draft.form.is_valid() or "look" in request.POST:
            return self.show(request, draft, 200 if "look" in request.POST else 400)
        try:
            budget = services.create(given=draft.input(), by=request.user)
        except _Unreadable as error:
            draft.form.add_error(None, str(error))
            return self.show(request, draft, 400)
        except CloudconsoleError as error:
            return self.refused(request, draft, error)
        messages.success(request, f"Made the budget “{budget.name}”.")
        return redirect("budgets:detail", budget.pk)


class EditBudget(_Editor):
    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = selectors.get_for(request.user, pk, Perm.COSTS_BUDGET)
        return self.show(request, Draft.of(budget, name=budget.name), budget=budget)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = selectors.get_for(request.user, pk, Perm.COSTS_BUDGET)
        try:
            draft = Draft.sent(request.POST)
        except (ValidationError, CloudconsoleError) as error:
            draft = Draft(BudgetForm(request.POST), selectors.report_of(budget), (), {})
            draft.form.add_error(None, words_of(error))
        if not draft.form.is_valid() or "look" in request.POST:
            return self.show(request, draft, 200 if "look" in request.POST else 400, budget=budget)
        revision = request.POST.get("revision", "")
        try:
            services.change(
                budget=budget, given=draft.input(), by=request.user, revision=int(revision) if revision.isdecimal() else None
            )
        except _Unreadable as error:
            draft.form.add_error(None, str(error))
            return self.show(request, draft, 400, budget=budget)
        except CloudconsoleError as error:
            return self.refused(request, draft, error, budget=budget)
        messages.success(request, "Saved. Its thresholds are armed for what it promises now.")
        return redirect("budgets:detail", budget.pk)


class PreviewBudget(Page):
    """The preview alone, while the form is being filled in."""

    permission = Perm.COSTS_BUDGET

    def post(self, request: SignedInRequest) -> HttpResponse:
        selectors.check_may_make(request.user)
        try:
            draft = Draft.sent(request.POST)
        except (ValidationError, CloudconsoleError) as error:
            return render(request, "costs/_budget_preview.html", {"preview": words_of(error)})
        return render(request, "costs/_budget_preview.html", {"preview": _preview(request.user, draft), "draft": draft})
