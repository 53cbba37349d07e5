"""Changing many expenses together: those that are chosen at once, all that match after a look at how many they are."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.parts import BULK_FIELDS, STEPS, bulk_changes, seen_at
from expenses.models import ExpenseQuerySet
from expenses.selectors import expenses
from expenses.services import bulk
from expenses.views.lists import wanted_of
from expenses.views.place import Place, back, place_of


class BulkEdit(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        found = _found(request, place)
        if "all" in request.POST and "sure" not in request.POST:
            return self._ask(request, place, found)
        try:
            what, count = _done(request, found)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, f"{what}: {count} {'expense' if count == 1 else 'expenses'}.")
        return back(
            place, "list", **{name: str(value) for name, value in request.GET.items() if name not in ("workspace", "cursor")}
        )

    def _ask(self, request: SignedInRequest, place: Place, found: ExpenseQuerySet) -> HttpResponse:
        totals, action = expenses.totals(found), request.POST.get("action", "")
        context = {
            "place": place,
            "tab": "list",
            "totals": totals,
            "count": sum(one.count for one in totals),
            "most": bulk.MAX_DECIDED if action in bulk.STEPS else bulk.MAX_ROWS,
            "told": [(words, request.POST[name]) for name, words in BULK_FIELDS.items() if request.POST.get(name)],
            "pairs": [(name, request.POST[name]) for name in ("action", "all", "seen", *BULK_FIELDS) if request.POST.get(name)],
            "deletes": action == "delete",
            "step": STEPS.get(action),
            "query": f"?{request.GET.urlencode()}",
        }
        return render(request, "expenses/bulk.html", context)


def _done(request: SignedInRequest, found: ExpenseQuerySet) -> tuple[str, int]:
    """What was done with how many."""
    action = request.POST.get("action", "")
    if action in bulk.STEPS:
        since = seen_at(request.POST)
        return bulk.STEPS[action][1], bulk.decide(found=found, step=action, by=request.user, unchanged_since=since)
    if action == "delete":
        edit = bulk.delete(found=found, by=request.user)
    else:
        edit = bulk.change(found=found, changes=bulk_changes(request.POST), by=request.user)
    return edit.what, edit.count


def _found(request: SignedInRequest, place: Place) -> ExpenseQuerySet:
    """All that the address matches, or the chosen ones."""
    wanted, refused = wanted_of(request, place)
    found = expenses.listed(request.user, wanted)
    if "all" in request.POST:
        return found.none() if refused else found
    return expenses.listed(request.user, expenses.ExpenseFilter(workspaces=(place.workspace.pk,))).filter(pk__in=_ids(request))


def _ids(request: SignedInRequest) -> list[uuid.UUID]:
    found = []
    for text in request.POST.getlist("id"):
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue  # no id of ours names nothing
    return found
