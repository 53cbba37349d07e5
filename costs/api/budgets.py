"""/api/costs/budgets: what may be spent at most, how far it is used up, and what was reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.alerts import Severity
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.money import DECIMAL_PLACES, MAX_DIGITS
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.api.answers import MoneyField
from costs.api.parameters import reader
from costs.models import Budget, BudgetAlert, BudgetEvaluation
from costs.rules.budget_periods import Every
from costs.rules.budgets import Kind, Limit, Standing, Unit
from costs.selectors import budgets as selectors
from costs.selectors.budgets import BudgetFilter, Order
from costs.selectors.reports import Report
from costs.services import budgets as services
from costs.services.budget_inputs import NAME_LENGTH, BudgetInput, Threshold

_SCOPE_HELP = (
    "What is counted, as the explorer's parameters: `service=…&account=…&charge_type=usage&metric=amortized`. Empty: all."
)


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **options)


class ThresholdSerializer(serializers.Serializer[Any]):
    kind = ChoiceField(choices=[one.value for one in Kind], help_text="Which amount it watches.")
    unit = ChoiceField(choices=[one.value for one in Unit], default=Unit.PERCENT.value)
    value = _amount(help_text="Percent of the budget's amount, or money.")
    severity = ChoiceField(choices=[one.value for one in Severity], default=Severity.WARNING.value)


class PlannedSerializer(serializers.Serializer[Any]):
    period = serializers.DateField(help_text="The first day of the period.")
    amount = _amount()


class NewBudgetSerializer(serializers.Serializer[Any]):
    """What a budget promises, and what it counts."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    amount = _amount(help_text="Of each period that has none of its own in `planned`.")
    currency = serializers.RegexField(
        r"^[A-Z]{3}$", default=None, allow_null=True, help_text="None: the one that the costs are in."
    )
    period = ChoiceField(choices=[one.value for one in Every], default=Every.MONTHLY.value)
    query = serializers.CharField(max_length=8000, default="", allow_blank=True, help_text=_SCOPE_HELP)
    planned = PlannedSerializer(many=True, default=list)
    thresholds = ThresholdSerializer(many=True, default=list)
    start = serializers.DateField(default=None, allow_null=True, help_text="Day of the first period. None: today's.")
    end = serializers.DateField(default=None, allow_null=True, help_text="The day after the last. None: without an end.")

    def validate_query(self, text: str) -> Report:
        return replace(report_parameters.read_text(text), group_by=())


class ChangedBudgetSerializer(NewBudgetSerializer):
    """The same, and when it tells people again. `revision`: the one that the change is of; another one meanwhile is a 409."""

    muted_until = serializers.DateTimeField(allow_null=True, required=False)
    revision = serializers.IntegerField(required=False, min_value=1)


class EvaluationSerializer(serializers.ModelSerializer[BudgetEvaluation]):
    amount = MoneyField(help_text="What was promised.")
    actual = MoneyField(allow_null=True, help_text="Every known day.")
    settled = MoneyField(allow_null=True, help_text="The days before `complete_until`, to which AWS adds nothing.")
    expected = MoneyField(allow_null=True, help_text="What those should have cost to be on pace.")
    forecast = MoneyField(allow_null=True, help_text="The whole period.")
    low = MoneyField(allow_null=True)
    high = MoneyField(allow_null=True)
    share = MoneyField(allow_null=True, help_text="Used up: 1 is all of it.")

    class Meta:
        model = BudgetEvaluation
        fields = [
            "revision",
            "period_start",
            "period_end",
            "day",
            "amount",
            "actual",
            "settled",
            "expected",
            "forecast",
            "low",
            "high",
            "method",
            "share",
            "standing",
            "reason",
            "complete_until",
            "missing_days",
            "misses_accounts",
            "as_of",
            "evaluated_at",
        ]
        read_only_fields = fields


class BudgetAlertSerializer(serializers.ModelSerializer[BudgetAlert]):
    value = MoneyField()
    figure = MoneyField(help_text="The amount that reached it.")
    amount = MoneyField(help_text="What was promised.")

    class Meta:
        model = BudgetAlert
        fields = [
            "id",
            "revision",
            "period_start",
            "period_end",
            "kind",
            "unit",
            "value",
            "severity",
            "figure",
            "amount",
            "as_of",
            "reached_at",
            "below_since",
            "alert",
        ]
        read_only_fields = fields


