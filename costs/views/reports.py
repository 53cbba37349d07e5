"""Keeping a report under a name, and letting it go."""

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
from costs.views import addresses


class SaveReport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        query = request.POST.get("query", "")
        try:
            report = report_parameters.read(QueryDict(query))
            saved = reports.save(name=request.POST.get("name", ""), report=report, by=request.user)
        except (ValidationError, CloudconsoleError) as error:
            detail = error.detail if isinstance(error, CloudconsoleError) else "The report cannot be read any more."
            messages.error(request, str(detail))
            return redirect(
                f"{reverse(addresses.EXPLORER)}?{query}" if isinstance(error, CloudconsoleError) else addresses.EXPLORER
            )
        messages.success(request, f"Saved as “{saved.name}”. Share it by its link in the list of reports.")
        return redirect(addresses.of(report))


class DeleteReport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        saved = selectors.get_for(request.user, pk)
        reports.delete(saved=saved, by=request.user)
        messages.success(request, f"Deleted the report “{saved.name}”.")
        return redirect(addresses.EXPLORER)
