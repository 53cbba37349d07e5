"""What the reader has to know: the list of alerts, and the bell in the frame."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.forms.channels import AlertFilterForm
from accounts.requests import SignedInRequest
from accounts.selectors import alerts as selectors
from accounts.services import reading
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm

PAGE_SIZE = 50


class AlertList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        filters = AlertFilterForm(request.GET)
        filters.full_clean()
        page = Paginator(filters.narrowed(selectors.visible(request.user), request.user), PAGE_SIZE).get_page(
            request.GET.get("page")
        )
        count = page.paginator.count
        context = {
            "page": page,
            "filters": filters,
            "filtered": any(filters.cleaned_data.values()),
            "summary": f"{count} alert{'' if count == 1 else 's'}",
            "unread": selectors.unread_count(request.user),
        }
        return render(request, "alerts/list.html", context)


class Bell(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return render(request, "parts/_bell.html")


class Read(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        reading.mark_read(alert=selectors.get_for(request.user, pk), by=request.user)
        return redirect("alerts:list")


class Open(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        alert = selectors.get_for(request.user, pk)
        reading.mark_read(alert=alert, by=request.user)
        return redirect(alert.path or "alerts:list")


class ReadAll(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        count = reading.mark_all_read(by=request.user)
        messages.success(request, f"{count} alert{'' if count == 1 else 's'} marked as read.")
        return redirect("alerts:list")