class BudgetSerializer(serializers.ModelSerializer[Budget]):
    period = serializers.CharField(source="every")
    amount = MoneyField()
    query = serializers.SerializerMethodField(help_text=_SCOPE_HELP)
    planned = serializers.SerializerMethodField()
    thresholds = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner_name", help_text="With whose rights it is counted.")
    share = serializers.SerializerMethodField(help_text="Used up: 1 is all of it.")
    current = serializers.SerializerMethodField(help_text="The period of today; null where nothing may or can be told.")
    url = serializers.SerializerMethodField()

    class Meta:
        model = Budget
        fields = [
            "id",
            "name",
            "owner",
            "period",
            "amount",
            "currency",
            "query",
            "planned",
            "thresholds",
            "start",
            "end",
            "revision",
            "muted_until",
            "standing",
            "reason",
            "share",
            "current",
            "evaluated_at",
            "archived_at",
            "url",
        ]
        read_only_fields = fields

    def get_query(self, budget: Budget) -> str:
        report = selectors.report_of(budget)
        return urlencode([pair for pair in report.pairs() if pair[0] not in ("group_by", "currency")])

    @extend_schema(responses=PlannedSerializer(many=True))
    def get_planned(self, budget: Budget) -> list[dict[str, Any]]:
        return [{"period": one.period_start, "amount": str(one.amount)} for one in budget.planned.all()]

    def get_thresholds(self, budget: Budget) -> list[dict[str, str]]:
        money = MoneyField()
        return [
            {"kind": one.kind, "unit": one.unit, "value": money.to_representation(one.value), "severity": one.severity}
            for one in budget.thresholds.all()
        ]

    def get_share(self, budget: Budget) -> str | None:
        return None if budget.is_hidden or budget.share is None else str(budget.share)

    def get_current(self, budget: Budget) -> dict[str, Any] | None:
        return None if budget.is_hidden or budget.current is None else dict(EvaluationSerializer(budget.current).data)

    def get_url(self, budget: Budget) -> str:
        return f"/budgets/{budget.pk}"


class BudgetsParameters(serializers.Serializer[Any]):
    q = serializers.CharField(default="", help_text="Part of the name or of the owner's.")
    standing = ChoiceField(choices=[one.value for one in Standing], default="")
    period = ChoiceField(choices=[one.value for one in Every], default="")
    archived = serializers.BooleanField(default=False)
    mine = serializers.BooleanField(default=False)
    order = ChoiceField(choices=[one.value for one in Order], default=Order.USED.value)


