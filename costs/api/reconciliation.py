"""/api/costs/reconciliation: whether stored costs can be believed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import METRICS, Parameters, reader, valid
from costs.models import CostRestatement, MonthClose, MonthDifference, MonthFigure, MonthRestatement, SnapshotWindow
from costs.rules.cubes import Cube
from costs.selectors import reconciliation as selectors
from costs.selectors.reconciliation import MONTHS_SHOWN, Account, CubeSum, Month


class ReconciliationParameters(Parameters):
    account = serializers.ListField(
        child=serializers.CharField(max_length=63),
        required=False,
        default=list,
        max_length=100,
        help_text="Id, alias or 12-digit number; repeatable. None: all that you may see.",
    )
    metric = ChoiceField(choices=METRICS, default=Metric.UNBLENDED.value)
    months = serializers.IntegerField(
        min_value=1, max_value=MONTHS_SHOWN, default=MONTHS_SHOWN, help_text="How many months back, with this one."
    )


class CubeSumSerializer(serializers.Serializer[CubeSum]):
    cube = serializers.CharField(source="name")
    title = serializers.CharField()
    amount = MoneyField()
    residual = MoneyField(help_text="What the control total tells beyond it.")
    days = serializers.IntegerField()
    complete_days = serializers.IntegerField()


class MonthFigureSerializer(serializers.ModelSerializer[MonthFigure]):
    unblended, blended, amortized, net_unblended, net_amortized = (MoneyField() for _ in range(5))

    class Meta:
        model = MonthFigure
        fields = ["currency", "rows", "unblended", "blended", "amortized", "net_unblended", "net_amortized"]


class MonthDifferenceSerializer(serializers.ModelSerializer[MonthDifference]):
    service = serializers.CharField(source="service.value", default=None, allow_null=True, help_text="Null: the control total.")
    before = MoneyField(source="unblended_before")
    after = MoneyField(source="unblended_after")
    difference = MoneyField()

    class Meta:
        model = MonthDifference
        fields = ["service", "currency", "before", "after", "difference"]


class MonthRestatementSerializer(serializers.ModelSerializer[MonthRestatement]):
    differences = MonthDifferenceSerializer(many=True)

    class Meta:
        model = MonthRestatement
        fields = ["detected_at", "digest", "snapshot", "differences"]


class MonthCloseSerializer(serializers.ModelSerializer[MonthClose]):
    control_totals = serializers.SerializerMethodField()
    restatements = MonthRestatementSerializer(many=True)

    class Meta:
        model = MonthClose
        fields = ["frozen_at", "digest", "facts", "snapshot", "control_totals", "restatements"]

    @extend_schema(responses=MonthFigureSerializer(many=True))
    def get_control_totals(self, close: MonthClose) -> Any:
        totals = [one for one in close.figures.all() if one.cube == Cube.TOTAL]
        return MonthFigureSerializer(totals, many=True).data


class RestatedDaySerializer(serializers.ModelSerializer[CostRestatement]):
    before = MoneyField(source="unblended_before")
    after = MoneyField(source="unblended_after")
    difference = MoneyField()

    class Meta:
        model = CostRestatement
        fields = ["day", "before", "after", "difference", "detected_at", "snapshot"]


class ReconciledMonthSerializer(serializers.Serializer[Month]):
    month = serializers.DateField(help_text="Its first day.")
    currency = serializers.CharField()
    control_total = MoneyField()
    cubes = CubeSumSerializer(many=True)
    days_begun = serializers.IntegerField(source="begun")
    days_stored = serializers.IntegerField(source="stored")
    days_missing = serializers.IntegerField(source="missing")
    days_complete = serializers.IntegerField(source="complete")
    days_estimated = serializers.IntegerField(source="estimated")
    days_stale = serializers.IntegerField(source="stale", help_text="They have settled since they were fetched.")
    close = MonthCloseSerializer(allow_null=True)
    waits = serializers.CharField(help_text="Why it is not closed; else empty.")
    restated_days = RestatedDaySerializer(many=True)


class FailedWindowSerializer(serializers.ModelSerializer[SnapshotWindow]):
    cube = serializers.CharField(source="title")

    class Meta:
        model = SnapshotWindow
        fields = ["cube", "start", "end", "error_code", "error_detail"]


class ReconciledAccountSerializer(serializers.Serializer[Account]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    account_id = serializers.CharField(source="source.account.account_id")
    status = serializers.CharField(source="source.status")
    code = serializers.CharField(source="source.status_code")
    detail = serializers.CharField(source="source.status_detail")
    remedy = serializers.CharField(source="source.status_remedy")
    observed_at = serializers.DateTimeField(source="source.fresh_at", allow_null=True)
    failed = FailedWindowSerializer(many=True, help_text="What its newest run could not fetch.")
    months = ReconciledMonthSerializer(many=True)


class ReconciliationSerializer(serializers.Serializer[Any]):
    metric = serializers.CharField()
    accounts = ReconciledAccountSerializer(many=True)


class CostReconciliation(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ReconciliationParameters], responses=ReconciliationSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """By account and month: control total, what each grouping tells of it, what is missing, stale, frozen or restated."""
        given = valid(ReconciliationParameters, request)
        user = reader(request)
        sources = selectors.narrowed(user, given["account"])
        found = selectors.reconciliation(
            user, selectors.span(clock.today(), given["months"]), metric=Metric(given["metric"]), sources=sources
        )
        return Response(ReconciliationSerializer({"metric": given["metric"], "accounts": found}).data)
