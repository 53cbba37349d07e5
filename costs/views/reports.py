"""Keeping a report under a name, giving it another one, and letting it go."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.selectors import saved as selectors
from costs.services import reports
from costs.services.reports import InvalidName, NameTaken
from costs.views import addresses


class SaveReport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        query = request.POST.get("query", "")
        try:
            report = report_parameters.read(QueryDict(query))
            saved = reports.save(name=request.POST.get("name", ""), report=report, by=request.user)
        except ValidationError:
            messages.error(request, "The report cannot be read any more.")
            return redirect(addresses.EXPLORER)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return redirect(f"{reverse(addresses.EXPLORER)}?{query}")
        messages.success(request, f"Saved as “{saved.name}”. Share it by its link in the list of reports.")
        return redirect(addresses.of(report))


class RenameReport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        saved = selectors.get_for(request.user, pk)
        before = saved.name
        try:
            reports.change(saved=saved, name=request.POST.get("name", ""), report=None, by=request.user)
            if saved.name != before:
                messages.success(request, f"“{before}” is called “{saved.name}” now. Its link stays the same.")
        except (InvalidName, NameTaken) as error:
            messages.error(request, error.detail)
        return _back(request)


class DeleteReport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        saved = selectors.get_for(request.user, pk)
        reports.delete(saved=saved, by=request.user)
        messages.success(request, f"Deleted the report “{saved.name}”.")
        return _back(request)


def _back(request: SignedInRequest) -> HttpResponse:
    """To what was on the page; an address that cannot be read leads to its beginning."""
    try:
        return redirect(addresses.of(report_parameters.read(QueryDict(request.POST.get("query", "")))))
    except (ValidationError, CloudconsoleError):
        return redirect(addresses.EXPLORER)
