"""/api/quotas: how close accounts are to what AWS allows, since when, and asking for more."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import scope
from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from resources.api.operations import OperationSerializer
from resources.api.requests import queried, reader, sent
from resources.models import Quota, QuotaIncrease
from resources.models.quotas import METHODS, PROFILES, STATES
from resources.rules import quotas as rules
from resources.selectors import quotas as selectors
from resources.selectors.quotas import SPANS, Question
from resources.services import quota_wishes
from resources.services import quotas as services

_TAGS = ["quotas"]
_STATES = [name for name, _ in STATES]


class QuotaSerializer(serializers.ModelSerializer[Quota]):
    """A limit of AWS and its use. Figures are numbers in the quota's own unit; null is not known, and `reason` says why."""

    account = serializers.IntegerField(source="account_id")
    alias = serializers.CharField(source="account.alias")
    service = serializers.CharField(source="service_code")
    label = serializers.CharField()  # type: ignore[assignment]  # a field, called as the model calls it
    limit = serializers.FloatField(allow_null=True, help_text="In force: what AWS applies to the account, else its default.")
    applied = serializers.FloatField(source="applied_value", allow_null=True, help_text="null: AWS set none for the account.")
    default = serializers.FloatField(source="default_value", allow_null=True)
    usage = serializers.FloatField(allow_null=True)
    usage_percent = serializers.SerializerMethodField()
    peak_1h = serializers.FloatField(allow_null=True)
    peak_24h = serializers.FloatField(allow_null=True)
    headroom = serializers.FloatField(allow_null=True, help_text="What is left of the limit at the peak of the last hour.")
    status = serializers.ChoiceField(source="state", choices=_STATES)
    method = serializers.ChoiceField(choices=["", *(name for name, _ in METHODS)], help_text="How the use was found.")
    method_words = serializers.SerializerMethodField()
    profile = serializers.ChoiceField(choices=["", *(name for name, _ in PROFILES)])
    observed_at = serializers.DateTimeField(source="usage_at", allow_null=True, help_text="The minute or moment of the usage.")
    limit_observed_at = serializers.DateTimeField(source="observed_at", allow_null=True)
    listed = serializers.BooleanField(source="is_listed", help_text="False: a model was called that AWS lists no quota of.")

    class Meta:
        model = Quota
        fields = [
            "id", "account", "alias", "region", "service", "service_name", "code", "name", "label", "kind", "model", "profile",
            "measure", "unit", "limit", "applied", "default", "adjustable", "listed", "usage", "usage_percent", "pressure",
            "peak_1h", "peak_24h", "peak_at", "headroom", "throttles_24h", "status", "reason", "method", "method_words",
            "burndown", "at_least", "per_day", "days_to_limit", "warning_percent", "critical_percent", "observed_at",
            "limit_observed_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_usage_percent(self, quota: Quota) -> float | None:
        return rules.percent(quota.usage, quota.limit)

    def get_method_words(self, quota: Quota) -> str:
        return selectors.method_words(quota)


class QuotaParameters(serializers.Serializer[Any]):
    account = serializers.CharField(required=False, help_text="Id, alias or number; may be repeated.")
    environment = serializers.CharField(required=False, help_text="May be repeated.")
    region = serializers.CharField(default="", max_length=32)
    service = serializers.CharField(default="", max_length=64, help_text="As Service Quotas calls it, for example bedrock.")
    status = serializers.ChoiceField(
        choices=["", *_STATES, selectors.EVERYTHING],
        default="",
        help_text="Left out: those used in the last 24 hours, or held back by AWS; `all`: every one.",
    )
    search = serializers.CharField(default="", max_length=200)


class QuotaThresholdsSerializer(serializers.Serializer[Any]):
    warning_percent = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    critical_percent = serializers.IntegerField(min_value=1, max_value=1000, required=False)


class QuotaPointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="The begin of the step.")
    usage = serializers.FloatField(allow_null=True, help_text="The highest in it; null: not known.")
    throttles = serializers.IntegerField()


class QuotaHistoryParameters(serializers.Serializer[Any]):
    range = serializers.ChoiceField(choices=list(SPANS), default="24h")


class QuotaHistorySerializer(serializers.Serializer[Any]):
    range = serializers.CharField()
    step_seconds = serializers.IntegerField()
    limit = serializers.FloatField(allow_null=True)
    method = serializers.CharField()
    results = QuotaPointSerializer(many=True)


