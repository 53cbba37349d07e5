"""/api/alerts: what the reader has to know."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person
from accounts.models import Alert, AwsAccount
from accounts.models.alerts import SEVERITIES
from accounts.selectors import alerts as selectors
from accounts.services import reading
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm


class AlertedAccountSerializer(serializers.ModelSerializer[AwsAccount]):
    class Meta:
        model = AwsAccount
        fields = ["id", "alias", "account_id"]
        read_only_fields = fields


class AlertSerializer(serializers.ModelSerializer[Alert]):
    is_read = serializers.BooleanField(read_only=True)
    lines = serializers.ListField(child=serializers.CharField(), read_only=True)
    accounts = AlertedAccountSerializer(many=True, read_only=True)

    class Meta:
        model = Alert
        fields = ["id", "kind", "severity", "title", "lines", "path", "everywhere", "accounts", "is_read", "created_at"]
        read_only_fields = fields


class ReadAlertsSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many were unread.")


class AlertFilter(filters.FilterSet):  # type: ignore[misc]
    severity = filters.MultipleChoiceFilter(choices=SEVERITIES)
    kind = filters.CharFilter(field_name="kind")
    is_read = filters.BooleanFilter(field_name="is_read")

    class Meta:
        model = Alert
        fields = ["severity", "kind"]


class Alerts(ListApiView):
    permission = Perm.SELF
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    queryset = Alert.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Alert]:
        return selectors.visible(person(self.request))

    @extend_schema(tags=["alerts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The alerts about accounts that you may see, newest first."""
        return super().get(request, *args, **kwargs)


class ReadAlert(ApiView):
    permission = Perm.SELF

    @extend_schema(request=None, responses={204: None}, tags=["alerts"])
    def post(self, request: Request, alert_id: int) -> Response:
        """You have read it."""
        reading.mark_read(alert=selectors.get_for(person(request), alert_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReadAllAlerts(ApiView):
    permission = Perm.SELF

    @extend_schema(request=None, responses=ReadAlertsSerializer, tags=["alerts"], operation_id="alerts_read_all")
    def post(self, request: Request) -> Response:
        """You have read all of them."""
        return Response({"read": reading.mark_all_read(by=person(request))})
