"""/api/costs/recommendations: where money could be saved, and decisions about it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import scope
from accounts.models import Environment
from accounts.selectors import aws_accounts
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import Parameters, reader, valid
from costs.models import Recommendation
from costs.models.recommendations import CONFIDENCES, KIND_CHOICES, STATUSES
from costs.rules.recommendation_life import Status
from costs.selectors import recommendations as selectors
from costs.selectors.recommendations import Question
from costs.services import recommendations as services


class RecommendationParameters(Parameters):
    account = serializers.ListField(
        child=serializers.CharField(max_length=63), required=False, help_text="Id, alias or 12-digit number; repeatable."
    )
    environment = serializers.ListField(child=ChoiceField(Environment.choices), required=False)
    status = serializers.ListField(child=ChoiceField(STATUSES), required=False, help_text="None: open.")
    kind = serializers.ListField(child=ChoiceField(KIND_CHOICES), required=False)
    region = serializers.ListField(child=serializers.CharField(max_length=32), required=False)
    confidence = serializers.ListField(child=ChoiceField(CONFIDENCES), required=False)
    page = serializers.IntegerField(required=False, min_value=1)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=500)


class EvidenceSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    shown = serializers.CharField()


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    title = serializers.CharField(read_only=True)
    amount = MoneyField(allow_null=True, help_text="A month's money at stake; null is not known, and `unpriced` says why.")
    aws_amount = MoneyField(allow_null=True, help_text="AWS's own estimate, where Cost Optimization Hub has one.")
    evidence = serializers.SerializerMethodField()
    fix = serializers.SerializerMethodField(help_text="What mends it, in words.")
    operation = serializers.SerializerMethodField(help_text="The action of this console that mends it; empty for none.")
    dismissed_by = serializers.CharField(source="dismissed_by.username", default=None, allow_null=True)

    class Meta:
        model = Recommendation
        fields = [
            "id", "kind", "title", "account", "region", "resource_id", "name", "status", "amount", "currency", "unpriced",
            "confidence", "why_sure", "reasoning", "evidence", "fix", "operation", "parameters", "sources", "aws_amount",
            "aws_currency", "aws_told", "observed_at", "first_seen_at", "last_seen_at", "ended_at", "mended_by", "dismissed_by",
            "dismissed_at", "dismissed_reason", "dismissed_until",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EvidenceSerializer(many=True))
    def get_evidence(self, row: Recommendation) -> list[dict[str, str]]:
        return [{"what": what, "shown": shown} for what, shown in row.evidence]

    def get_fix(self, row: Recommendation) -> str:
        return row.described.fix if row.described else ""

    def get_operation(self, row: Recommendation) -> str:
        return row.described.operation if row.described else ""


class TotalSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = MoneyField()
    count = serializers.IntegerField()


class RecommendationGapSerializer(serializers.Serializer[Any]):
    """What could not be looked at."""

    account = serializers.IntegerField(source="account.pk")
    alias = serializers.CharField(source="account.alias")
    what = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField())
    detail = serializers.CharField()
    remedy = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField(), help_text="To be added to the account's IAM policy.")


class RecommendationPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = RecommendationSerializer(many=True)
    totals = TotalSerializer(many=True, help_text="Of all pages, for each currency.")
    unpriced = serializers.IntegerField(help_text="Of all pages, those whose money is not known; they are in no total.")
    gaps = RecommendationGapSerializer(many=True)


class DismissalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


class Recommendations(ListApiView):
    permission = Perm.COSTS_VIEW
    serializer_class = RecommendationSerializer
    queryset = Recommendation.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Recommendation]:
        return selectors.found(reader(self.request), self._question())

    @extend_schema(parameters=[RecommendationParameters], responses=RecommendationPageSerializer, tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The most money first, with totals for each currency, and what could not be looked at."""
        question = self._question()
        rows = selectors.found(reader(request), question)
        answer = self.get_paginated_response(RecommendationSerializer(self.paginate_queryset(rows) or [], many=True).data)
        totals = selectors.totals(rows)
        answer.data["totals"] = TotalSerializer(totals.money, many=True).data
        answer.data["unpriced"] = totals.unpriced
        gaps = selectors.gaps(reader(request), question.accounts or ())
        answer.data["gaps"] = RecommendationGapSerializer(gaps, many=True).data
        return answer

    def _question(self) -> Question:
        given = valid(RecommendationParameters, self.request)
        shown = scope.of(reader(self.request), self.request.query_params, self.permission)
        return Question(
            accounts=shown.accounts,
            statuses=given.get("status") or (Status.OPEN.value,),
            kinds=given.get("kind", ()),
            regions=given.get("region", ()),
            confidences=given.get("confidence", ()),
        )


class OneRecommendation(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(responses=RecommendationSerializer, tags=["costs"])
    def get(self, request: Request, recommendation_id: int) -> Response:
        """One, with its evidence and what mends it."""
        return Response(RecommendationSerializer(selectors.get_for(reader(request), recommendation_id)).data)


class DismissRecommendation(ApiView):
    permission = Perm.SAVINGS_DECIDE
    object_decides = True

    @extend_schema(request=DismissalSerializer, responses=RecommendationSerializer, tags=["costs"])
    def post(self, request: Request, recommendation_id: int) -> Response:
        """Leave it as it is, until then or until materially more is at stake. 409 `recommendation_not_open`."""
        row = selectors.get_for(reader(request), recommendation_id)
        aws_accounts.require(reader(request), row.account, self.permission)  # before the body is judged
        given = DismissalSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = services.dismiss(recommendation=row, by=reader(request), **given.validated_data)
        return Response(RecommendationSerializer(done).data)


class RestoreRecommendation(ApiView):
    permission = Perm.SAVINGS_DECIDE
    object_decides = True

    @extend_schema(request=None, responses=RecommendationSerializer, tags=["costs"])
    def post(self, request: Request, recommendation_id: int) -> Response:
        """Take a dismissal back. 409 `recommendation_not_open` where it is not dismissed."""
        row = selectors.get_for(reader(request), recommendation_id)
        return Response(RecommendationSerializer(services.restore(recommendation=row, by=reader(request))).data)
