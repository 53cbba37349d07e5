"""/api/costs/forecast: where a period will end, by day or month."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import GRANULARITIES, DayField, FilterParameters, ScopeParameters, check_range, question, reader, valid
from costs.rules.windows import first_of_month
from costs.selectors import forecasts
from costs.selectors.costs import Reader
from costs.selectors.forecasts import Point, Projection
from costs.selectors.questions import Granularity

MONTHS_AHEAD = 18


class ForecastParameters(ScopeParameters, FilterParameters):
    start = DayField(default=lambda: first_of_month(clock.today()), help_text="First day. Default: this month's.")
    until = DayField(
        default=lambda: first_of_month(clock.today(), months=1),
        help_text="The day after the last. Default: the end of this month.",
    )
    granularity = ChoiceField(choices=GRANULARITIES, default=Granularity.DAILY.value)

    def validate(self, attrs: Any) -> Any:
        check_range(attrs["start"], attrs["until"], attr="until")
        if attrs["until"] > first_of_month(clock.today(), months=MONTHS_AHEAD + 1):
            raise serializers.ValidationError({"until": [f"A forecast reaches at most {MONTHS_AHEAD} months ahead."]})
        return attrs


class ForecastPointSerializer(serializers.Serializer[Point]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")
    actual = MoneyField(allow_null=True, help_text="What is known of it so far.")
    amount = MoneyField(allow_null=True, help_text="What is known where AWS adds nothing any more, else what is expected.")
    low = MoneyField(allow_null=True)
    high = MoneyField(allow_null=True)


class ForecastPeriodSerializer(serializers.Serializer[Projection]):
    start = serializers.DateField(source="question.days.start")
    until = serializers.DateField(source="question.days.end", help_text="Exclusive.")
    granularity = serializers.CharField(source="question.granularity")
    metric = serializers.CharField(source="question.metric")
    currency = serializers.CharField(allow_null=True)
    actual = MoneyField(allow_null=True, help_text="What is known of the whole period so far.")
    total = MoneyField(source="outlook.amount", allow_null=True, help_text="What the whole period is expected to cost.")
    low = MoneyField(source="outlook.low", allow_null=True)
    high = MoneyField(source="outlook.high", allow_null=True)
    level = serializers.IntegerField(source="outlook.level", help_text="Percent that the intervals are meant to hold.")
    method = serializers.CharField(source="outlook.method")
    reason = serializers.CharField(source="outlook.reason", help_text="Why there is no forecast; else empty.")
    points = ForecastPointSerializer(many=True)
    complete_until = serializers.DateField(allow_null=True, help_text="The day after the last one that AWS adds nothing to.")
    as_of = serializers.DateTimeField(allow_null=True)


class CostForecast(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ForecastParameters], responses=ForecastPeriodSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """What a period is expected to cost: known days as they are, the others by the model, with an interval."""
        given = valid(ForecastParameters, request)
        costs = Reader(reader(request), given["account"])
        found = forecasts.projection(costs, question(given | {"end": given["until"], "group_by": []}))
        return Response(ForecastPeriodSerializer(found).data)
