"""/api/costs/reports: the reports a person keeps."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.api.parameters import reader
from costs.models import SavedReport
from costs.selectors import saved as selectors
from costs.selectors.reports import Report
from costs.services import reports as services


class SavedReportSerializer(serializers.ModelSerializer[SavedReport]):
    url = serializers.SerializerMethodField(help_text="The page. Whoever opens it sees what they may see.")

    class Meta:
        model = SavedReport
        fields = ["id", "name", "query", "url", "created_at", "updated_at"]
        read_only_fields = fields

    def get_url(self, saved: SavedReport) -> str:
        return f"/costs?report={saved.key}"


class NewReportSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=services.NAME_LENGTH)
    query = serializers.CharField(
        max_length=8000, allow_blank=True, help_text="The parameters of the page, such as `range=90d&group_by=account`."
    )

    def validate_query(self, text: str) -> Report:
        return report_parameters.read_text(text)


class Reports(ListApiView):
    permission = Perm.SELF
    serializer_class = SavedReportSerializer
    queryset = SavedReport.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[SavedReport]:
        return selectors.visible(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your reports by name."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewReportSerializer, responses={201: SavedReportSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Keep a report. One of yours with the same name is replaced."""
        given = NewReportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        saved = services.save(name=given.validated_data["name"], report=given.validated_data["query"], by=reader(request))
        return Response(SavedReportSerializer(saved).data, status=status.HTTP_201_CREATED)


class OneReport(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=SavedReportSerializer, tags=["costs"])
    def get(self, request: Request, report_id: int) -> Response:
        """One of your reports."""
        return Response(SavedReportSerializer(selectors.get_for(reader(request), report_id)).data)

    @extend_schema(request=NewReportSerializer(partial=True), responses=SavedReportSerializer, tags=["costs"])
    def patch(self, request: Request, report_id: int) -> Response:
        """Another name, another question, or both. 409 `name_taken`."""
        saved = selectors.get_for(reader(request), report_id)
        given = NewReportSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        changed = services.change(
            saved=saved, name=wanted.get("name", saved.name), report=wanted.get("query"), by=reader(request)
        )
        return Response(SavedReportSerializer(changed).data)

    @extend_schema(responses={204: None}, tags=["costs"])
    def delete(self, request: Request, report_id: int) -> Response:
        """Let it go. Links to it lead nowhere then."""
        services.delete(saved=selectors.get_for(reader(request), report_id), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
