"""/api/costs/forecast/aws: what Cost Explorer itself expects, beside the console's own forecast of the same days."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import METRICS, DayField, Parameters, reader, valid
from costs.models import AwsForecast, AwsForecastPoint
from costs.rules.windows import first_of_month
from costs.selectors import aws_forecasts as selectors
from costs.selectors import sources
from costs.selectors.aws_forecasts import Compared
from costs.services import aws_forecasts as services


class AwsForecastParameters(Parameters):
    metric = ChoiceField(choices=METRICS, default=Metric.UNBLENDED.value)
    until = DayField(
        default=lambda: first_of_month(clock.today(), months=1),
        help_text="The day after the last. Default: the end of this month.",
    )


class NewAwsForecastSerializer(AwsForecastParameters):
    account = serializers.CharField(max_length=63, help_text="Id, alias or 12-digit number.")


class AwsForecastPointSerializer(serializers.ModelSerializer[AwsForecastPoint]):
    amount = MoneyField()
    low = MoneyField(allow_null=True)
    high = MoneyField(allow_null=True)

    class Meta:
        model = AwsForecastPoint
        fields = ["start", "end", "amount", "low", "high"]


class AwsForecastSerializer(serializers.ModelSerializer[AwsForecast]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    method = serializers.CharField(default="cost_explorer", read_only=True)
    amount = MoneyField(allow_null=True)
    points = AwsForecastPointSerializer(many=True)

    class Meta:
        model = AwsForecast
        fields = [
            "id", "account", "alias", "metric", "start", "end", "level", "method", "status", "amount", "currency", "points",
            "error_code", "error_detail", "error_remedy", "requested_at", "finished_at",
        ]  # fmt: skip


class ComparedSerializer(serializers.Serializer[Compared]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    aws = AwsForecastSerializer(source="asked", allow_null=True, help_text="The newest that was asked for; null: none was.")
    own = MoneyField(source="own.amount", default=None, allow_null=True, help_text="The console's own, of the same days.")
    own_method = serializers.CharField(source="own.method", default=None, allow_null=True)
    difference = MoneyField(allow_null=True, help_text="AWS's beyond our own.")


class AwsForecasts(ApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.COSTS_REFRESH}

    @extend_schema(parameters=[AwsForecastParameters], responses=ComparedSerializer(many=True), tags=["costs"])
    def get(self, request: Request) -> Response:
        """For each bill the newest forecast that AWS was asked for, beside the console's own of the same days."""
        given, user = valid(AwsForecastParameters, request), reader(request)
        found = selectors.compared(user, sources.visible(user), Metric(given["metric"]), given["until"])
        return Response([ComparedSerializer(one).data for one in found])

    @extend_schema(request=NewAwsForecastSerializer, responses={202: AwsForecastSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Ask AWS for its forecast of a whole bill, from today on, in the background. It costs $0.01."""
        body = NewAwsForecastSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        asked = services.request_for(
            account=given["account"], metric=Metric(given["metric"]), end=given["until"], by=reader(request)
        )
        return Response(
            AwsForecastSerializer(asked).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/api/costs/forecast/aws/{asked.pk}"},
        )


class OneAwsForecast(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(responses=AwsForecastSerializer, tags=["costs"])
    def get(self, request: Request, forecast_id: int) -> Response:
        """One forecast by AWS, with its months."""
        return Response(AwsForecastSerializer(selectors.forecast_for(reader(request), forecast_id)).data)
