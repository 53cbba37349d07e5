"""/api/costs/anomalies/mutes and /limits: what is not announced, and from where on costs are unusual."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import Parameters, reader, valid
from costs.models import AnomalyMute, AnomalyRule
from costs.models.anomalies import SENSITIVITIES
from costs.rules.baselines import Limits, Sensitivity
from costs.selectors import anomalies as selectors
from costs.selectors import anomaly_rules
from costs.selectors.anomalies import Preview
from costs.selectors.costs import Reader
from costs.services import anomaly_mutes
from costs.services import anomaly_rules as rules_services
from costs.services.anomaly_mutes import About

_CURRENCY = r"^[A-Z]{3}$"


class AccountNumberField(serializers.RegexField):
    """An account by its number; empty for every account, which admins decide."""

    def __init__(self) -> None:
        super().__init__(r"^(\d{12})?$", default="", allow_blank=True, help_text="12-digit number; empty for every account.")


class MuteSerializer(serializers.ModelSerializer[AnomalyMute]):
    account = serializers.CharField(source="account_number")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = AnomalyMute
        fields = ["id", "service", "account", "region", "until", "note", "created_by", "created_at"]
        read_only_fields = fields


class NewMuteSerializer(serializers.Serializer[Any]):
    """Empty fields mean any; at least one says something."""

    service = serializers.CharField(max_length=255, default="", allow_blank=True)
    account = AccountNumberField()
    region = serializers.CharField(max_length=64, default="", allow_blank=True)
    until = serializers.DateField(default=None, allow_null=True, help_text="The first day it is heard again; null for good.")
    note = serializers.CharField(max_length=500, default="", allow_blank=True)


class Mutes(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.ANOMALIES_MANAGE}
    serializer_class = MuteSerializer
    queryset = AnomalyMute.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[AnomalyMute]:
        return selectors.mutes(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mutes in force, the newest first. Muted episodes are listed and never announced."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewMuteSerializer, responses={201: MuteSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Mute a service, an account, a region, or what they have in common. 409 `muted_already`."""
        body = NewMuteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        about = About(given["service"], given["account"], given["region"])
        muted = anomaly_mutes.mute(about=about, until=given["until"], note=given["note"], by=reader(request))
        return Response(MuteSerializer(muted).data, status=status.HTTP_201_CREATED)


class OneMute(ApiView):
    permission = Perm.ANOMALIES_MANAGE
    object_decides = True

    @extend_schema(responses={204: None}, tags=["costs"])
    def delete(self, request: Request, mute_id: int) -> Response:
        """Have it announced again."""
        anomaly_mutes.lift(mute=selectors.mute_for(reader(request), mute_id), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class LimitsSerializer(serializers.ModelSerializer[AnomalyRule]):
    account = serializers.CharField(source="account_number", help_text="Empty: for every account without limits of its own.")
    floor = MoneyField(help_text="Money a day above the expected, at least.")
    updated_by = serializers.CharField(source="updated_by.username", default=None, allow_null=True)

    class Meta:
        model = AnomalyRule
        fields = ["id", "account", "currency", "floor", "percent", "sensitivity", "updated_by", "updated_at"]
        read_only_fields = fields


class NewLimitsSerializer(serializers.Serializer[Any]):
    account = AccountNumberField()
    currency = serializers.RegexField(_CURRENCY)
    floor = serializers.DecimalField(max_digits=16, decimal_places=2, min_value=Decimal("0.01"))
    percent = serializers.IntegerField(min_value=0, max_value=rules_services.MOST_PERCENT)
    sensitivity = ChoiceField(choices=SENSITIVITIES)


def limits_of(given: Any) -> Limits:
    return Limits(given["floor"], Decimal(given["percent"]), Sensitivity(given["sensitivity"]))


class AnomalyLimits(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "PUT": Perm.ANOMALIES_MANAGE}
    serializer_class = LimitsSerializer
    queryset = AnomalyRule.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[AnomalyRule]:
        return anomaly_rules.visible(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What somebody decided. Currencies without a line have a floor of ten units, 30 percent and medium sensitivity."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewLimitsSerializer, responses=LimitsSerializer, tags=["costs"])
    def put(self, request: Request) -> Response:
        """Decide for one account or for all, in one currency. The last days are judged again."""
        body = NewLimitsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        rule = rules_services.decide(
            account_number=given["account"], currency=given["currency"], limits=limits_of(given), by=reader(request)
        )
        return Response(LimitsSerializer(rule).data)


class OneLimits(ApiView):
    permission = Perm.ANOMALIES_MANAGE
    object_decides = True

    @extend_schema(responses={204: None}, tags=["costs"])
    def delete(self, request: Request, rule_id: int) -> Response:
        """Take the decision back: what holds for all accounts, or the standard, holds again."""
        rules_services.reset(rule=anomaly_rules.get_for(reader(request), rule_id), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PreviewParameters(Parameters):
    currency = serializers.RegexField(_CURRENCY)
    floor = serializers.DecimalField(max_digits=16, decimal_places=2, min_value=Decimal("0.01"))
    percent = serializers.IntegerField(min_value=0, max_value=rules_services.MOST_PERCENT)
    sensitivity = ChoiceField(choices=SENSITIVITIES)


class PreviewSerializer(serializers.Serializer[Preview]):
    currency = serializers.CharField()
    days = serializers.IntegerField(help_text="How many of the last 90 complete days could be judged.")
    episodes = serializers.IntegerField()
    open = serializers.IntegerField(source="open_now")


class LimitsPreview(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[PreviewParameters], responses=PreviewSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """How many episodes the last 90 complete days of your accounts would have had with these limits."""
        given = valid(PreviewParameters, request)
        found = selectors.preview(Reader(reader(request)), limits_of(given), given["currency"], clock.today())
        return Response(PreviewSerializer(found).data)
