"""The forms about series, budgets and rules."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from costs.rules.budget_periods import Every
from expenses.forms.entry import AmountField, EntryForm
from expenses.models import Category, Workspace
from expenses.models.plans import PERIODS
from expenses.rules import currencies
from expenses.rules.categorising import LISTS, NUMBERS, SETTABLE, TEXTS, Operator
from expenses.services.budgets import DEFAULT_THRESHOLDS, BudgetInput
from expenses.services.rules import RuleInput

OFTEN: Final = (
    ("FREQ=MONTHLY", "Every month on this day"),
    ("FREQ=WEEKLY", "Every week on this weekday"),
    ("FREQ=WEEKLY;INTERVAL=2", "Every second week"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "On the last day of every month"),
    ("FREQ=MONTHLY;INTERVAL=3", "Every three months"),
    ("FREQ=YEARLY", "Every year"),
    ("FREQ=DAILY", "Every day"),
)
_BY_RULE: Final = ("", "By the rule that is written out")


class SeriesForm(EntryForm):
    """What comes again, from `date` on. A rule that is written out goes before the choice."""

    often = forms.ChoiceField(label="How often", choices=[*OFTEN, _BY_RULE], required=False)
    rrule = forms.CharField(
        label="Or a rule of RFC 5545",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "FREQ=MONTHLY;BYDAY=-1FR"}),
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if not said.get("often") and not said.get("rrule"):
            self.add_error("rrule", "Say how often it comes.")
        return said

    @property
    def rule(self) -> str:
        return str(self.cleaned_data["rrule"] or self.cleaned_data["often"])


class BudgetForm(forms.Form):
    """How much a category, or everything, may cost."""

    category = forms.ModelChoiceField(queryset=Category.objects.none(), required=False, empty_label="Everything")
    amount = AmountField(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
    currency = forms.CharField(max_length=3)
    every = forms.ChoiceField(label="Each", choices=PERIODS)
    thresholds = forms.CharField(
        label="Tell people at (per cent)", required=False, initial=", ".join(map(str, DEFAULT_THRESHOLDS)), max_length=60
    )
    on_channels = forms.BooleanField(label="Tell channels too, for everybody to read", required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Category.objects.filter(workspace=workspace).select_related("parent")
        self.fields["category"].queryset = own  # type: ignore[attr-defined]
        self.fields["currency"].initial = workspace.currency

    def clean_currency(self) -> str:
        code: str = self.cleaned_data["currency"].strip().upper()
        if code not in currencies.EXPONENTS:
            raise forms.ValidationError(f"“{code}” is no currency of ISO 4217.")
        return code

    def clean_thresholds(self) -> tuple[int, ...]:
        parts = [one.strip().removesuffix("%").strip() for one in self.cleaned_data["thresholds"].split(",") if one.strip()]
        if not all(one.isascii() and one.isdecimal() and len(one) < 5 for one in parts):
            raise forms.ValidationError("Whole numbers with commas between them, such as 80, 100.")
        return tuple(int(one) for one in parts)

    def given(self) -> BudgetInput:
        data = self.cleaned_data
        return BudgetInput(
            data["amount"], data["currency"], data["category"], Every(data["every"]), data["thresholds"], data["on_channels"]
        )


CONDITION_FIELDS: Final = [(one, one.replace("_", " ").capitalize()) for one in (*TEXTS, *NUMBERS, *LISTS)]
OPERATORS: Final = [(one.value, one.value.replace("_", " ")) for one in Operator]
ACTION_FIELDS: Final = [(one, one.replace("_", " ").capitalize()) for one in SETTABLE]


def rule_input(data: Any) -> RuleInput:
    """The rows of the rule's form; those without a value are left out, but for what asks whether something is empty."""
    conditions = [
        {"field": field, "operator": operator, "value": value}
        for field, operator, value in zip(
            data.getlist("condition_field"), data.getlist("condition_operator"), data.getlist("condition_value"), strict=False
        )
        if value.strip() or operator == Operator.IS_EMPTY
    ]
    actions = [
        {"field": field, "value": value}
        for field, value in zip(data.getlist("action_field"), data.getlist("action_value"), strict=False)
        if value.strip()
    ]
    return RuleInput(data.get("name", ""), conditions, actions, data.get("match") == "any", "is_on" in data)
