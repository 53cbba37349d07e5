"""What requests came to, and the log of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from accounts.requests import SignedInRequest
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from gateway.forms.statistics import StatisticsForm
from gateway.models import RequestLog
from gateway.rules import causes
from gateway.selectors import captures
from gateway.selectors import statistics as selectors
from gateway.selectors.statistics import LogFilter
from gateway.views.lines import bars

PAGE_SIZE = 50


class Statistics(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        form = StatisticsForm({"days": str(selectors.DAYS), **request.GET.dict()}, user=request.user)
        form.full_clean()
        wanted = form.wanted
        found = selectors.of(request.user, wanted)
        page = _page(captures.marked(selectors.logs(request.user, wanted)), request.GET)
        context = {
            "form": form,
            "found": found,
            "bars": bars(found.by_day),
            "days_called": [one for one in reversed(found.by_day) if one.sums.calls],
            "causes": [(causes.words(cause), times) for cause, times in found.by_cause.items()],
            "may_see_people": request.user.may(Perm.AUDIT_VIEW_ALL),
            "logs": page.rows,
            "export": _export(wanted),
            "newer": page.newer,
            "older": page.older,
            "filtered": replace(wanted, days=selectors.DAYS) != LogFilter(),
        }
        return render(request, "gateway/statistics.html", context)


class PeopleStatistics(Page):
    """What each person sent: a part of the statistics that comes after the rest of the page."""

    permission = Perm.AUDIT_VIEW_ALL

    def get(self, request: SignedInRequest) -> HttpResponse:
        form = StatisticsForm({"days": str(selectors.DAYS), **request.GET.dict()}, user=request.user)
        form.full_clean()
        days = form.wanted.days
        context = {"form": form, "people": selectors.of_people(request.user, days), "days": days}
        return render(request, "gateway/people.html", context)


def _export(wanted: LogFilter) -> str:
    """Where a program gets what the page shows, under the API's own names."""
    asked = {("api_key_id" if name == "key" else name): value for name, value in asdict(wanted).items() if value}
    return f"/api/stats/request-logs/export?{urlencode(asked)}"


@dataclass(frozen=True)
class LogPage:
    """Requests newest first; `newer` and `older` are addresses, empty at the ends."""

    rows: list[RequestLog]
    newer: str
    older: str


def _page(found: QuerySet[RequestLog], query: QueryDict) -> LogPage:
    """The page older than `before` or newer than `after` (numbers of rows): stable while new ones arrive."""
    before, after = _row(found, query.get("before")), _row(found, query.get("after"))
    if after is not None:
        rows = list(found.filter(_later(after)).order_by("at", "pk")[: PAGE_SIZE + 1])
        more_newer, more_older = len(rows) > PAGE_SIZE, True
        rows = rows[:PAGE_SIZE][::-1]
    else:
        older = found if before is None else found.filter(_earlier(before))
        rows = list(older.order_by("-at", "-pk")[: PAGE_SIZE + 1])
        more_newer, more_older = before is not None, len(rows) > PAGE_SIZE
        rows = rows[:PAGE_SIZE]
    return LogPage(
        rows,
        _address(query, after=rows[0].pk) if rows and more_newer else "",
        _address(query, before=rows[-1].pk) if rows and more_older else "",
    )


def _row(found: QuerySet[RequestLog], text: str | None) -> RequestLog | None:
    is_number = text and text.isascii() and text.isdecimal() and len(text) < 19
    return found.filter(pk=int(text)).first() if is_number and text else None


def _later(row: RequestLog) -> Q:
    return Q(at__gte=row.at) & (Q(at__gt=row.at) | Q(pk__gt=row.pk))  # the first half is what an index can begin at


def _earlier(row: RequestLog) -> Q:
    return Q(at__lte=row.at) & (Q(at__lt=row.at) | Q(pk__lt=row.pk))


def _address(query: QueryDict, **cursor: int) -> str:
    changed = query.copy()
    for name in ("before", "after"):
        changed.pop(name, None)
    changed.update({name: str(value) for name, value in cursor.items()})
    return f"?{changed.urlencode()}"
