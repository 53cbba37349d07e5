"""The pages about fetching costs."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.models import REQUEST_PRICE, CostSnapshot, SnapshotTrigger
from costs.models.sources import CostSourceQuerySet
from costs.selectors import refresh_prices, sources
from costs.selectors import snapshots as selectors
from costs.services import snapshots as services

PAGE_SIZE = 25


class SnapshotList(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        accounts = scope.of(request.user, request.GET, self.permission).accounts
        runs = selectors.visible(request.user).filter(source__account__in=accounts)
        page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
        told = list(sources.visible(request.user).filter(account__in=accounts))
        monthly = refresh_prices.monthly(told)
        context = {
            "page": page,
            "summary": f"{page.paginator.count} run{'' if page.paginator.count == 1 else 's'}",
            "sources": [(source, monthly.get(source.pk)) for source in told],
            "spent": sources.spent_this_month(request.user),
            "may_refresh": _refreshable(request).exists(),
            "sees_disconnected": request.user.may(Perm.ACCOUNTS_MANAGE),
        }
        return render(request, "costs/snapshots.html", context)


class SnapshotDetail(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        run = selectors.get_for(request.user, pk, self.permission)
        ended = run.finished_at or clock.now()
        context = {
            "run": run,
            "gone": run.source.account.deleted_at,
            "current": selectors.current_window(run),
            "windows": selectors.windows_of(run),
            "causes": selectors.causes_of(run),
            "restatements": selectors.restatements_of(run),
            "ledger": selectors.ledger_of(run),
            "took": ended - run.started_at if run.started_at else None,
            "may_refresh": CostSnapshot.objects.visible_to(request.user, Perm.COSTS_REFRESH).filter(pk=pk).exists(),
        }
        return render(request, "costs/snapshot.html", context)


class RefreshCosts(Page):
    """Says what a run of every source in the scope would cost, and asks for it once somebody agrees.

    What cannot be refreshed is told, and stops nothing else.
    """

    permission = Perm.COSTS_REFRESH

    def get(self, request: SignedInRequest) -> HttpResponse:
        offers = services.offers(sources=list(_refreshable(request)))
        requests = sum(offer.plan.requests for offer in offers if offer.is_possible)
        context = {"offers": offers, "requests": requests, "price": requests * REQUEST_PRICE}
        return render(request, "costs/refresh.html", context)

    def post(self, request: SignedInRequest) -> HttpResponse:
        asked = list(_refreshable(request))
        started: list[services.Requested] = []
        for source in asked:
            try:
                started.append(services.request(source=source, trigger=SnapshotTrigger.MANUAL, by=request.user))
            except CloudconsoleError as error:
                messages.error(request, f"{source.account.alias}: {error.detail}")
        if started:
            messages.success(request, _started(started))
        elif not asked:
            messages.warning(request, "There is nothing in this scope that you may refresh.")
        return redirect(reverse("costs:snapshots") + _query(request))


class CancelSnapshot(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        run = selectors.get_for(request.user, pk, self.permission)
        try:
            services.cancel(snapshot=run, by=request.user)
        except services.SnapshotIsOver as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, "Cancelled. What was fetched until now stays.")
        return redirect(reverse("costs:snapshot", args=[pk]) + _query(request))


def _refreshable(request: SignedInRequest) -> CostSourceQuerySet:
    accounts = scope.of(request.user, request.GET, Perm.COSTS_VIEW).accounts
    return sources.refreshable(request.user).filter(account__in=accounts)


def _started(runs: list[services.Requested]) -> str:
    """One sentence with a link to each run."""
    links = format_html_join(
        ", ",
        '<a href="{}">{}</a>',
        ((reverse("costs:snapshot", args=[run.snapshot.pk]), run.snapshot.source.account.alias) for run in runs),
    )
    return format_html(
        "Fetching the costs of {}. {}", links, "" if any(run.created for run in runs) else "It was running already."
    )


def _query(request: SignedInRequest) -> str:
    return f"?{request.GET.urlencode()}" if request.GET else ""
