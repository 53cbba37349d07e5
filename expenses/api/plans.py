"""/api/expenses/rules, /recurring and /budgets: what happens by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.rules.budget_periods import Every
from expenses.api.expenses import ExpenseEditSerializer
from expenses.api.reading import WORKSPACE, account_for, workspace_of
from expenses.api.serializers import AmountText, ExpenseFieldsSerializer, amount, currency
from expenses.models import ExpenseBudget, RecurringExpense, Rule
from expenses.models.plans import PERIODS
from expenses.rules.categorising import LISTS, NUMBERS, SETTABLE, TEXTS, Operator
from expenses.selectors import budgets as budget_selectors
from expenses.selectors import plans, trees
from expenses.services import budgets, recurring, rules
from expenses.services.budgets import DEFAULT_THRESHOLDS, BudgetInput
from expenses.services.inputs import ExpenseInput, levels
from expenses.services.rules import RuleInput

# --- rules


class RuleConditionSerializer(serializers.Serializer[Any]):
    field = ChoiceField(choices=[*TEXTS, *NUMBERS, *LISTS])
    operator = ChoiceField(choices=[one.value for one in Operator])
    value = serializers.CharField(max_length=200, default="", allow_blank=True)


class RuleActionSerializer(serializers.Serializer[Any]):
    field = ChoiceField(choices=list(SETTABLE))
    value = serializers.CharField(max_length=163, help_text="A category as “Travel › Taxi”; a tag is added.")


class ExpenseRuleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    workspace = serializers.IntegerField(source="workspace_id", read_only=True)
    position = serializers.IntegerField(
        min_value=1,
        max_value=10_000,
        required=False,
        help_text="Rules are read in this order; the first that sets a field wins. Not named: as it is, a new one the last.",
    )
    name = serializers.CharField(max_length=80)
    conditions = RuleConditionSerializer(many=True)
    actions = RuleActionSerializer(many=True)
    match_any = serializers.BooleanField(default=False)
    is_on = serializers.BooleanField(default=True)


class RuleHitSerializer(serializers.Serializer[Any]):
    expense = serializers.UUIDField(source="expense.pk")
    values = serializers.DictField(child=serializers.CharField(), help_text="What it would say.")
    rules = serializers.ListField(child=serializers.IntegerField())


class RuleTrialSerializer(serializers.Serializer[Any]):
    looked_at = serializers.IntegerField(help_text="The newest expenses of the workspace.")
    hits = RuleHitSerializer(many=True)


class ExpenseRules(ListApiView):
    permission = Perm.SELF
    serializer_class = ExpenseRuleSerializer
    queryset = Rule.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Rule]:
        return plans.rules(person(self.request), workspace_of(self.request))

    @extend_schema(parameters=[WORKSPACE], tags=["expenses"], operation_id="expense_rules_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The rules of a workspace in their order; without `workspace` of your personal one."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=ExpenseRuleSerializer, responses={201: ExpenseRuleSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Add a rule to the workspace in the address."""
        given, position = _rule_input(request)
        made = rules.create(workspace=workspace_of(request), given=given, by=person(request), position=position)
        return Response(ExpenseRuleSerializer(made).data, status=status.HTTP_201_CREATED)


