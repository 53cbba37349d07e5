"""The forms about rates of currencies and the total."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms


class MonthField(forms.CharField):
    """A month as browsers write it: 2026-11."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"})

    def to_python(self, value: Any) -> date | None:  # type: ignore[override]  # a field of text that becomes a day
        text = super().to_python(value)
        if not text:
            return None
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise forms.ValidationError("A month such as 2026-11.") from error


class RateForm(forms.Form):
    """A rate that counts for a month instead of the central bank's."""

    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        error_messages={"invalid": "A currency has three capital letters, such as USD."},
        widget=forms.TextInput(attrs={"maxlength": 3, "autocapitalize": "characters", "spellcheck": "false"}),
    )
    month = MonthField()
    per_euro = forms.DecimalField(
        label="One euro is worth",
        max_digits=22,
        decimal_places=10,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
