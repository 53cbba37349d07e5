"""Small forms: splitting, bulk edits, decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms

from expenses.forms.entry import AmountField
from expenses.rules import wording
from expenses.services.bulk import Changes
from expenses.services.inputs import ExpenseRefused

# What the bar below the list asks for, and how it is told before all that match are changed.
BULK_FIELDS: Final = {
    "category": "Category becomes",
    "payment_method": "Paid with becomes",
    "payee": "Payee becomes",
    "location": "Location becomes",
    "project": "Project becomes",
    "add_tag": "Tags added",
    "remove_tag": "Tags taken away",
    "clear": "Taken away",
}
# Steps of approval that are taken with many at once, as buttons say them.
STEPS: Final = {"submit": "Hand in", "approve": "Approve", "reimburse": "Paid back"}
CLEARABLE: Final = {
    "category": "Category",
    "payment_method": "Payment method",
    "payee": "Payee",
    "location": "Location",
    "project": "Project",
}


def bulk_changes(data: Any) -> Changes:
    """What the bar says. Empty fields stay as they are; what is to be cleared is named."""
    named = {name: data.get(name, "").strip() or None for name in CLEARABLE}
    if data.get("clear") in CLEARABLE:
        named[data["clear"]] = ""
    added, removed = (data.get(name, "").strip() for name in ("add_tag", "remove_tag"))
    return Changes(**named, add_tags=(added,) if added else (), remove_tags=tuple(wording.tags_of([removed])))


def seen_at(data: Any) -> datetime | None:
    """When the list was made that the bar stands below, where it says so. Raises ExpenseRefused for what is no moment."""
    try:
        moment: datetime | None = forms.DateTimeField(required=False).clean(data.get("seen", ""))
    except forms.ValidationError:
        raise ExpenseRefused("Open the list once more.", attr="seen") from None
    return moment


class PartForm(forms.Form):
    """One part of a split."""

    description = forms.CharField(max_length=500, required=False)
    category = forms.CharField(
        max_length=170, required=False, widget=forms.TextInput(attrs={"list": "categories", "autocomplete": "off"})
    )
    cost = AmountField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))


PartFormSet = forms.formset_factory(PartForm, extra=0)