class QuotaIncreaseSerializer(serializers.ModelSerializer[QuotaIncrease]):
    """A request to AWS for a higher limit, made here or elsewhere."""

    id = serializers.CharField(source="aws_id")
    desired = serializers.FloatField()
    requested_by = serializers.CharField(
        source="operation.requested_by.username", default=None, allow_null=True, help_text="null: it was not asked for here."
    )
    operation = serializers.IntegerField(source="operation_id", allow_null=True)

    class Meta:
        model = QuotaIncrease
        fields = ["id", "case_id", "desired", "status", "words", "requested_by", "operation", "created_at", "updated_at"]
        read_only_fields = fields


class NewIncreaseSerializer(serializers.Serializer[Any]):
    desired = serializers.DecimalField(max_digits=16, decimal_places=3, min_value=0, help_text="The limit that is wanted.")
    reason = serializers.CharField(default="", allow_blank=True, max_length=500)


class Quotas(ListApiView):
    permission = Perm.RESOURCES_VIEW
    serializer_class = QuotaSerializer
    queryset = Quota.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Quota]:
        given = queried(QuotaParameters, self.request)
        shown = scope.of(reader(self.request), self.request.query_params, Perm.RESOURCES_VIEW)
        wanted = Question(shown.accounts, given["region"], given["service"], given["status"], given["search"])
        return selectors.found(reader(self.request), wanted)

    @extend_schema(parameters=[QuotaParameters], tags=_TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Quotas of every account you may see, those under most pressure first."""
        return super().get(request, *args, **kwargs)


class OneQuota(ApiView):
    permission = {"GET": Perm.RESOURCES_VIEW, "PATCH": Perm.RESOURCES_OPERATE}
    object_decides = True  # 404 for what one may not see, 403 for what one may only see

    @extend_schema(responses=QuotaSerializer, tags=_TAGS)
    def get(self, request: Request, quota_id: int) -> Response:
        """One quota."""
        return Response(QuotaSerializer(selectors.get_for(reader(request), quota_id)).data)

    @extend_schema(request=QuotaThresholdsSerializer, responses=QuotaSerializer, tags=_TAGS)
    def patch(self, request: Request, quota_id: int) -> Response:
        """From which percentages of the limit on it warns and is critical. What is not named stays."""
        quota, by = selectors.get_for(reader(request), quota_id), reader(request)
        aws_accounts.require(by, quota.account, Perm.RESOURCES_OPERATE)  # before the body is judged
        given = sent(QuotaThresholdsSerializer, request)
        warning = given.get("warning_percent", quota.warning_percent)
        critical = given.get("critical_percent", quota.critical_percent)
        return Response(QuotaSerializer(services.set_thresholds(quota=quota, warning=warning, critical=critical, by=by)).data)


class QuotaHistory(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(parameters=[QuotaHistoryParameters], responses=QuotaHistorySerializer, tags=_TAGS)
    def get(self, request: Request, quota_id: int) -> Response:
        """The highest use in each step of an hour, a day or thirty days, oldest first."""
        quota = selectors.get_for(reader(request), quota_id)
        span = SPANS[queried(QuotaHistoryParameters, request)["range"]]
        told = {
            "range": span.name,
            "step_seconds": int(span.step.total_seconds()),
            "limit": quota.limit,
            "method": quota.method,
            "results": selectors.history(quota, span),
        }
        return Response(QuotaHistorySerializer(told).data)


class QuotaIncreases(ListApiView):
    permission = {"GET": Perm.RESOURCES_VIEW, "POST": Perm.RESOURCES_OPERATE}
    object_decides = True
    serializer_class = QuotaIncreaseSerializer
    queryset = QuotaIncrease.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[QuotaIncrease]:
        return selectors.increases(selectors.get_for(reader(self.request), self.kwargs["quota_id"]))

    @extend_schema(tags=_TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The requests for more of it that AWS tells of or that were seen here, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewIncreaseSerializer, responses={202: OperationSerializer}, tags=_TAGS)
    def post(self, request: Request, quota_id: int) -> Response:
        """Ask AWS for a higher limit: an operation. 409 `increase_open` while AWS has not answered an earlier one."""
        quota, by = selectors.get_for(reader(request), quota_id), reader(request)
        aws_accounts.require(by, quota.account, Perm.RESOURCES_OPERATE)  # before the body is judged
        given = sent(NewIncreaseSerializer, request)
        operation = quota_wishes.ask_for_more(quota=quota, desired=given["desired"], by=by, reason=given["reason"])
        return Response(OperationSerializer(operation).data, status=status.HTTP_202_ACCEPTED)
