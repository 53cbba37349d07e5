"""One expense: everything that is said of it, its receipts, and what can be done with it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.entry import ExpenseForm, initial_of
from expenses.forms.parts import PartFormSet
from expenses.models import Expense
from expenses.rules import categorising, currencies
from expenses.rules.statuses import CHANGEABLE, Status
from expenses.selectors import completion
from expenses.selectors import expenses as selectors
from expenses.services import approvals
from expenses.services import expenses as services
from expenses.services.expenses import MOST_PARTS
from expenses.services.inputs import ExpenseInput, input_of
from expenses.views.place import Place, place_in


class ExpenseDetail(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        form = ExpenseForm(initial=initial_of(expense), user=request.user)
        return render(request, "expenses/detail.html", _context(request, expense, form))

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        form = ExpenseForm(request.POST, user=request.user)
        if form.is_valid() and _change(request, expense, form):
            messages.success(request, "Saved.")
            return redirect("expenses:detail", pk)
        return render(request, "expenses/detail.html", _context(request, expense, form), status=400)


def _change(request: SignedInRequest, expense: Expense, form: ExpenseForm) -> bool:
    try:
        services.change(
            expense=expense, given=form.given(input_of(expense)), by=request.user, revision=form.cleaned_data["revision"]
        )
    except CloudconsoleError as error:
        form.add_error(error.attr if error.attr in form.fields and error.attr != "revision" else None, error.detail)
        return False
    return True


def _context(request: SignedInRequest, expense: Expense, form: ExpenseForm) -> dict[str, Any]:
    place = place_in(request.user, expense.workspace)
    own, status = expense.owner_id == request.user.pk, Status(expense.status)
    why_not = _why_not(place, expense, own, status)
    for field in form.fields.values():
        field.disabled = bool(why_not)
    parts = Expense.objects.visible_to(request.user, Perm.SELF).filter(split=expense.split).exclude(pk=expense.pk)
    return {
        "expense": expense,
        "form": form,
        "place": place,
        "tab": "list",
        "choices": completion.choices(place.workspace),
        "receipts": expense.receipts.select_related("file").defer("file__content"),
        "parts": parts.newest_first().with_names() if expense.split else [],
        "why_not": why_not,
        "steps": _steps(place, own, status),
        "currencies": sorted(currencies.EXPONENTS),
    }


def _why_not(place: Place, expense: Expense, own: bool, status: Status) -> str:
    """Why the reader may not change it; empty when they may."""
    if not place.may_add:
        return "You look at what is in this workspace, and change nothing."
    if not own and not place.may_decide:
        return f"It is an expense of {expense.owner_name}: only they or an approver of the workspace may change it."
    if not place.workspace.needs_approval or status in CHANGEABLE:
        return ""
    if status is not Status.SUBMITTED:
        return "It was decided about, and stands as it is."
    return "It was handed in, and stands as it is. " + (
        "Take it back to change it." if own else f"Reject it, or ask {expense.owner_name} to take it back, to have it changed."
    )


def _steps(place: Place, own: bool, status: Status) -> list[tuple[str, str, str]]:
    """The buttons of the approval: name, words, icon."""
    if not place.workspace.needs_approval:
        return []
    if own:
        mine = {
            Status.DRAFT: ("submit", "Hand in", "outbox"),
            Status.REJECTED: ("submit", "Hand in again", "outbox"),
            Status.SUBMITTED: ("withdraw", "Take back", "undo"),
        }
        return [mine[status]] if status in mine and place.may_add else []
    if not place.may_decide:
        return []
    if status is Status.SUBMITTED:
        return [("approve", "Approve", "check"), ("reject", "Reject", "block")]
    return [("reimburse", "Paid back", "payments")] if status is Status.APPROVED else []


class _Change(Page):
    """A button on the page of one expense."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        try:
            return self.change(request, expense)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return redirect("expenses:detail", pk)

    def change(self, request: SignedInRequest, expense: Expense) -> HttpResponse:
        raise NotImplementedError


class DuplicateExpense(_Change):
    def change(self, request: SignedInRequest, expense: Expense) -> HttpResponse:
        again = services.duplicate(expense=expense, by=request.user)
        messages.success(request, "The same again, with the date of today.")
        return redirect("expenses:detail", again.pk)


class DeleteExpense(_Change):
    """The list then offers to undo it."""

    def change(self, request: SignedInRequest, expense: Expense) -> HttpResponse:
        services.delete(expense=expense, by=request.user)
        return redirect(place_in(request.user, expense.workspace).url("list"))


class DecideExpense(_Change):
    """Hand in, take back, approve, reject, pay back."""

    def change(self, request: SignedInRequest, expense: Expense) -> HttpResponse:
        match request.POST.get("step"):
            case "submit":
                approvals.submit(expense=expense, by=request.user)
            case "withdraw":
                approvals.withdraw(expense=expense, by=request.user)
            case "approve":
                approvals.approve(expense=expense, by=request.user, revision=_revision(request))
            case "reject":
                approvals.reject(expense=expense, reason=request.POST.get("reason", ""), by=request.user)
            case "reimburse":
                approvals.reimburse(expense=expense, by=request.user)
            case _:
                messages.error(request, "Choose what to do.")
        return redirect("expenses:detail", expense.pk)


def _revision(request: SignedInRequest) -> int | None:
    """Which one the page showed."""
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


class SplitExpense(Page):
    """Parts that add up to the whole: equal ones are offered, by the largest remainder."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        given = request.GET.get("parts", "2")
        count = int(given) if given in {str(one) for one in range(2, MOST_PARTS + 1)} else 2
        costs = currencies.shares(expense.cost, [Decimal(1)] * count, expense.currency)
        whole = {"description": expense.description, "category": str(expense.category or "")}
        return self._page(request, expense, PartFormSet(initial=[{**whole, "cost": cost} for cost in costs]))

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        forms = PartFormSet(request.POST)
        if not forms.is_valid():
            return self._page(request, expense, forms)
        try:
            services.split(expense=expense, parts=_parts(expense, forms.cleaned_data), by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return self._page(request, expense, forms)
        messages.success(request, "Split. The parts add up to the whole.")
        return redirect(place_in(request.user, expense.workspace).url("list"))

    def _page(self, request: SignedInRequest, expense: Expense, forms: Any) -> HttpResponse:
        place = place_in(request.user, expense.workspace)
        context = {"expense": expense, "forms": forms, "place": place, "tab": "list"}
        context |= {"choices": completion.choices(place.workspace), "counts": range(2, 9)}
        return render(request, "expenses/split.html", context)


def _parts(expense: Expense, given: list[dict[str, Any]]) -> list[ExpenseInput]:
    whole = input_of(expense)
    found = []
    for one in given:
        if one.get("cost") is not None:
            top, below = categorising.levels(one["category"])
            found.append(replace(whole, description=one["description"], category=top, subcategory=below, cost=one["cost"]))
    return found
