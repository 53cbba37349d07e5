"""Asking AWS again, and keeping a list as one likes to see it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.models import WHAT_RUNS, Service, SyncTrigger
from resources.selectors import completeness
from resources.services import saved_views
from resources.services.inventory import syncs

LISTS = {"ec2": "resources:instances", "s3": "resources:buckets", "lambda": "resources:functions"}


class RefreshInventory(Page):
    """Asks for the lists of the scope to be read again; with `service` for that one."""

    permission = Perm.RESOURCES_REFRESH

    def post(self, request: SignedInRequest) -> HttpResponse:
        name = request.POST.get("service", "")
        services = [Service(name)] if name in Service.values else list(WHAT_RUNS)
        accounts = scope.of(request.user, request.GET, self.permission).accounts
        try:
            syncs.request(accounts=accounts, services=services, trigger=SyncTrigger.MANUAL, by=request.user)
        except CloudconsoleError as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, "Asking AWS. The list moves by itself.")
        return redirect(_list_url(name, request.GET.urlencode()))


class RunningSyncs(Page):
    """The runs that are asking now: the part of the lists that moves every second."""

    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        accounts = scope.of(request.user, request.GET, self.permission).accounts
        return render(request, "resources/_syncs.html", {"syncs": completeness.open_syncs(request.user, accounts)})


class SaveView(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        page, query = request.POST.get("list", ""), request.POST.get("query", "")
        if page not in LISTS:
            messages.error(request, "There is no such list.")
            return redirect("overview")
        try:
            view = saved_views.save(by=request.user, page=page, name=request.POST.get("name", ""), query=query)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return redirect(_list_url(page, query))
        messages.success(request, f"Saved as “{view.name}”.")
        return redirect(_list_url(page, view.query))


class DeleteView(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        view = saved_views.delete(by=request.user, pk=pk)
        messages.success(request, f"The view “{view.name}” is gone.")
        return redirect(_list_url(view.page, ""))


def _list_url(page: str, query: str) -> str:
    url = reverse(LISTS.get(page, "resources:instances"))
    return f"{url}?{query}" if query else url
