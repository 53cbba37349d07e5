"""/api/dashboard: what the overview page shows, exact and for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import scope
from accounts.models import Environment
from audit.api.events import AuditEventSerializer
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from cloudconsole.dashboard.currencies import CurrencyTotal
from cloudconsole.dashboard.health import AccountRow, Notice, Step
from cloudconsole.dashboard.overview import Overview, overview
from costs.api.answers import AnswerSerializer, MoneyField, SummarySerializer, answer_document
from costs.api.parameters import Parameters, reader, valid
from costs.api.snapshots import SnapshotSerializer
from costs.selectors.questions import Answer


class DashboardParameters(Parameters):
    account = serializers.ListField(
        child=serializers.CharField(max_length=63), required=False, help_text="Id, alias or 12-digit number; repeatable."
    )
    environment = serializers.ListField(child=ChoiceField(Environment.choices), required=False)
    currency = serializers.RegexField(
        r"^[A-Z]{3}$", default="", help_text="Whose figures to show where costs are in several currencies."
    )


class CurrencySerializer(serializers.Serializer[CurrencyTotal]):
    currency = serializers.CharField()
    month_to_date = MoneyField(allow_null=True)
    last_month = MoneyField(allow_null=True)
    accounts = serializers.ListField(child=serializers.CharField())


class SpendingSerializer(serializers.Serializer[AccountRow]):
    id = serializers.IntegerField(source="account.pk")
    alias = serializers.CharField(source="account.alias")
    account_id = serializers.CharField(source="account.account_id")
    environment = serializers.CharField(source="account.environment")
    state = serializers.CharField()
    currency = serializers.CharField()
    month_to_date = MoneyField(allow_null=True)


class NoticeSerializer(serializers.Serializer[Notice]):
    title = serializers.CharField()
    text = serializers.CharField()
    url = serializers.CharField()


class StepSerializer(serializers.Serializer[Step]):
    title = serializers.CharField()
    text = serializers.CharField()
    done = serializers.BooleanField()


class OverviewSerializer(serializers.Serializer[Overview]):
    month = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    summary = SummarySerializer(source="figures.summary", default=None, allow_null=True)
    daily = serializers.SerializerMethodField(help_text="Thirty days by service.")
    monthly = serializers.SerializerMethodField(help_text="Thirteen months by service.")
    currencies = CurrencySerializer(many=True, help_text="A total for each, where costs are in several currencies; else empty.")
    accounts = SpendingSerializer(many=True)
    account_count = serializers.IntegerField()
    running = SnapshotSerializer(many=True)
    notices = NoticeSerializer(many=True)
    steps = StepSerializer(many=True, help_text="What a new installation still lacks; empty once there are figures.")
    activity = AuditEventSerializer(many=True)

    @extend_schema_field(AnswerSerializer(allow_null=True))
    def get_daily(self, page: Overview) -> dict[str, Any] | None:
        return _document(page.figures.by_service_daily) if page.figures else None

    @extend_schema_field(AnswerSerializer(allow_null=True))
    def get_monthly(self, page: Overview) -> dict[str, Any] | None:
        return _document(page.figures.by_service_monthly) if page.figures else None


def _document(answer: Answer) -> dict[str, Any]:
    return answer_document(answer, ())


class Dashboard(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=[DashboardParameters], responses=OverviewSerializer, tags=["dashboard"])
    def get(self, request: Request) -> Response:
        """What the overview page shows, of the accounts that you may see."""
        currency = valid(DashboardParameters, request)["currency"]
        user = reader(request)
        shown = scope.of(user, request.query_params, Perm.ACCOUNTS_VIEW)
        return Response(OverviewSerializer(overview(user, shown, currency)).data)
