"""Expenses as the API takes and gives them: money as text beside its currency, categories by their names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cloudconsole.api.fields import ChoiceField
from cloudconsole.core.money import EXACT
from expenses.models import Expense
from expenses.rules.statuses import Status
from expenses.services.expenses import MANUAL, RECURRING
from expenses.services.inputs import LENGTHS, levels

# The names of the AWS Expense Tracker, and ours.
TRACKER: Final = {
    "Date": "date",
    "Category": "category",
    "SubCategory": "subcategory",
    "Description": "description",
    "Cost": "cost",
    "PaymentMethod": "payment_method",
    "Location": "location",
}


def ours(body: Any) -> Any:
    """A body with the tracker's names replaced by ours, where it is an object."""
    if not isinstance(body, Mapping):
        return body
    return {TRACKER.get(str(name), name): value for name, value in body.items()}


@extend_schema_field(OpenApiTypes.STR)
class AmountText(serializers.Field[Decimal, Any, str, Any]):
    """An exact amount as text, without zeros that say nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


def plain(value: Decimal) -> str:
    """`Decimal("12.5000")` → "12.5", `Decimal("100")` → "100"."""
    return f"{EXACT.normalize(value):f}"


def amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=4, **options)


def currency(**options: Any) -> serializers.RegexField:
    return serializers.RegexField(r"^[A-Z]{3}$", help_text="ISO 4217, such as USD.", **options)


class ExpenseFieldsSerializer(serializers.Serializer[Any]):
    """What can be said of an expense. Categories and payment methods are made where there is none of the name yet."""

    date = serializers.DateField(help_text="A day; no time zone touches it.")
    category = serializers.CharField(max_length=80, default="", allow_blank=True)
    subcategory = serializers.CharField(max_length=80, default="", allow_blank=True)
    description = serializers.CharField(max_length=LENGTHS["description"], default="", allow_blank=True)
    payee = serializers.CharField(max_length=LENGTHS["payee"], default="", allow_blank=True)
    cost = amount(help_text="With no more decimal places than the currency has. Negative: money that came back.")
    currency = currency(required=False)
    payment_method = serializers.CharField(max_length=80, default="", allow_blank=True)
    location = serializers.CharField(max_length=LENGTHS["location"], default="", allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), default=list, max_length=20)
    notes = serializers.CharField(max_length=LENGTHS["notes"], default="", allow_blank=True)
    account = serializers.IntegerField(default=None, allow_null=True, help_text="Id of an AWS account it is for.")
    project = serializers.CharField(max_length=LENGTHS["project"], default="", allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(ours(data))


class NewExpenseSerializer(ExpenseFieldsSerializer):
    """`Date, Category, SubCategory, Description, Cost, PaymentMethod, Location` are taken as well."""

    workspace = serializers.IntegerField(default=None, allow_null=True, help_text="None: your personal one.")
    source = serializers.RegexField(r"^[a-z0-9][a-z0-9_.:-]{0,39}$", default="api", help_text="Through what it comes.")  # type: ignore[assignment]  # a name of the contract
    external_id = serializers.CharField(
        max_length=LENGTHS["external_id"], default="", allow_blank=True, help_text="Its name there; once for each source."
    )

    def validate_source(self, source: str) -> str:
        if source in (MANUAL, RECURRING):
            raise serializers.ValidationError("The console names its own so: say through what else it comes.", code="reserved")
        return source


class ChangedExpenseSerializer(ExpenseFieldsSerializer):
    """`revision`: the one that the change is of; another one meanwhile is a 409."""

    revision = serializers.IntegerField(required=False, min_value=1)


class ExpenseSerializer(serializers.ModelSerializer[Expense]):
    workspace = serializers.IntegerField(source="workspace_id")
    user = serializers.IntegerField(source="owner_id", allow_null=True)
    category = serializers.SerializerMethodField()
    subcategory = serializers.SerializerMethodField()
    cost = AmountText()
    payment_method = serializers.SerializerMethodField()
    tags = serializers.ListField(child=serializers.CharField())
    account = serializers.IntegerField(source="account_id", allow_null=True)
    status = ChoiceField(choices=[one.value for one in Status])
    locked = serializers.ListField(child=serializers.CharField(), help_text="Fields that rules leave alone.")

    class Meta:
        model = Expense
        fields = [
            "id",
            "workspace",
            "user",
            "date",
            "category",
            "subcategory",
            "description",
            "payee",
            "cost",
            "currency",
            "payment_method",
            "location",
            "tags",
            "notes",
            "account",
            "project",
            "status",
            "decision",
            "source",
            "external_id",
            "locked",
            "occurrence",
            "split",
            "revision",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_category(self, expense: Expense) -> str:
        return levels(expense.category)[0]

    def get_subcategory(self, expense: Expense) -> str:
        return levels(expense.category)[1]

    def get_payment_method(self, expense: Expense) -> str:
        return expense.payment_method.name if expense.payment_method else ""


class ExpensePageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ExpenseSerializer(many=True)
