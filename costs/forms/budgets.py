"""The forms about budgets."""

from __future__ import annotations

from django import forms

from cloudconsole.core.money import DECIMAL_PLACES, MAX_DIGITS
from costs.models.budgets import EVERY, STANDINGS
from costs.rules.budget_periods import Every


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _money_input() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


def _submitting_select() -> forms.Select:
    return forms.Select(attrs={"data-submit-on-change": True})


class BudgetForm(forms.Form):
    """What a budget promises. What it counts is chosen beside it, in the explorer's words."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    every = forms.ChoiceField(label="Period", choices=EVERY, initial=Every.MONTHLY.value)
    amount = forms.DecimalField(
        label="Amount of each period", max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, widget=_money_input()
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        required=False,
        help_text="Empty: the one that the costs are in.",
        error_messages={"invalid": "A currency has three capital letters, such as USD."},
        widget=forms.TextInput(attrs={"maxlength": 3, "autocapitalize": "characters", "spellcheck": "false"}),
    )
    start = forms.DateField(label="First day", required=False, help_text="Empty: this period.", widget=_day_input())
    last = forms.DateField(label="Last day", required=False, widget=_day_input())


class BudgetFilterForm(forms.Form):
    """What the list of budgets is narrowed to, and what it starts with."""

    q = forms.CharField(
        label="Find", required=False, max_length=100, widget=forms.TextInput(attrs={"placeholder": "Name or owner"})
    )
    standing = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), *STANDINGS], widget=_submitting_select())
    every = forms.ChoiceField(label="Period", required=False, choices=[("", "Any"), *EVERY], widget=_submitting_select())
    order = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[("", "Most used up"), ("name", "Name"), ("amount", "Amount"), ("newest", "Newest")],
        widget=_submitting_select(),
    )
    show = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[("", "All"), ("mine", "Mine"), ("archived", "Archived")],
        widget=_submitting_select(),
    )
