"""/api/expenses: the list, one of them, changes of many, sums in groups, and the steps of the approval."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.models import User
from cloudconsole.api import parameters
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.pagination import page_size_of
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from expenses.api.reading import account_for, expense_for, wanted, workspace_of
from expenses.api.serializers import (
    ChangedExpenseSerializer,
    ExpensePageSerializer,
    ExpenseSerializer,
    NewExpenseSerializer,
    amount,
)
from expenses.models import Expense
from expenses.rules import categorising
from expenses.rules.statuses import Status
from expenses.selectors import edited, expenses, filters, keysets
from expenses.selectors.expenses import ExpenseFilter, NoSuchExpense
from expenses.services import approvals, bulk, edits
from expenses.services import expenses as services
from expenses.services.expenses import MOST_PARTS
from expenses.services.inputs import LENGTHS, ExpenseInput, input_of

FILTERS: Final = [
    OpenApiParameter("workspace", OpenApiTypes.INT, many=True, description="None: all that you are in."),
    OpenApiParameter("start", OpenApiTypes.DATE, description="From this day on."),
    OpenApiParameter("end", OpenApiTypes.DATE, description="Before this day."),
    OpenApiParameter("until", OpenApiTypes.DATE, description="Up to this day, included; instead of end."),
    OpenApiParameter("category", many=True, description="Id, “Travel” with all below it, or “Travel › Taxi”."),
    OpenApiParameter("payee", many=True),
    OpenApiParameter("payment_method", many=True, description="Id or name."),
    OpenApiParameter("tag", many=True, description="At least one of them."),
    OpenApiParameter("status", enum=[one.value for one in Status], many=True),
    OpenApiParameter("currency", many=True),
    OpenApiParameter("owner", OpenApiTypes.INT, many=True),
    OpenApiParameter("account", OpenApiTypes.INT, many=True, description="Id of an AWS account."),
    OpenApiParameter("location", many=True),
    OpenApiParameter("min", OpenApiTypes.DECIMAL),
    OpenApiParameter("max", OpenApiTypes.DECIMAL),
    OpenApiParameter("without", many=True, enum=list(expenses.EMPTY), description="Where this is empty."),
    OpenApiParameter("weekday", OpenApiTypes.INT, many=True, description="1 is Monday."),
    OpenApiParameter("search", description="Beginnings of words of payee, description, location, project, tags, notes."),
]
PAGING: Final = [
    OpenApiParameter("ordering", enum=list(keysets.ORDERINGS)),
    OpenApiParameter("cursor", description="From `next` or `previous`."),
    OpenApiParameter("page_size", OpenApiTypes.INT),
]
PAGED: Final = tuple(one.name for one in PAGING)


def answer(request: Request, asked: ExpenseFilter) -> Response:
    """One page of what is asked for, by a cursor."""
    found = expenses.listed(person(request), asked)
    ordering = parameters.ordering(request, {one.removeprefix("-") for one in keysets.ORDERINGS}, keysets.NEWEST)[0]
    cursor = request.query_params.get("cursor", "")
    page = keysets.page(
        found, ordering=ordering, cursor=cursor, size=page_size_of(request), workspaces=frozenset(asked.workspaces)
    )
    return Response(
        {
            "next": _address(request, page.older),
            "previous": _address(request, page.newer),
            "results": ExpenseSerializer(page.rows, many=True).data,
        }
    )


def _address(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    query: QueryDict = request._request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


class Expenses(ApiView):
    permission = Perm.SELF

    @extend_schema(
        parameters=[*FILTERS, *PAGING], responses=ExpensePageSerializer, tags=["expenses"], operation_id="expenses_list"
    )
    def get(self, request: Request) -> Response:
        """Expenses of the workspaces that you are in, newest first."""
        return answer(request, wanted(request, *PAGED))

    @extend_schema(request=NewExpenseSerializer, responses={201: ExpenseSerializer, 200: ExpenseSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Enter an expense.

        The same `source` and `external_id` again: 200 with the expense that is there, or 409 `external_id_taken` when it differs.
        """
        said = dict(valid(NewExpenseSerializer, request))
        workspace = workspace_of(request, said.pop("workspace"))
        said.setdefault("currency", workspace.currency)
        source = said.pop("source")
        added = services.add(workspace=workspace, given=_input(request, said), by=person(request), source=source)
        code = status.HTTP_201_CREATED if added.is_new else status.HTTP_200_OK
        shown = expense_for(request, added.expense.pk)
        return Response(ExpenseSerializer(shown).data, status=code)


