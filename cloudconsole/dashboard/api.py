"""/api/dashboard: what the overview page shows, exact and for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
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
from costs.api.anomalies import AnomalySerializer
from costs.api.answers import AnswerSerializer, MoneyField, SummarySerializer, answer_document
from costs.api.budgets import BudgetSerializer
from costs.api.parameters import Parameters, reader, valid
from costs.api.recommendations import RecommendationSerializer
from costs.api.snapshots import SnapshotSerializer
from costs.selectors.questions import Answer
from expenses.api import spend
from expenses.api.spend import TotalSpendSerializer
from resources.api.operations import OperationSerializer
from resources.api.quotas import QuotaSerializer


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
    operations = OperationSerializer(many=True, help_text="What is under way in AWS, or waits for approval.")
    quotas = QuotaSerializer(many=True, help_text="Those near their limit.")
    anomalies = serializers.SerializerMethodField(help_text="Unusual costs that go on.")
    budgets = serializers.SerializerMethodField(help_text="Those that are used up most.")
    recommendations = RecommendationSerializer(
        source="savings.top", many=True, default=(), help_text="Those that are worth most."
    )
    total = serializers.SerializerMethodField(
        help_text="Cloud and expenses together; null where nobody entered expenses, or the scope is narrowed."
    )
    notices = NoticeSerializer(many=True)
    steps = StepSerializer(many=True, help_text="What a new installation still lacks; empty once there are figures.")
    activity = AuditEventSerializer(many=True)

    @extend_schema_field(AnswerSerializer(allow_null=True))
    def get_daily(self, page: Overview) -> dict[str, Any] | None:
        return _document(page.figures.by_service_daily) if page.figures else None

    @extend_schema_field(AnswerSerializer(allow_null=True))
    def get_monthly(self, page: Overview) -> dict[str, Any] | None:
        return _document(page.figures.by_service_monthly) if page.figures else None

    @extend_schema_field(AnomalySerializer(many=True))
    def get_anomalies(self, page: Overview) -> list[dict[str, Any]]:
        return list(AnomalySerializer([one.anomaly for one in page.anomalies], many=True).data)

    @extend_schema_field(BudgetSerializer(many=True))
    def get_budgets(self, page: Overview) -> list[dict[str, Any]]:
        shown = [line.budget for line in page.budgets]
        prefetch_related_objects(shown, "planned", "thresholds")
        return list(BudgetSerializer(shown, many=True).data)

    @extend_schema_field(TotalSpendSerializer(allow_null=True))
    def get_total(self, page: Overview) -> dict[str, Any] | None:
        return dict(TotalSpendSerializer(spend.told(page.total.course)).data) if page.total else None


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
