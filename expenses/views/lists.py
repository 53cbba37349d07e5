"""The list of expenses: what is in it, what it adds up to, and the row in which the next one is entered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render

from accounts.models import AwsAccount, User
from accounts.requests import SignedInRequest
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.entry import EntryForm, blank
from expenses.forms.parts import CLEARABLE
from expenses.models import Category, PaymentMethod
from expenses.rules.currencies import EXPONENTS
from expenses.rules.statuses import Status
from expenses.selectors import completion, edited, expenses, filters, keysets
from expenses.selectors.expenses import ExpenseFilter
from expenses.selectors.filters import FilterRefused
from expenses.views.place import Place, place_of

PAGE_SIZE: Final = 50


@dataclass(frozen=True)
class Chip:
    """One part of the filter, and the address of the list without it."""

    label: str
    value: str
    url: str


class ExpenseList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return render(request, "expenses/list.html", list_context(request, place_of(request)))


def list_context(request: SignedInRequest, place: Place, form: EntryForm | None = None) -> dict[str, Any]:
    """Everything that the list shows. A filter that cannot be read is told, and shows nothing."""
    wanted, refused = wanted_of(request, place)
    asked = request.GET.get("ordering", "")
    ordering = asked if asked in keysets.ORDERINGS else keysets.NEWEST
    found = expenses.listed(request.user, wanted) if refused is None else None
    page = keysets.Page([])
    if found is not None:
        page = keysets.page(
            found,
            ordering=ordering,
            cursor=request.GET.get("cursor", ""),
            size=PAGE_SIZE,
        )
    chips = list(_chips(request.GET, place, request.user))
    return {
        "place": place,
        "tab": "list",
        "page_rows": page.rows,
        "newer": _address(request.GET, cursor=page.newer) if page.newer else "",
        "older": _address(request.GET, cursor=page.older) if page.older else "",
        "ordered": _ORDERED[ordering],
        "words": ("Newer", "Older") if ordering == keysets.NEWEST else ("Previous", "Next"),
        "by_date": _heading(request.GET, ordering, "date"),
        "by_cost": _heading(request.GET, ordering, "cost"),
        "waiting": expenses.waiting_for(request.user, place.workspace) if place.may_decide else 0,
        "form": form or EntryForm(initial=blank(place.workspace), auto_id="entry_%s"),
        "refused": refused,
        "chips": chips,
        "filtered": bool(chips),
        "given": request.GET,
        "query": _address(request.GET, cursor=""),
        "last_edit": edited.last_of(request.user, place.workspace),
        "categories": _tree(place),
        "methods": PaymentMethod.objects.filter(workspace=place.workspace),
        "choices": completion.choices(place.workspace),
        "clearable": CLEARABLE,
        "statuses": list(Status) if place.workspace.needs_approval else [],
        "currencies": list(EXPONENTS),
        "export_formats": {"csv": "CSV", "xlsx": "Excel", "json": "JSON"},
    }


def wanted_of(request: SignedInRequest, place: Place) -> tuple[ExpenseFilter, FilterRefused | None]:
    try:
        return filters.read(request.GET, request.user, workspaces=(place.workspace.pk,)), None
    except FilterRefused as refused:
        return ExpenseFilter(workspaces=(place.workspace.pk,)), refused


def _tree(place: Place) -> list[Category]:
    return sorted(Category.objects.filter(workspace=place.workspace).select_related("parent"), key=str)


def _address(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"


@dataclass(frozen=True)
class Heading:
    """Of a column by which the list can be put in order: where that leads, and how it is in order now."""

    url: str
    direction: str


def _heading(query: QueryDict, ordering: str, column: str) -> Heading:
    """The largest and the newest come first; once more turns it round."""
    turned = column if ordering == f"-{column}" else f"-{column}"
    direction = {column: "ascending", f"-{column}": "descending"}.get(ordering, "")
    return Heading(_address(query, cursor="", ordering=turned), direction)


_ORDERED: Final = {
    "-date": "Newest first",
    "date": "Oldest first",
    "-cost": "Largest first",
    "cost": "Smallest first",
    "-created_at": "Entered last first",
    "created_at": "Entered first first",
}
_TITLES: Final = {
    "start": "From",
    "until": "To",
    "end": "Before",
    "category": "Category",
    "only_category": "Category",
    "payee": "Payee",
    "payment_method": "Paid with",
    "tag": "Tag",
    "only_tag": "Tagged exactly",
    "status": "State",
    "currency": "Currency",
    "owner": "Of",
    "account": "AWS account",
    "location": "Location",
    "min": "At least",
    "max": "At most",
    "search": "Words",
    "without": "Without",
    "weekday": "Weekday",
}


def _chips(query: QueryDict, place: Place, user: User) -> Iterator[Chip]:
    """What narrows the list, each with the address without it."""
    names = _names(query, place, user)
    for name in filters.NAMES:
        for value in query.getlist(name):
            if name == "workspace" or not value.strip():
                continue
            rest = query.copy()
            rest.pop("cursor", None)
            rest.setlist(name, [one for one in query.getlist(name) if one != value])
            yield Chip(_TITLES[name], names.get((name, value), value.replace("_", " ")), f"?{rest.urlencode()}")


def _names(query: QueryDict, place: Place, user: User) -> dict[tuple[str, str], str]:
    """What numbers in the address are called."""
    names = {("weekday", str(at)): day for at, day in enumerate(_WEEKDAYS, 1)}
    if query.get("category") or query.get("only_category"):
        for one in Category.objects.filter(workspace=place.workspace).select_related("parent"):
            names["category", str(one.pk)] = names["only_category", str(one.pk)] = str(one)
    if query.get("payment_method"):
        for pk, name in PaymentMethod.objects.filter(workspace=place.workspace).values_list("pk", "name"):
            names["payment_method", str(pk)] = name
    if query.get("account"):
        for pk, alias in AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_VIEW).values_list("pk", "alias"):
            names["account", str(pk)] = alias
    if query.get("owner"):
        for pk, name in place.workspace.members.values_list("pk", "username"):
            names["owner", str(pk)] = name
    return names


_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Totals(Page):
    """What the filtered expenses add up to, asked for by the list once it is there: it may take longer than the list."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        wanted, refused = wanted_of(request, place)
        found = [] if refused else expenses.totals(expenses.listed(request.user, wanted))
        return render(request, "expenses/_totals.html", {"totals": found, "place": place})


class Suggestions(Page):
    """Payees for what was typed, and what was said last of one, for the entry row's script."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        typed = request.GET.get("payee", "")[:200]
        last = completion.last_of(request.user, place.workspace, typed)
        return JsonResponse(
            {"payees": completion.payees(request.user, place.workspace, typed), "last": last.__dict__ if last else None}
        )
