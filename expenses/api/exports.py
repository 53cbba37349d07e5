"""/api/expenses/export: exactly what a filter shows, as CSV, as a workbook or as JSON."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.api.requests import person
from cloudconsole.api import parameters
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from expenses.forms.downloads import FORMATS, XLSX, exported
from expenses.selectors import expenses, filters


class ExpenseExport(ApiView):
    permission = Perm.SELF

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=list(FORMATS), default="csv"),
            *(OpenApiParameter(name, str, many=True, description="As in the list.") for name in filters.NAMES),
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, XLSX): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
        tags=["expenses"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Every expense that the filter lets through, streamed. Text that a spreadsheet would run gets an apostrophe."""
        chosen = next(iter(parameters.choices(request, "format", FORMATS)), "csv")
        by = person(request)
        parameters.check_known(request.query_params, filters.NAMES)
        found = expenses.listed(by, filters.read(request._request.GET, by))
        return exported(request._request, found, chosen)
