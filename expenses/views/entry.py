"""Entering an expense, changing it in its row, and taking a change back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.entry import EntryForm, RowForm, blank, initial_of
from expenses.models import Expense
from expenses.selectors import completion, edited
from expenses.selectors import expenses as selectors
from expenses.services import edits
from expenses.services import expenses as services
from expenses.services.inputs import input_of
from expenses.views.lists import list_context
from expenses.views.place import Place, back, place_in, place_of


class AddExpense(Page):
    """The quick row. With htmx the list comes back, and the row is ready for the next expense."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        form = EntryForm(request.POST, auto_id="entry_%s")
        added = _add(request, place, form) if form.is_valid() else False
        if not request.headers.get("HX-Request"):
            return back(place) if added else render(request, "expenses/list.html", list_context(request, place, form))
        if added:
            kept = {**blank(place.workspace), "date": form.cleaned_data["date"], "currency": form.cleaned_data["currency"]}
            form = EntryForm(initial=kept, auto_id="entry_%s")
        return render(request, "expenses/_list.html", {**list_context(request, place, form), "was_added": added})


def _add(request: SignedInRequest, place: Place, form: EntryForm) -> bool:
    try:
        services.add(workspace=place.workspace, given=form.given(), by=request.user)
    except CloudconsoleError as error:
        form.add_error(error.attr if error.attr in form.fields else None, error.detail)
        return False
    return True


class ExpenseRow(Page):
    """One row of the list: as it is, or as a form."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        if "edit" in request.GET:
            return self._form(request, expense, RowForm(initial=initial_of(expense), auto_id=f"row_{pk}_%s"))
        return self._row(request, expense)

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense = selectors.get_for(request.user, pk)
        form = RowForm(request.POST, auto_id=f"row_{pk}_%s")
        if form.is_valid() and _change(request, expense, form):
            return self._row(request, selectors.get_for(request.user, pk))
        return self._form(request, expense, form)

    def _row(self, request: SignedInRequest, expense: Expense) -> HttpResponse:
        place = place_in(request.user, expense.workspace)
        return render(request, "expenses/_row.html", {"expense": expense, "place": place, "was_edited": True})

    def _form(self, request: SignedInRequest, expense: Expense, form: RowForm) -> HttpResponse:
        place = place_in(request.user, expense.workspace)
        context = {"expense": expense, "form": form, "place": place, "choices": completion.choices(place.workspace)}
        return render(request, "expenses/_row_form.html", context)


def _change(request: SignedInRequest, expense: Expense, form: RowForm) -> bool:
    given = form.given(input_of(expense))
    try:
        services.change(expense=expense, given=given, by=request.user, revision=form.cleaned_data["revision"])
    except CloudconsoleError as error:
        form.add_error(error.attr if error.attr in form.fields and error.attr != "revision" else None, error.detail)
        return False
    return True


class UndoEdit(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        edit = edited.get_for(request.user, pk)
        try:
            done = edits.undo(edit=edit, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            left = f" {done.left} were changed again since and stay as they are." if done.left else ""
            messages.success(request, f"Undone for {done.restored} {'expense' if done.restored == 1 else 'expenses'}.{left}")
        return redirect(_return_to(request, place_in(request.user, edit.workspace)))


def _return_to(request: SignedInRequest, place: Place) -> str:
    """Where the person was, if that is an address of ours."""
    given = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(given, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return given if given and is_ours else place.url("list")
