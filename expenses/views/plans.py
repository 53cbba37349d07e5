"""What happens by itself: rules, series and budgets."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.entry import blank
from expenses.forms.plans import ACTION_FIELDS, CONDITION_FIELDS, OFTEN, OPERATORS, BudgetForm, SeriesForm, rule_input
from expenses.models import RecurringExpense, Rule
from expenses.selectors import budgets as budget_selectors
from expenses.selectors import completion
from expenses.selectors import plans as selectors
from expenses.services import budgets, recurring, rules
from expenses.services.inputs import input_of
from expenses.services.rules import RuleInput
from expenses.views.place import Place, back, place_in, place_of

HITS_SHOWN: Final = 100
EMPTY_ROWS: Final = 3
COMING: Final = 5


class RuleList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        return render(request, "expenses/rules.html", _rules_context(request, place))

    def post(self, request: SignedInRequest) -> HttpResponse:
        """A new rule, or all of them over the past."""
        place = place_of(request)
        given = rule_input(request.POST)
        try:
            if request.POST.get("action") == "run":
                edit = rules.run(workspace=place.workspace, by=request.user)
                messages.success(request, f"{edit.count} expenses changed. It can be undone." if edit else "Nothing to change.")
                return back(place, "list" if edit else "rules")
            rules.create(workspace=place.workspace, given=given, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return render(request, "expenses/rules.html", _rules_context(request, place, given), status=400)
        return back(place, "rules")


def _rules_context(request: SignedInRequest, place: Place, given: RuleInput | None = None) -> dict[str, Any]:
    """`given`: a rule that was refused, to be put right."""
    tried = rules.try_out(workspace=place.workspace) if "try" in request.GET else None
    return {
        "place": place,
        "tab": "rules",
        "rules": selectors.rules(request.user, place.workspace),
        "tried": tried,
        "hits": tried.hits[:HITS_SHOWN] if tried else [],
        "choices": completion.choices(place.workspace),
        **_form(given),
    }


def _form(said: Rule | RuleInput | None) -> dict[str, Any]:
    """What the form says: what is there, and some rows to add."""
    return {
        "said": said,
        "condition_rows": [*(said.conditions if said else []), *[{}] * EMPTY_ROWS],
        "action_rows": [*(said.actions if said else []), *[{}] * EMPTY_ROWS],
        "condition_fields": CONDITION_FIELDS,
        "operators": OPERATORS,
        "action_fields": ACTION_FIELDS,
    }


class RuleDetail(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        rule = selectors.rule_for(request.user, pk)
        return self._page(request, rule, rule)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        rule = selectors.rule_for(request.user, pk)
        given, action = rule_input(request.POST), request.POST.get("action")
        try:
            if action == "delete":
                rules.delete(rule=rule, by=request.user)
            elif action in ("up", "down"):
                rules.place(rule=rule, position=_position(request, rule) + (1 if action == "down" else -1), by=request.user)
            else:
                rules.change(rule=rule, given=given, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return self._page(request, selectors.rule_for(request.user, pk), given, status=400)
        return back(place_in(request.user, rule.workspace), "rules")

    def _page(self, request: SignedInRequest, rule: Rule, said: Rule | RuleInput, *, status: int = 200) -> HttpResponse:
        place = place_in(request.user, rule.workspace)
        tried = rules.try_out(workspace=place.workspace, rule=rule)
        context = {"place": place, "tab": "rules", "rule": rule, "tried": tried, "hits": tried.hits[:HITS_SHOWN]}
        context |= {"choices": completion.choices(place.workspace), **_form(said)}
        return render(request, "expenses/rule.html", context, status=status)


def _position(request: SignedInRequest, rule: Rule) -> int:
    """The how manieth it is; positions may have gaps."""
    return list(selectors.rules(request.user, rule.workspace).values_list("pk", flat=True)).index(rule.pk) + 1


class SeriesList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        initial = {**blank(place.workspace), "date": clock.today()}
        return self._page(request, place, SeriesForm(initial=initial))

    def post(self, request: SignedInRequest) -> HttpResponse:
        place, form = place_of(request), SeriesForm(request.POST)
        if not form.is_valid():
            return self._page(request, place, form)
        try:
            recurring.create(workspace=place.workspace, given=form.given(), rrule=form.rule, by=request.user)
        except CloudconsoleError as error:
            form.add_error(error.attr if error.attr in form.fields else None, error.detail)
            return self._page(request, place, form)
        messages.success(request, "It comes by itself from now on; days that are past are entered already.")
        return back(place, "recurring")

    def _page(self, request: SignedInRequest, place: Place, form: SeriesForm) -> HttpResponse:
        found = selectors.series(request.user, place.workspace)
        context = {"place": place, "tab": "recurring", "series": found, "form": form}
        context |= {"choices": completion.choices(place.workspace)}
        return render(request, "expenses/recurring.html", context, status=400 if form.errors else 200)


class SeriesDetail(Page):
    """What it enters and when: change it, pause it, let it go on, end it."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        series = selectors.series_for(request.user, pk)
        return self._page(request, series, SeriesForm(initial=_said(series)))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        series, action = selectors.series_for(request.user, pk), request.POST.get("action")
        if action == "change":
            return self._change(request, series)
        try:
            if action == "delete":
                recurring.delete(series=series, by=request.user)
            else:
                recurring.pause(series=series, paused=action == "pause", by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return back(place_in(request.user, series.workspace), "recurring")

    def _change(self, request: SignedInRequest, series: RecurringExpense) -> HttpResponse:
        form = SeriesForm(request.POST)
        if not form.is_valid():
            return self._page(request, series, form)
        try:
            recurring.change(series=series, given=form.given(input_of(series)), rrule=form.rule, by=request.user)
        except CloudconsoleError as error:
            form.add_error(error.attr if error.attr in form.fields else None, error.detail)
            return self._page(request, series, form)
        messages.success(request, "Saved. It counts for what comes from now on.")
        return back(place_in(request.user, series.workspace), "recurring")

    def _page(self, request: SignedInRequest, series: RecurringExpense, form: SeriesForm) -> HttpResponse:
        place = place_in(request.user, series.workspace)
        made = selectors.made_by(request.user, series)
        context = {
            "place": place,
            "tab": "recurring",
            "series": series,
            "form": form,
            "may_change": place.may_decide or (place.may_add and series.owner_id == request.user.pk),
            "coming": selectors.coming(series, COMING),
            "made": made.newest_first()[:COMING],
            "made_count": made.count(),
            "choices": completion.choices(place.workspace),
        }
        return render(request, "expenses/series.html", context, status=400 if form.errors else 200)


def _said(series: RecurringExpense) -> dict[str, Any]:
    """What the form shows of a series: one of the usual rules, or its own."""
    given = input_of(series)
    names = ("date", "payee", "cost", "currency", "payment_method", "description")
    usual = series.rrule in dict(OFTEN)
    return {
        **{name: getattr(given, name) for name in names},
        "category": str(series.category or ""),
        "tags": ", ".join(given.tags),
        "often": series.rrule if usual else "",
        "rrule": "" if usual else series.rrule,
    }


class BudgetList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        return self._page(request, place, BudgetForm(workspace=place.workspace))

    def post(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        form = BudgetForm(request.POST, workspace=place.workspace)
        if not form.is_valid():
            return self._page(request, place, form)
        try:
            budgets.create(workspace=place.workspace, given=form.given(), by=request.user)
        except CloudconsoleError as error:
            form.add_error(error.attr if error.attr in form.fields else None, error.detail)
            return self._page(request, place, form)
        return back(place, "budgets")

    def _page(self, request: SignedInRequest, place: Place, form: BudgetForm) -> HttpResponse:
        standings = budget_selectors.listed(request.user, place.workspace, clock.today())
        context = {"place": place, "tab": "budgets", "standings": standings, "form": form}
        return render(request, "expenses/budgets.html", context, status=400 if form.errors else 200)


class BudgetDetail(Page):
    """Another amount, or none any more."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        budget = budget_selectors.get_for(request.user, pk)
        place = place_in(request.user, budget.workspace)
        data = {"category": budget.category_id, "currency": budget.currency, "every": budget.every, **request.POST.dict()}
        form = BudgetForm(data, workspace=place.workspace)
        try:
            if request.POST.get("action") == "delete":
                budgets.delete(budget=budget, by=request.user)
            elif form.is_valid():
                budgets.change(budget=budget, given=form.given(), by=request.user)
            else:
                messages.error(request, "An amount such as 500, and thresholds such as 80, 100.")
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return back(place, "budgets")
