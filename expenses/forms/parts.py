"""Small forms: splitting, bulk edits, decisions."""

from __future__ import annotations

from typing import Any

from django import forms

from expenses.forms.entry import AmountField
from expenses.services.bulk import Changes


def bulk_changes(data: Any) -> Changes:
    """What the bar below the list says. Empty fields stay as they are."""
    return Changes(
        category=data.get("category", "").strip() or None,
        payment_method=data.get("payment_method", "").strip() or None,
        add_tags=(data.get("add_tag", ""),) if data.get("add_tag", "").strip() else (),
    )


class PartForm(forms.Form):
    """One part of a split."""

    description = forms.CharField(max_length=500, required=False)
    category = forms.CharField(
        max_length=170, required=False, widget=forms.TextInput(attrs={"list": "categories", "autocomplete": "off"})
    )
    cost = AmountField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))


PartFormSet = forms.formset_factory(PartForm, extra=0)
