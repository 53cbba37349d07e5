"""What the pages of quotas are asked for."""

from __future__ import annotations

from typing import Any

from django import forms

from resources.forms.buckets import RefusableForm
from resources.models.quotas import STATES
from resources.selectors.quotas import EVERYTHING


class QuotaFilterForm(forms.Form):
    search = forms.CharField(
        required=False, max_length=200, widget=forms.SearchInput(attrs={"placeholder": "Model, name or code"})
    )
    service = forms.ChoiceField(required=False)
    region = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False, choices=[("", "In use or held back"), *STATES, (EVERYTHING, "All")])

    def __init__(self, *args: Any, regions: list[str], services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = [("", "Any"), *((name, name) for name in regions)]  # type: ignore[attr-defined]
        self.fields["service"].choices = [("", "Any"), *services]  # type: ignore[attr-defined]


class ThresholdsForm(RefusableForm):
    warning_percent = forms.IntegerField(label="Warn from", min_value=1, max_value=1000, help_text="Percent of the limit.")
    critical_percent = forms.IntegerField(label="Critical from", min_value=1, max_value=1000, help_text="Percent of the limit.")


class IncreaseForm(RefusableForm):
    desired = forms.DecimalField(label="New limit", max_digits=16, decimal_places=3, min_value=0)
    reason = forms.CharField(
        required=False, max_length=500, help_text="Kept here with the request; AWS is not told.", widget=forms.TextInput()
    )
