"""Categories and payment methods: what there is, how much hangs on each, and changing them with a look ahead."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.models import Category, PaymentMethod, Workspace
from expenses.rules.statuses import MethodKind
from expenses.selectors import trees as selectors
from expenses.services import categories, payment_methods
from expenses.views.place import back, place_in, place_of


class CategoryTree(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        context = {"place": place, "tab": "categories", "tree": selectors.tree(request.user, place.workspace)}
        return render(request, "expenses/categories.html", context)

    def post(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        try:
            parent = _category(request.user, place.workspace, request.POST.get("parent", ""))
            made = categories.add(workspace=place.workspace, name=request.POST.get("name", ""), parent=parent, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, f"Added “{made}”.")
        return back(place, "categories")


class CategoryDetail(Page):
    """Rename, move, merge, delete: how many expenses each would touch stands beside the button."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        category = selectors.category_for(request.user, pk)
        place = place_in(request.user, category.workspace)
        others = Category.objects.visible_to(request.user, Perm.SELF).filter(workspace=place.workspace).exclude(pk=pk)
        context: dict[str, Any] = {
            "category": category,
            "place": place,
            "tab": "categories",
            "reach": selectors.reach(category),
            "tops": others.filter(parent=None),
            "others": sorted(others.exclude(parent=category).select_related("parent"), key=str),
        }
        return render(request, "expenses/category.html", context)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        category = selectors.category_for(request.user, pk)
        place = place_in(request.user, category.workspace)
        try:
            messages.success(request, _carry_out(request, category))
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return back(place, "category", pk)
        return back(place, "categories")


def _carry_out(request: SignedInRequest, category: Category) -> str:
    named, by = str(category), request.user
    match request.POST.get("action"):
        case "rename":
            return f"“{named}” is called “{categories.rename(category=category, name=request.POST.get('name', ''), by=by)}” now."
        case "move":
            parent = _category(by, category.workspace, request.POST.get("parent", ""))
            return f"“{named}” is “{categories.move(category=category, parent=parent, by=by)}” now."
        case "merge":
            into = selectors.category_for(by, _number(request.POST.get("into", "")))
            return f"Merged into “{into}”: {categories.merge(category=category, into=into, by=by)} expenses moved."
        case "delete":
            categories.delete(category=category, by=by)
            return f"Deleted “{named}”."
        case _:
            raise categories.CategoryRefused("Choose what to do.")


def _category(user: User, workspace: Workspace, given: str) -> Category | None:
    if not given:
        return None
    found = selectors.category_for(user, _number(given))
    if found.workspace_id != workspace.pk:
        raise selectors.NoSuchCategory("There is no category with this number.")
    return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


class MethodList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        context = {
            "place": place,
            "tab": "methods",
            "methods": selectors.methods(request.user, place.workspace),
            "kinds": PaymentMethod._meta.get_field("kind").choices,
        }
        return render(request, "expenses/methods.html", context)

    def post(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        name, kind, last_four = _said(request)
        try:
            payment_methods.add(workspace=place.workspace, name=name, kind=kind, last_four=last_four, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return back(place, "methods")


class MethodDetail(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        method = selectors.method_for(request.user, pk)
        place = place_in(request.user, method.workspace)
        name, kind, last_four = _said(request)
        archived = method.archived_at is not None
        try:
            if request.POST.get("action") == "delete":
                payment_methods.delete(method=method, by=request.user)
            else:
                if request.POST.get("action") == "archive":
                    name, kind, last_four, archived = method.name, MethodKind(method.kind), method.last_four, not archived
                payment_methods.change(
                    method=method, name=name, kind=kind, last_four=last_four, archived=archived, by=request.user
                )
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return back(place, "methods")


def _said(request: SignedInRequest) -> tuple[str, MethodKind, str]:
    kind = request.POST.get("kind", "")
    return (
        request.POST.get("name", ""),
        MethodKind(kind) if kind in list(MethodKind) else MethodKind.OTHER,
        request.POST.get("last_four", ""),
    )
