"""The trail as a page."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from audit import selectors
from audit.forms import EventFilterForm
from audit.models import AuditEvent
from audit.models.events import AuditEventQuerySet
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm

PAGE_SIZE = 50


class EventList(Page):
    permission = Perm.SELF

    def get(self, request: HttpRequest) -> HttpResponse:
        form = EventFilterForm(request.GET)
        form.full_clean()
        wanted = form.wanted(tuple(request.GET.getlist("account")), tuple(request.GET.getlist("environment")))
        page = _page(selectors.events(request.user, wanted), request.GET)
        context = {
            "form": form,
            "events": page.events,
            "newer": page.newer,
            "older": page.older,
            "first_page": not page.newer,
            "filtered": wanted != selectors.EventFilter(),
            "sees_all": not request.user.is_anonymous and request.user.may(Perm.AUDIT_VIEW_ALL),
        }
        return render(request, "audit/list.html", context)


@dataclass(frozen=True)
class EventPage:
    """Events newest first; `newer` and `older` are addresses, empty at the ends."""

    events: list[AuditEvent]
    newer: str
    older: str


def _page(found: AuditEventQuerySet, query: QueryDict) -> EventPage:
    """The page older than `before` or newer than `after` (numbers of events): stable while new ones arrive."""
    before, after = _number(query.get("before")), _number(query.get("after"))
    if after is not None:
        events = list(found.filter(seq__gt=after).order_by("seq")[: PAGE_SIZE + 1])
        more_newer, more_older = len(events) > PAGE_SIZE, True
        events = events[:PAGE_SIZE][::-1]
    else:
        events = list((found if before is None else found.filter(seq__lt=before))[: PAGE_SIZE + 1])
        more_newer, more_older = before is not None, len(events) > PAGE_SIZE
        events = events[:PAGE_SIZE]
    newer = _address(query, after=events[0].seq) if events and more_newer else ""
    older = _address(query, before=events[-1].seq) if events and more_older else ""
    return EventPage(events, newer, older)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _address(query: QueryDict, **cursor: int) -> str:
    changed = query.copy()
    for name in ("before", "after"):
        changed.pop(name, None)
    changed.update({name: str(value) for name, value in cursor.items()})
    return f"?{changed.urlencode()}"