class ExpensesOfUser(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(
        parameters=[*FILTERS, *PAGING], responses=ExpensePageSerializer, tags=["expenses"], operation_id="expenses_of_user_list"
    )
    def get(self, request: Request, user_id: int) -> Response:
        """What one person entered: your own, or anybody's for an admin; else 404."""
        user = person(request)
        if user.pk != user_id and not (user.is_admin and User.objects.filter(pk=user_id).exists()):
            raise NoSuchExpense("There is nobody with this id, or nobody whose expenses you may see.")
        parameters.check_known(request.query_params, {*filters.NAMES, *PAGED})
        asked = filters.read(request._request.GET, user)
        return answer(request, replace(asked, owners=(user_id,)))


class OneExpense(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=ExpenseSerializer, tags=["expenses"])
    def get(self, request: Request, expense_id: uuid.UUID) -> Response:
        """One expense."""
        return Response(ExpenseSerializer(expense_for(request, expense_id)).data)

    @extend_schema(request=ChangedExpenseSerializer, responses=ExpenseSerializer, tags=["expenses"])
    def put(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Say all of it anew."""
        return self._change(request, expense_id, partial=False)

    @extend_schema(request=ChangedExpenseSerializer(partial=True), responses=ExpenseSerializer, tags=["expenses"])
    def patch(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Change what is named. Another `category` leaves no subcategory, unless one is named."""
        return self._change(request, expense_id, partial=True)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Delete it. The header `X-Edit` names the edit, which `POST /api/expenses/edits/{id}/undo` takes back for 30 days."""
        edit = services.delete(expense=expense_for(request, expense_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT, headers={"X-Edit": str(edit.pk)})

    def _change(self, request: Request, expense_id: uuid.UUID, *, partial: bool) -> Response:
        expense = expense_for(request, expense_id)
        said = dict(valid(ChangedExpenseSerializer, request, partial=partial))
        revision = said.pop("revision", None)
        said.setdefault("currency", expense.currency)
        merged = _merged(request, expense, said) if partial else _input(request, {**said, "external_id": expense.external_id})
        services.change(expense=expense, given=merged, by=person(request), revision=revision)
        return Response(ExpenseSerializer(expense_for(request, expense_id)).data)


def _input(request: Request, said: Mapping[str, Any]) -> ExpenseInput:
    account = account_for(request, said.get("account"))
    return ExpenseInput(**{**said, "tags": tuple(said.get("tags", ())), "account": account})


def _merged(request: Request, expense: Expense, said: dict[str, Any]) -> ExpenseInput:
    """What is not named stays as it is."""
    if "category" in said:
        said.setdefault("subcategory", "")
    if "account" in said:
        said["account"] = account_for(request, said["account"])
    if "tags" in said:
        said["tags"] = tuple(said["tags"])
    return replace(input_of(expense), **said)


class DuplicateExpense(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=None, responses={201: ExpenseSerializer}, tags=["expenses"])
    def post(self, request: Request, expense_id: uuid.UUID) -> Response:
        """The same again, today, as your own."""
        again = services.duplicate(expense=expense_for(request, expense_id), by=person(request))
        return Response(ExpenseSerializer(expense_for(request, again.pk)).data, status=status.HTTP_201_CREATED)


class ExpensePartSerializer(serializers.Serializer[Any]):
    """What is not named is as in the whole."""

    cost = amount()
    category = serializers.CharField(max_length=170, allow_blank=True, required=False, help_text="“Travel › Taxi”.")
    description = serializers.CharField(max_length=LENGTHS["description"], allow_blank=True, required=False)


class ExpensePartsSerializer(serializers.Serializer[Any]):
    edit = serializers.UUIDField()
    parts = ExpenseSerializer(many=True)


class ExpenseSplitSerializer(serializers.Serializer[Any]):
    parts = serializers.ListField(child=ExpensePartSerializer(), min_length=2, max_length=MOST_PARTS)


class SplitExpense(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=ExpenseSplitSerializer, responses=ExpensePartsSerializer, tags=["expenses"])
    def post(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Let parts stand in its place that add up to it exactly. The first one keeps its id; `edit` undoes it."""
        expense, by = expense_for(request, expense_id), person(request)
        whole = input_of(expense)
        parts = [_part(whole, one) for one in valid(ExpenseSplitSerializer, request)["parts"]]
        edit = services.split(expense=expense, parts=parts, by=by)
        group = expense_for(request, expense_id).split
        found = expenses.listed(by, ExpenseFilter()).filter(split=group).order_by("id").with_names()
        return Response(ExpensePartsSerializer({"edit": edit.pk, "parts": found}).data)


def _part(whole: ExpenseInput, said: Mapping[str, Any]) -> ExpenseInput:
    named = {name: value for name, value in said.items() if name != "category"}
    if "category" in said:
        named["category"], named["subcategory"] = categorising.levels(said["category"])
    return replace(whole, **named)


# --- many at once


class ExpenseChangesSerializer(serializers.Serializer[Any]):
    """What each of them gets; an empty text takes the value away."""

    category = serializers.CharField(max_length=170, allow_blank=True, required=False, help_text="“Travel › Taxi”.")
    payment_method = serializers.CharField(max_length=80, allow_blank=True, required=False)
    payee = serializers.CharField(max_length=200, allow_blank=True, required=False)
    location = serializers.CharField(max_length=200, allow_blank=True, required=False)
    project = serializers.CharField(max_length=80, allow_blank=True, required=False)
    add_tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=20)
    remove_tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=20)