class OneExpenseRule(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=ExpenseRuleSerializer, tags=["expenses"])
    def get(self, request: Request, rule_id: int) -> Response:
        """One rule."""
        return Response(ExpenseRuleSerializer(plans.rule_for(person(request), rule_id)).data)

    @extend_schema(request=ExpenseRuleSerializer, responses=ExpenseRuleSerializer, tags=["expenses"])
    def put(self, request: Request, rule_id: int) -> Response:
        """Say all of it anew."""
        rule, (given, position) = plans.rule_for(person(request), rule_id), _rule_input(request)
        changed = rules.change(rule=rule, given=given, by=person(request), position=position)
        return Response(ExpenseRuleSerializer(changed).data)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, rule_id: int) -> Response:
        """Delete it; what it filled in stays."""
        rules.delete(rule=plans.rule_for(person(request), rule_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TryExpenseRule(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=None, responses=RuleTrialSerializer, tags=["expenses"])
    def post(self, request: Request, rule_id: int) -> Response:
        """What this rule alone would change. Nothing is changed."""
        rule: Rule = plans.rule_for(person(request), rule_id)
        return Response(RuleTrialSerializer(rules.try_out(workspace=rule.workspace, rule=rule)).data)


class TryExpenseRules(ApiView):
    permission = Perm.SELF

    @extend_schema(
        operation_id="expenses_rules_try_all",
        parameters=[WORKSPACE],
        request=None,
        responses=RuleTrialSerializer,
        tags=["expenses"],
    )
    def post(self, request: Request) -> Response:
        """What all rules that are on would change in the past. Nothing is changed."""
        return Response(RuleTrialSerializer(rules.try_out(workspace=workspace_of(request))).data)


class RunExpenseRules(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=[WORKSPACE], request=None, responses={200: ExpenseEditSerializer, 204: None}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Let all rules go over the past. The answer names the edit, which can be undone; 204 when nothing changes."""
        edit = rules.run(workspace=workspace_of(request), by=person(request))
        return Response(ExpenseEditSerializer(edit).data) if edit else Response(status=status.HTTP_204_NO_CONTENT)


def _rule_input(request: Request) -> tuple[RuleInput, int | None]:
    said = dict(valid(ExpenseRuleSerializer, request))
    position = said.pop("position", None)
    return RuleInput(**said), position


# --- recurring


class NewSeriesSerializer(ExpenseFieldsSerializer):
    """`date` is the day from which the rule counts; days that are past are entered at once."""

    rrule = serializers.CharField(max_length=300, help_text="RFC 5545, such as FREQ=MONTHLY;BYMONTHDAY=1.")
    workspace = serializers.IntegerField(default=None, allow_null=True)


class ChangedSeriesSerializer(ExpenseFieldsSerializer):
    rrule = serializers.CharField(max_length=300)
    paused = serializers.BooleanField(required=False)


class SeriesSerializer(serializers.ModelSerializer[RecurringExpense]):
    workspace = serializers.IntegerField(source="workspace_id")
    user = serializers.IntegerField(source="owner_id")
    date = serializers.DateField(source="start")
    category = serializers.SerializerMethodField()
    subcategory = serializers.SerializerMethodField()
    cost = AmountText()
    payment_method = serializers.SerializerMethodField()
    tags = serializers.ListField(child=serializers.CharField())
    account = serializers.IntegerField(source="account_id", allow_null=True)

    class Meta:
        model = RecurringExpense
        fields = [
            "id", "workspace", "user", "rrule", "date", "next_on", "is_paused", "last_run_at", "category", "subcategory",
            "description", "payee", "cost", "currency", "payment_method", "location", "tags", "notes", "account", "project",
        ]  # fmt: skip
        read_only_fields = fields

    def get_category(self, series: RecurringExpense) -> str:
        return levels(series.category)[0]

    def get_subcategory(self, series: RecurringExpense) -> str:
        return levels(series.category)[1]

    def get_payment_method(self, series: RecurringExpense) -> str:
        return series.payment_method.name if series.payment_method else ""


class RecurringExpenses(ListApiView):
    permission = Perm.SELF
    serializer_class = SeriesSerializer
    queryset = RecurringExpense.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[RecurringExpense]:
        return plans.series(person(self.request), workspace_of(self.request))

    @extend_schema(parameters=[WORKSPACE], tags=["expenses"], operation_id="recurring_expenses_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What recurs in a workspace; without `workspace` in your personal one."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewSeriesSerializer, responses={201: SeriesSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Let an expense recur. Each day of the rule becomes one expense, exactly once."""
        said = dict(valid(NewSeriesSerializer, request))
        workspace, rrule = workspace_of(request, said.pop("workspace")), said.pop("rrule")
        said.setdefault("currency", workspace.currency)
        made = recurring.create(workspace=workspace, given=_series_input(request, said), rrule=rrule, by=person(request))
        return Response(SeriesSerializer(made).data, status=status.HTTP_201_CREATED)


class OneRecurringExpense(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=SeriesSerializer, tags=["expenses"])
    def get(self, request: Request, series_id: int) -> Response:
        """One series."""
        return Response(SeriesSerializer(plans.series_for(person(request), series_id)).data)

    @extend_schema(request=ChangedSeriesSerializer, responses=SeriesSerializer, tags=["expenses"])
    def put(self, request: Request, series_id: int) -> Response:
        """Say all of it anew, for what comes from now on. `paused` stops it, or lets it go on."""
        series, by = plans.series_for(person(request), series_id), person(request)
        said = dict(valid(ChangedSeriesSerializer, request))
        paused, rrule = said.pop("paused", series.is_paused), said.pop("rrule")
        said.setdefault("currency", series.currency)
        recurring.change(series=series, given=_series_input(request, said), rrule=rrule, by=by)
        if paused != series.is_paused:
            recurring.pause(series=series, paused=paused, by=by)
        return Response(SeriesSerializer(plans.series_for(by, series_id)).data)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, series_id: int) -> Response:
        """End it; the expenses that it made stay."""
        recurring.delete(series=plans.series_for(person(request), series_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _series_input(request: Request, said: Mapping[str, Any]) -> ExpenseInput:
    return ExpenseInput(**{**said, "tags": tuple(said["tags"]), "account": account_for(request, said["account"])})


# --- budgets


class ExpenseBudgetInputSerializer(serializers.Serializer[Any]):
    category = serializers.IntegerField(default=None, allow_null=True, help_text="Id, with all below it. None: everything.")
    amount = amount()
    currency = currency()
    every = ChoiceField(choices=list(dict(PERIODS)), default=Every.MONTHLY.value)
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=1000), default=list(DEFAULT_THRESHOLDS), max_length=10
    )
    on_channels = serializers.BooleanField(
        default=False, help_text="Send what is reached to the installation's channels too, whose readers need not be members."
    )


class NewExpenseBudgetSerializer(ExpenseBudgetInputSerializer):
    workspace = serializers.IntegerField(default=None, allow_null=True)


class ExpenseBudgetSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="budget.pk")
    workspace = serializers.IntegerField(source="budget.workspace_id")
    category = serializers.IntegerField(source="budget.category_id", allow_null=True)
    amount = AmountText(source="budget.amount")
    currency = serializers.CharField(source="budget.currency")
    every = serializers.CharField(source="budget.every")
    thresholds = serializers.ListField(child=serializers.IntegerField(), source="budget.thresholds")
    on_channels = serializers.BooleanField(source="budget.on_channels")
    period_start = serializers.DateField(source="days.start")
    period_end = serializers.DateField(source="days.end", help_text="Exclusive.")
    spent = AmountText(help_text="In the period of today, without what was rejected.")
    left = AmountText()
    percent = serializers.IntegerField()


class ExpenseBudgets(ListApiView):
    permission = Perm.SELF
    serializer_class = ExpenseBudgetSerializer
    queryset = ExpenseBudget.objects.none()  # for the OpenAPI document, which has no reader

    @extend_schema(parameters=[WORKSPACE], tags=["expenses"], operation_id="expense_budgets_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Budgets of a workspace, with what is spent; without `workspace` of your personal one."""
        found = budget_selectors.listed(person(request), workspace_of(request), clock.today())
        return self.get_paginated_response(ExpenseBudgetSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(request=NewExpenseBudgetSerializer, responses={201: ExpenseBudgetSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Say how much may be spent in each period. Whoever is in the workspace is told once of each threshold."""
        said, by = dict(valid(NewExpenseBudgetSerializer, request)), person(request)
        workspace = workspace_of(request, said.pop("workspace"))
        made = budgets.create(workspace=workspace, given=_budget_input(request, said), by=by)
        return _shown(made.pk, request, status.HTTP_201_CREATED)


class OneExpenseBudget(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=ExpenseBudgetSerializer, tags=["expenses"])
    def get(self, request: Request, budget_id: int) -> Response:
        """One budget in the period of today."""
        return _shown(budget_id, request)

    @extend_schema(request=ExpenseBudgetInputSerializer, responses=ExpenseBudgetSerializer, tags=["expenses"])
    def put(self, request: Request, budget_id: int) -> Response:
        """Say all of it anew. Another amount arms the thresholds again."""
        budget = budget_selectors.get_for(person(request), budget_id)
        given = _budget_input(request, valid(ExpenseBudgetInputSerializer, request))
        budgets.change(budget=budget, given=given, by=person(request))
        return _shown(budget_id, request)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, budget_id: int) -> Response:
        """Delete it."""
        budgets.delete(budget=budget_selectors.get_for(person(request), budget_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _budget_input(request: Request, said: Mapping[str, Any]) -> BudgetInput:
    category = None if said["category"] is None else trees.category_for(person(request), said["category"])
    every, thresholds = Every(said["every"]), tuple(said["thresholds"])
    return BudgetInput(said["amount"], said["currency"], category, every, thresholds, said["on_channels"])


def _shown(pk: int, request: Request, code: int = status.HTTP_200_OK) -> Response:
    budget = budget_selectors.get_for(person(request), pk)
    return Response(ExpenseBudgetSerializer(budget_selectors.standing(budget, clock.today())).data, status=code)
