"""The forms in which expenses are entered and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from expenses.models import Expense, Workspace
from expenses.rules import categorising, currencies
from expenses.services import inputs
from expenses.services.inputs import ExpenseInput


class AmountField(forms.DecimalField):
    """Takes what people type: "1,234.50" and "12,50" as well, where only one reading is possible."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=24, **options)  # more are nobody's money, and some cannot be added up

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs make it a kind of IntegerField
        return super().to_python(plain_number(value) if isinstance(value, str) else value)


def plain_number(text: str) -> str:
    """ "1 234,5" → "1234.5". A comma is a decimal point unless three digits follow and it may group thousands."""
    bare = "".join(text.split()).replace("−", "-").replace("’", "")
    if "," in bare and "." in bare:
        return bare.replace(",", "") if bare.rfind(".") > bare.rfind(",") else bare.replace(".", "").replace(",", ".")
    whole, _, part = bare.rpartition(",")
    if not whole:
        return bare
    return f"{whole}{part}" if "," in whole or len(part) == 3 else f"{whole}.{part}"


def _text(**attrs: str | bool) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attrs})


class EntryForm(forms.Form):
    """The quick row. What the address of the list does not need stays in the form of one expense."""

    date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    payee = forms.CharField(max_length=200, required=False, widget=_text(list="payees"))
    cost = AmountField(label="Cost", widget=_text(inputmode="decimal"))
    currency = forms.CharField(max_length=3, widget=_text(list="currencies", autocapitalize="characters", spellcheck="false"))
    category = forms.CharField(max_length=170, required=False, widget=_text(list="categories"))
    payment_method = forms.CharField(label="Paid with", max_length=80, required=False, widget=_text(list="methods"))
    description = forms.CharField(max_length=500, required=False, widget=_text())
    tags = forms.CharField(max_length=500, required=False, widget=_text(list="tags", placeholder="a, b"))

    def clean_currency(self) -> str:
        code: str = self.cleaned_data["currency"].strip().upper()
        if code not in currencies.EXPONENTS:
            raise forms.ValidationError(f"“{code}” is no currency of ISO 4217.")
        return code

    def clean_tags(self) -> tuple[str, ...]:
        return (self.cleaned_data["tags"],)

    def given(self, kept: ExpenseInput | None = None) -> ExpenseInput:
        """What a valid form says; what it does not ask for stays as in `kept`."""
        data: Mapping[str, Any] = self.cleaned_data
        category, subcategory = categorising.levels(data["category"])
        said = {one.name: data[one.name] for one in fields(ExpenseInput) if one.name in data}
        said |= {"category": category, "subcategory": subcategory}
        return replace(kept, **said) if kept else ExpenseInput(**said)


class ExpenseForm(EntryForm):
    """Everything that can be said of one expense. `revision` is that of the row the person sees."""

    location = forms.CharField(max_length=200, required=False, widget=_text())
    project = forms.CharField(max_length=80, required=False, widget=_text())
    account = forms.ModelChoiceField(label="AWS account", queryset=AwsAccount.objects.none(), required=False, empty_label="None")
    notes = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._accounts = AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_VIEW)
        self.fields["account"].queryset = self._accounts  # type: ignore[attr-defined]

    def given(self, kept: ExpenseInput | None = None) -> ExpenseInput:
        """An account that the person does not see stays, unless they name another one."""
        said = super().given(kept)
        if said.account or not kept or not kept.account or self._accounts.filter(pk=kept.account.pk).exists():
            return said
        return replace(said, account=kept.account)


def initial_of(expense: Expense) -> dict[str, Any]:
    """What the form shows of an expense."""
    given = inputs.input_of(expense)
    return {
        **{name: getattr(given, name) for name in ("date", "payee", "cost", "currency", "payment_method", "description")},
        **{name: getattr(given, name) for name in ("location", "project", "account", "notes")},
        "category": str(expense.category or ""),
        "tags": ", ".join(given.tags),
        "revision": expense.revision,
    }


def blank(workspace: Workspace) -> dict[str, Any]:
    return {"currency": workspace.currency}


class RowForm(EntryForm):
    """A row of the list, edited where it stands."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
