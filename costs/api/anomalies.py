"""/api/costs/anomalies: costs that were unusual, what drove them, and what people say of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from costs.api.answers import DaysSerializer, MoneyField
from costs.api.changes import DriverSerializer
from costs.api.parameters import reader
from costs.models import (
    AnomalyFeedback,
    AnomalyKind,
    AnomalyStatus,
    Assessment,
    AwsAnomaly,
    CostAnomaly,
    CostAnomalyDay,
    FoundBy,
)
from costs.models.anomalies import CostAnomalyQuerySet
from costs.selectors import anomalies as selectors
from costs.selectors.anomalies import Drivers
from costs.selectors.costs import Reader
from costs.services import anomaly_feedback, aws_anomalies


class AnomalySerializer(serializers.ModelSerializer[CostAnomaly]):
    bill = serializers.CharField(source="source.account.alias", help_text="The account in whose bill it is.")
    account = serializers.CharField(
        source="account_number", help_text="Its 12-digit number; empty for what a region shows over all accounts of the bill."
    )
    actual = MoneyField(help_text="What its unusual days cost; at least that much where `exact` is false.")
    expected = MoneyField(allow_null=True)
    impact = MoneyField(help_text="Actual minus expected.")
    peak = MoneyField(help_text="The largest impact of a day.")
    exact = serializers.BooleanField(source="is_exact", help_text="False where AWS does not tell all of it by account.")
    muted = serializers.BooleanField(source="is_muted")

    class Meta:
        model = CostAnomaly
        fields = [
            "id", "bill", "account", "region", "service", "currency", "kind", "status", "found_by", "started_on", "last_day",
            "days", "actual", "expected", "impact", "peak", "exact", "assessment", "muted", "detected_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class DaySerializer(serializers.ModelSerializer[CostAnomalyDay]):
    actual = MoneyField()
    expected = MoneyField(allow_null=True, help_text="Null where too little was known for a verdict.")
    limit = MoneyField(allow_null=True, help_text="From there on a day is unusual.")
    unusual = serializers.BooleanField(source="is_unusual")

    class Meta:
        model = CostAnomalyDay
        fields = ["day", "actual", "expected", "limit", "unusual"]
        read_only_fields = fields


class FeedbackSerializer(serializers.ModelSerializer[AnomalyFeedback]):
    by = serializers.CharField(source="by.username", default=None, allow_null=True)

    class Meta:
        model = AnomalyFeedback
        fields = ["assessment", "note", "by", "at"]
        read_only_fields = fields


class AwsAnomalySerializer(serializers.ModelSerializer[AwsAnomaly]):
    impact = MoneyField()
    actual = MoneyField(allow_null=True)
    expected = MoneyField(allow_null=True)

    class Meta:
        model = AwsAnomaly
        fields = [
            "aws_id",
            "monitor",
            "started_on",
            "last_day",
            "region",
            "usage_type",
            "impact",
            "actual",
            "expected",
            "feedback",
        ]
        read_only_fields = fields


class DriversSerializer(serializers.Serializer[Drivers]):
    before = DaysSerializer(source="compared.before")
    after = DaysSerializer(source="compared.after")
    found = DriverSerializer(many=True)


class AnomalyDetailSerializer(AnomalySerializer):
    day_by_day = DaySerializer(source="day_rows", many=True, help_text="Its days, and those around them.")
    feedback = FeedbackSerializer(many=True, help_text="The newest first.")
    aws = AwsAnomalySerializer(source="aws_anomalies", many=True, help_text="What AWS itself says of it.")
    drivers = serializers.SerializerMethodField()

    class Meta(AnomalySerializer.Meta):
        fields = [*AnomalySerializer.Meta.fields, "day_by_day", "feedback", "aws", "drivers"]
        read_only_fields = fields

    @extend_schema_field(DriversSerializer(allow_null=True))
    def get_drivers(self, anomaly: CostAnomaly) -> Any:
        """Null where these days' costs are not stored, or not complete yet."""
        try:
            found = selectors.drivers_of(Reader(reader(self.context["request"])), anomaly)
        except CloudconsoleError:
            return None
        return DriversSerializer(found).data


class NewFeedbackSerializer(serializers.Serializer[Any]):
    assessment = ChoiceField(
        choices=Assessment.choices,
        help_text="expected: a new level, the baseline starts anew with it. planned: it happens once. "
        "not_expected: it shall never become the normal.",
    )
    note = serializers.CharField(max_length=anomaly_feedback.NOTE_LENGTH, allow_blank=True, default="")
    tell_aws = serializers.BooleanField(default=False, help_text="Tell AWS as well, where it found this too: one paid request.")


class AnomalyFilter(filters.FilterSet):  # type: ignore[misc]
    account = filters.CharFilter(method="of_account", help_text="Id, alias or 12-digit number.")
    status = filters.MultipleChoiceFilter(choices=AnomalyStatus.choices)
    kind = filters.MultipleChoiceFilter(choices=AnomalyKind.choices)
    found_by = filters.MultipleChoiceFilter(choices=FoundBy.choices)
    service = filters.CharFilter(help_text="AWS's name of a service.")
    region = filters.CharFilter()
    currency = filters.CharFilter()
    muted = filters.BooleanFilter(field_name="is_muted")

    def of_account(self, queryset: CostAnomalyQuerySet, name: str, value: str) -> CostAnomalyQuerySet:
        accounts = aws_accounts.accounts_in_scope(reader(self.request), Perm.COSTS_VIEW, [value])
        return selectors.of_accounts(queryset, accounts)


class Anomalies(ListApiView):
    permission = Perm.COSTS_VIEW
    serializer_class = AnomalySerializer
    filterset_class = AnomalyFilter
    queryset = CostAnomaly.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[CostAnomaly]:
        return selectors.visible(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Episodes of unusual costs: those going on first, then the newest."""
        return super().get(request, *args, **kwargs)


class Anomaly(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(responses=AnomalyDetailSerializer, tags=["costs"])
    def get(self, request: Request, anomaly_id: int) -> Response:
        """One episode day by day, with what drove it and what was said of it."""
        found = selectors.get_for(reader(request), anomaly_id, Perm.COSTS_VIEW)
        return Response(AnomalyDetailSerializer(found, context={"request": request}).data)


class Feedback(ApiView):
    permission = Perm.ANOMALIES_MANAGE
    object_decides = True

    @extend_schema(request=NewFeedbackSerializer, responses={201: FeedbackSerializer}, tags=["costs"])
    def post(self, request: Request, anomaly_id: int) -> Response:
        """Say whether it was expected; detection learns from it.

        409 `anomaly_withdrawn` where nothing unusual is left, `aws_not_told` where AWS was to be told and cannot be.
        """
        found = selectors.get_for(reader(request), anomaly_id, Perm.ANOMALIES_MANAGE)
        body = NewFeedbackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = anomaly_feedback.give(
            anomaly=found,
            assessment=Assessment(body.validated_data["assessment"]),
            note=body.validated_data["note"],
            by=reader(request),
        )
        if body.validated_data["tell_aws"]:
            aws_anomalies.tell(anomaly=found, assessment=Assessment(said.assessment), by=reader(request))
        return Response(FeedbackSerializer(said).data, status=status.HTTP_201_CREATED)
