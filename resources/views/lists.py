"""What the three lists share: the question in the address, columns, saved views, freshness, and slices of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts import scope
from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.scope import Scope
from cloudconsole.api.streams import csv_lines, streamed
from cloudconsole.core import clock
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.models import SavedView
from resources.selectors import completeness, lists
from resources.selectors.lists import Kind, Question
from resources.views.columns import NAME, PARAMETER, Column, chosen

PAGE_SIZE = 50
MAX_SEARCH = 200
_MAX_VALUES = 50


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, with the address without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the list."""

    name: str
    label: str
    choices: list[str]
    value: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's head: `url` sorts by it, `direction` says how it is sorted now."""

    column: Column
    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """What differs between the lists. `labels`: the filters offered, by name; `default_order` as the address says it."""

    name: str
    title: str
    lead: str
    noun: str
    kind: Kind[Any]
    columns: Sequence[Column]
    labels: dict[str, str]
    default_order: str = "name"


class InventoryPage(Page):
    """A list of one kind of resource. `described` says which; `rows` makes of models what its template shows."""

    permission = Perm.RESOURCES_VIEW
    described: ClassVar[ListPage]
    template: ClassVar[str]

    def rows(self, found: Sequence[Any]) -> Sequence[Any]:
        return found

    def extras(self, request: SignedInRequest, accounts: Sequence[AwsAccount]) -> dict[str, Any]:
        """What only this list shows."""
        return {}

    def get(self, request: SignedInRequest) -> HttpResponse:
        page, shown = self.described, scope.of(request.user, request.GET, self.permission)
        question = question_of(page, request.GET, shown)
        found = lists.found(page.kind, request.user, question)
        part = lists.slice_of(
            page.kind,
            found,
            question.order,
            size=PAGE_SIZE,
            before=request.GET.get("before", ""),
            after=request.GET.get("after", ""),
        )
        context = {
            "page": page,
            "rows": self.rows(part.rows),
            "count": found.count(),
            "newer": _address(request.GET, before=part.before) if part.before else "",
            "older": _address(request.GET, after=part.after) if part.after else "",
            "question": question,
            **self._furniture(request, question, shown.accounts),
            **self.extras(request, shown.accounts),
        }
        return render(request, self.template, context)

    def _furniture(self, request: SignedInRequest, question: Question, accounts: Sequence[AwsAccount]) -> dict[str, Any]:
        page, user = self.described, request.user
        shown = chosen(page.columns, request.GET)
        regions = question.filters.get("region", ())
        return {
            "columns": shown,
            "column_names": [column.name for column in shown],
            "headings": [_heading(column, question.order, request.GET) for column in (NAME, *shown)],
            "chosen_columns": request.GET.getlist(PARAMETER),
            "column_form": _pairs(request.GET, without=PARAMETER),
            "filters": _filters(page, request),
            "chips": _chips(page, question, request.GET),
            "views": SavedView.objects.visible_to(user, Perm.SELF).filter(page=page.name),
            "view_query": _view_query(request.GET),
            "completeness": completeness.completeness(user, page.kind.service, accounts, regions),
            "syncs": completeness.open_syncs(user, accounts),
            "may_refresh": AwsAccount.objects.visible_to(user, Perm.RESOURCES_REFRESH).exists(),
            "export_url": f"{reverse(f'resources:{page.name}-export')}?{request.GET.urlencode()}",
            "has_accounts": bool(accounts),
        }


class InventoryExport(Page):
    """The whole list as CSV, with the filters and the order of the page, and every column."""

    permission = Perm.RESOURCES_VIEW
    described: ClassVar[ListPage]
    header: ClassVar[Sequence[str]]

    def cells(self, found: Sequence[Any]) -> Iterator[Sequence[object]]:
        raise NotImplementedError

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        page, shown = self.described, scope.of(request.user, request.GET, self.permission)
        question = question_of(page, request.GET, shown)
        found = lists.found(page.kind, request.user, question)
        chunks = lists.one_by_one(page.kind, found, question.order)
        lines = csv_lines(self.header, (cells for chunk in chunks for cells in self.cells(chunk)))
        name = f"{page.name}-{clock.today():%Y-%m-%d}.csv"
        return streamed(request, lines, content_type="text/csv; charset=utf-8", filename=name)


def question_of(page: ListPage, query: QueryDict, shown: Scope) -> Question:
    """The address as a question. What means nothing is left out, so that an old link still shows a list."""
    filters = {name: [value for value in query.getlist(name) if value][:_MAX_VALUES] for name in page.kind.filters}
    order = query.get("order", page.default_order)
    return Question(
        shown.accounts,
        filters,
        query.get("search", "")[:MAX_SEARCH].replace("\x00", "").strip(),
        query.get("gone") == "yes",
        order if order.removeprefix("-") in page.kind.orders else page.default_order,
    )


def _filters(page: ListPage, request: SignedInRequest) -> list[Filter]:
    choices = page.kind.choices(request.user, list(page.labels))
    return [_filter(name, label, choices[name], request.GET.get(name, "")) for name, label in page.labels.items()]


def _filter(name: str, label: str, choices: list[str], value: str) -> Filter:
    """One that the address asks for is offered even where it finds nothing."""
    return Filter(name, label, choices if not value or value in choices else [value, *choices], value)


def _chips(page: ListPage, question: Question, query: QueryDict) -> list[Chip]:
    chips = [
        Chip(f"{page.labels.get(name, name)}: {value}", _address(query, without=(name, value)))
        for name, values in question.filters.items()
        for value in values
    ]
    if question.search:
        chips.insert(0, Chip(f"“{question.search}”", _address(query, without=("search", None))))
    if question.gone:
        chips.append(Chip("No longer there", _address(query, without=("gone", None))))
    return chips


def _heading(column: Column, order: str, query: QueryDict) -> Heading:
    if not column.order:
        return Heading(column, "", "")
    descending = order.startswith("-")
    is_current = order.removeprefix("-") == column.order
    following = f"-{column.order}" if is_current and not descending else column.order
    direction = ("descending" if descending else "ascending") if is_current else ""
    return Heading(column, _address(query, order=following), direction)


def _address(query: QueryDict, *, without: tuple[str, str | None] | None = None, **changes: str) -> str:
    """This list's address with `changes`, from its first row unless they say where."""
    changed = query.copy()
    for name in ("before", "after", *changes):
        changed.pop(name, None)
    if without is not None:
        name, value = without
        kept = [each for each in changed.getlist(name) if value is not None and each != value]
        changed.setlist(name, kept)
    for name, value in changes.items():
        changed[name] = value
    return f"?{changed.urlencode()}"


def _pairs(query: QueryDict, *, without: str) -> list[tuple[str, str]]:
    left_out = {without, "before", "after"}
    return [(name, value) for name, values in query.lists() if name not in left_out for value in values]


def _view_query(query: QueryDict) -> str:
    """What a saved view keeps: filters, order, columns and scope, not where in the list the reader is."""
    kept = query.copy()
    for name in ("before", "after"):
        kept.pop(name, None)
    return kept.urlencode()