class Budgets(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.COSTS_BUDGET}
    serializer_class = BudgetSerializer
    queryset = Budget.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Budget]:
        parameters = BudgetsParameters(data=self.request.query_params)
        parameters.is_valid(raise_exception=True)
        given = parameters.validated_data
        wanted = BudgetFilter(given["q"], given["standing"], given["period"], given["mine"], given["archived"])
        found = selectors.listed(reader(self.request), wanted, Order(given["order"]))
        return found.prefetch_related("planned", "thresholds")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return page if page is None else selectors.hide(reader(self.request), page)

    @extend_schema(parameters=[BudgetsParameters], tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your own budgets, and those over accounts all of which you may see."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewBudgetSerializer, responses={201: BudgetSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Make a budget. It is counted with your rights. 400 `not_stored` for what stored costs cannot tell apart."""
        given = NewBudgetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        budget = services.create(given=_input(given.validated_data), by=reader(request))
        return Response(BudgetSerializer(budget).data, status=status.HTTP_201_CREATED)


class OneBudget(ApiView):
    permission = {
        "GET": Perm.COSTS_VIEW,
        "PUT": Perm.COSTS_BUDGET,
        "PATCH": Perm.COSTS_BUDGET,
        "DELETE": Perm.COSTS_BUDGET,
    }
    object_decides = True  # 404 for what one may not see, 403 for what one may only see

    @extend_schema(responses=BudgetSerializer, tags=["costs"])
    def get(self, request: Request, budget_id: int) -> Response:
        """One budget with its period of today."""
        return Response(BudgetSerializer(selectors.get_for(reader(request), budget_id)).data)

    @extend_schema(request=ChangedBudgetSerializer, responses=BudgetSerializer, tags=["costs"])
    def put(self, request: Request, budget_id: int) -> Response:
        """Say all of it anew. What is promised or counted differently is a new revision, whose thresholds are armed again."""
        return self._change(request, budget_id, partial=False)

    @extend_schema(request=ChangedBudgetSerializer(partial=True), responses=BudgetSerializer, tags=["costs"])
    def patch(self, request: Request, budget_id: int) -> Response:
        """Change what is named. `muted_until` alone makes no new revision."""
        return self._change(request, budget_id, partial=True)

    @extend_schema(responses={204: None}, tags=["costs"])
    def delete(self, request: Request, budget_id: int) -> Response:
        """Archive it: it is not looked at any more. `POST /{id}/restore` takes that back."""
        services.archive(budget=selectors.get_to_change(reader(request), budget_id), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, budget_id: int, *, partial: bool) -> Response:
        budget, by = selectors.get_to_change(reader(request), budget_id), reader(request)
        given = ChangedBudgetSerializer(data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        muted, revision = wanted.pop("muted_until", budget.muted_until), wanted.pop("revision", None)
        if muted != budget.muted_until:
            services.mute(budget=budget, until=muted, by=by)
        if wanted:
            services.change(budget=budget, given=_merged(budget, wanted), by=by, revision=revision)
        return Response(BudgetSerializer(selectors.get_for(by, budget_id)).data)


def _input(given: Mapping[str, Any]) -> BudgetInput:
    return BudgetInput(
        name=given["name"],
        report=replace(given["query"], currency=given["currency"] or given["query"].currency),
        amount=given["amount"],
        every=Every(given["period"]),
        planned=tuple((one["period"], one["amount"]) for one in given["planned"]),
        thresholds=tuple(
            Threshold(Limit(Kind(one["kind"]), Unit(one["unit"]), one["value"]), Severity(one["severity"]))
            for one in given["thresholds"]
        ),
        start=given["start"],
        end=given["end"],
    )


def _merged(budget: Budget, wanted: Mapping[str, Any]) -> BudgetInput:
    """What is not named stays as it is."""
    kept = services.input_of(budget)
    planned: list[dict[str, date | Decimal]] = [{"period": day, "amount": amount} for day, amount in kept.planned]
    thresholds = [
        {"kind": one.limit.kind, "unit": one.limit.unit, "value": one.limit.value, "severity": one.severity}
        for one in kept.thresholds
    ]
    return _input(
        {
            "name": kept.name,
            "query": kept.report,
            "currency": budget.currency,
            "amount": kept.amount,
            "period": kept.every,
            "planned": planned,
            "thresholds": thresholds,
            "start": kept.start,
            "end": kept.end,
            **wanted,
        }
    )


class RestoreBudget(ApiView):
    permission = Perm.COSTS_BUDGET
    object_decides = True

    @extend_schema(request=None, responses=BudgetSerializer, tags=["costs"])
    def post(self, request: Request, budget_id: int) -> Response:
        """Take the archiving back. 409 `budget_archived` when it is not archived."""
        budget = services.restore(budget=selectors.get_to_change(reader(request), budget_id), by=reader(request))
        return Response(BudgetSerializer(budget).data)


class BudgetAlerts(ListApiView):
    permission = Perm.COSTS_VIEW
    serializer_class = BudgetAlertSerializer
    queryset = BudgetAlert.objects.none()

    def get_queryset(self) -> QuerySet[BudgetAlert]:
        return selectors.alerts(selectors.get_for(reader(self.request), self.kwargs["budget_id"]))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Thresholds that were reached, each once in a period of a revision; the newest first."""
        return super().get(request, *args, **kwargs)


class BudgetEvaluations(ListApiView):
    permission = Perm.COSTS_VIEW
    serializer_class = EvaluationSerializer
    queryset = BudgetEvaluation.objects.none()

    def get_queryset(self) -> QuerySet[BudgetEvaluation]:
        return selectors.evaluations(selectors.get_for(reader(self.request), self.kwargs["budget_id"]))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How each period stood, one row for each day that it was looked at; the newest first."""
        return super().get(request, *args, **kwargs)
