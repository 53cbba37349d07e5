"""/api/expenses/summary: sums in groups, each in one currency, held against the period before."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person
from cloudconsole.api import parameters
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from expenses.api.expenses import FILTERS
from expenses.api.reading import wanted
from expenses.api.serializers import AmountText
from expenses.api.spend import MissingRateSerializer
from expenses.rules.grouping import GroupBy
from expenses.selectors import rates, reports, total_spend
from expenses.selectors.total_spend import ConvertedReport


class SummaryGroupSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.JSONField(allow_null=True), help_text="In the order of group_by; null: none.")
    labels = serializers.ListField(child=serializers.CharField(), help_text="The same for people.")
    currency = serializers.CharField()
    count = serializers.IntegerField()
    sum = AmountText(source="amount")
    average = AmountText()
    median = AmountText(allow_null=True)
    previous = AmountText(allow_null=True, help_text="The same group in the period before; null where groups are periods.")


class SummaryTotalSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    count = serializers.IntegerField()
    sum = AmountText(source="amount")
    average = AmountText()
    previous = AmountText(allow_null=True)


class SummaryPeriodSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")


class SummaryConvertedGroupSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.JSONField(allow_null=True))
    labels = serializers.ListField(child=serializers.CharField())
    count = serializers.IntegerField()
    sum = AmountText(source="amount", allow_null=True, help_text="Null where a rate is missing for some of it.")


class SummaryConvertedSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    count = serializers.IntegerField()
    sum = AmountText(source="whole", allow_null=True, help_text="Null where a rate is missing.")
    groups = SummaryConvertedGroupSerializer(many=True)
    missing = MissingRateSerializer(many=True, help_text="Rates that are stored for no such month: nothing is guessed.")


class ExpenseSummarySerializer(serializers.Serializer[Any]):
    group_by = serializers.ListField(child=serializers.CharField())
    period = SummaryPeriodSerializer(source="days", allow_null=True)
    previous_period = SummaryPeriodSerializer(source="previous", allow_null=True)
    totals = SummaryTotalSerializer(many=True)
    groups = SummaryGroupSerializer(many=True)
    converted = SummaryConvertedSerializer(allow_null=True, help_text="Only where `into` is given.")


class ExpenseSummary(ApiView):
    permission = Perm.SELF

    @extend_schema(
        parameters=[
            OpenApiParameter("group_by", many=True, enum=[one.value for one in GroupBy], description="One or two."),
            OpenApiParameter("median", OpenApiTypes.BOOL, description="Also the median of each group."),
            OpenApiParameter(
                "into", description="A currency into which each month is converted at its own rate, beside the rest."
            ),
            *FILTERS,
        ],
        responses=ExpenseSummarySerializer,
        tags=["expenses"],
    )
    def get(self, request: Request) -> Response:
        """Sums in groups. Every expense is in exactly one group of its currency, so that groups add up to the totals.

        By tag, a group is a combination of tags. With `start` and `end`, also the period before, as long as this one.
        """
        names = [one for given in request.query_params.getlist("group_by") for one in given.split(",") if one]
        for name in names:
            if name not in list(GroupBy):
                raise parameters.invalid("group_by", f"One of: {', '.join(GroupBy)}.")
        group_by = list(dict.fromkeys(GroupBy(name) for name in names)) or [GroupBy.CATEGORY]
        if len(group_by) > 2:
            raise parameters.invalid("group_by", "At most two.")
        wants_medians = {"true", "1"} & set(parameters.choices(request, "median", ("true", "false", "1", "0")))
        medians_of = sys.maxsize if wants_medians else 0
        by, asked, into = person(request), wanted(request, "group_by", "median", "into"), parameters.text(request, "into").upper()
        if into and into not in rates.known_currencies():
            raise parameters.invalid("into", "No rate is stored for this currency.")
        found = reports.report(by, asked, group_by, medians_of=medians_of)
        converted = total_spend.converted(by, asked, group_by, into) if into else None
        return Response(ExpenseSummarySerializer({**vars(found), "converted": _told(converted)}).data)


def _told(report: ConvertedReport | None) -> Mapping[str, Any] | None:
    if report is None:
        return None
    return {**vars(report), "missing": [{"currency": currency, "month": month} for currency, month in report.missing]}