class ExpenseBulkSerializer(serializers.Serializer[Any]):
    """Which ones: `ids`, or all that the filters of the address match when `all` is true."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=bulk.MAX_ROWS)
    all = serializers.BooleanField(default=False)
    delete = serializers.BooleanField(default=False)
    set = ExpenseChangesSerializer(required=False)
    step = ChoiceField(choices=list(bulk.STEPS), required=False, help_text="A step of approval, taken with each of them.")
    unchanged_since = serializers.DateTimeField(
        required=False, help_text="For a step: when they were looked at. One that changed since refuses it for all."
    )

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in said) == said["all"]:
            raise serializers.ValidationError("Name ids, or say all.")
        if ["set" in said, "step" in said, said["delete"]].count(True) != 1:
            raise serializers.ValidationError("Say what to set, which step to take, or delete.")
        return said


class ExpenseEditSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    what = serializers.CharField()
    count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ExpensesChangedSerializer(ExpenseEditSerializer):
    id = serializers.UUIDField(allow_null=True, help_text="The edit, which can be undone; null for a step of approval.")
    created_at = serializers.DateTimeField(allow_null=True)


class BulkExpenses(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=FILTERS, request=ExpenseBulkSerializer, responses=ExpensesChangedSerializer, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Change, delete, hand in, approve or note as paid back many expenses of one workspace, all or none.

        The answer names the edit, which can be undone. Steps of approval have none: at most 500 at once.
        """
        said = valid(ExpenseBulkSerializer, request)
        user = person(request)
        if said["all"]:
            found = expenses.listed(user, wanted(request))
        else:
            mine = ExpenseFilter(workspaces=filters.own_workspaces(user) or (0,)) if not user.is_admin else ExpenseFilter()
            found = expenses.listed(user, mine).filter(pk__in=said["ids"])
        if "step" in said:
            told = bulk.STEPS[said["step"]][1]
            count = bulk.decide(found=found, step=said["step"], by=user, unchanged_since=said.get("unchanged_since"))
            return Response({"id": None, "what": told, "count": count, "created_at": None})
        edit = bulk.delete(found=found, by=user) if said["delete"] else bulk.change(found=found, changes=_changes(said), by=user)
        return Response(ExpensesChangedSerializer(edit).data)


def _changes(said: Mapping[str, Any]) -> bulk.Changes:
    given = said["set"]
    lists = {name: tuple(given.get(name, ())) for name in ("add_tags", "remove_tags")}
    return bulk.Changes(**{**given, **lists})


class ExpenseUndoneSerializer(serializers.Serializer[Any]):
    restored = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Changed again since, and left as they are.")


class UndoExpenseEdit(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=None, responses=ExpenseUndoneSerializer, tags=["expenses"])
    def post(self, request: Request, edit_id: uuid.UUID) -> Response:
        """Take an edit back, for 30 days. 409 `nothing_to_undo` the second time."""
        user = person(request)
        return Response(ExpenseUndoneSerializer(edits.undo(edit=edited.get_for(user, edit_id), by=user)).data)


# --- approval


class ExpenseStepSerializer(serializers.Serializer[Any]):
    step = ChoiceField(choices=["submit", "withdraw", "approve", "reject", "reimburse"])
    reason = serializers.CharField(max_length=500, default="", allow_blank=True, help_text="Needed to reject.")
    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="Approve what this one says; another one meanwhile is a 409."
    )


class DecideOnExpense(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=ExpenseStepSerializer, responses=ExpenseSerializer, tags=["expenses"])
    def post(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Hand in, take back, approve, reject, note as paid back. Nobody decides about their own: 403."""
        expense, by = expense_for(request, expense_id), person(request)
        given = valid(ExpenseStepSerializer, request)
        match given["step"]:
            case "submit":
                approvals.submit(expense=expense, by=by)
            case "withdraw":
                approvals.withdraw(expense=expense, by=by)
            case "approve":
                approvals.approve(expense=expense, by=by, revision=given.get("revision"))
            case "reject":
                approvals.reject(expense=expense, reason=given["reason"], by=by)
            case _:
                approvals.reimburse(expense=expense, by=by)
        return Response(ExpenseSerializer(expense_for(request, expense_id)).data)
