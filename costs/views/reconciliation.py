"""Whether figures can be believed: one month of all accounts, and all months of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api.parameters import METRICS
from costs.models import REFUSED, CostSource, SourceStatus
from costs.rules.windows import first_of_month, month_of
from costs.selectors import reconciliation as selectors
from costs.selectors.reconciliation import Account, Month
from costs.views import controls
from costs.views.controls import Option

ROWS = 50
_TROUBLED = {*REFUSED, SourceStatus.PARTIAL, SourceStatus.STALE}


@dataclass(frozen=True, slots=True)
class Line:
    """An account's month, or None of it where nothing is stored."""

    account: Account
    month: Month | None

    @property
    def state(self) -> tuple[str, str]:
        """The pill: what somebody has to know first."""
        month = self.month
        if month is None or month.missing:
            return "partial", "Days missing" if month else "Nothing stored"
        if month.missing_cubes:
            return "partial", "Groupings missing"
        if month.stale:
            return "stale", "Fetch again"
        if month.close and month.close.restatements.all():
            return "warning", "Restated"
        return ("ok", "Closed") if month.close else ("pending", "Open")


class Reconciliation(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        today = clock.today()
        months = [first_of_month(today, months=-number) for number in range(selectors.MONTHS_SHOWN)]
        month = _chosen(request.GET.get("month", ""), months)
        metric = metric_of(request.GET)
        page = Paginator(_sources(request.user, request.GET), ROWS).get_page(request.GET.get("page"))
        found = selectors.reconciliation(request.user, month_of(month), metric=metric, sources=list(page.object_list))
        context = {
            "months": [Option(f"{one:%Y-%m}", f"{one:%B %Y}", one == month) for one in months],
            "metrics": metrics(metric),
            "month": month,
            "lines": [line for account in found for line in _lines(account)],
            "troubled": [account for account in found if account.source.status in _TROUBLED or account.failed],
            "page": page,
            "in_other_bills": not page.object_list and bool(selectors.narrowed(request.user, request.GET.getlist("account"))),
        }
        return render(request, "costs/reconciliation.html", context)


class AccountReconciliation(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        metric = metric_of(request.GET)
        source = selectors.source_for(request.user, pk)
        found = selectors.reconciliation(request.user, selectors.span(clock.today()), metric=metric, sources=[source])
        account = found[0] if found else Account(source, (), ())
        closed = [month.close for month in account.months if month.close]
        context: dict[str, Any] = {
            "account": account,
            "metrics": metrics(metric),
            "lines": _lines(account),
            "restatements": [one for close in closed for one in close.restatements.all()],
            "restated_days": [day for month in account.months for day in month.restated_days],
        }
        return render(request, "costs/reconciled.html", context)


def metric_of(query: QueryDict) -> Metric:
    """The metric that an address names; the usual one where it names none that there is."""
    named = query.get("metric", "")
    return Metric(named) if named in METRICS else Metric.UNBLENDED


def metrics(chosen: Metric) -> list[Option]:
    return [Option(one.value, label, one is chosen) for one, label in controls.METRICS.items()]


def _lines(account: Account) -> list[Line]:
    return [Line(account, month) for month in account.months] or [Line(account, None)]


def _chosen(text: str, months: Sequence[date]) -> date:
    return next((month for month in months if f"{month:%Y-%m}" == text), months[1])


def _sources(user: User, query: QueryDict) -> list[CostSource]:
    """Those of the page's scope that are fetched by themselves; a covered account's months are its payer's."""
    environments = query.getlist("environment")
    narrowed = selectors.narrowed(user, query.getlist("account"))
    return [
        source
        for source in narrowed
        if source.covered_by_id is None and (not environments or source.account.environment in environments)
    ]
