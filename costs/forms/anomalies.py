"""The forms about unusual costs: what is listed, what is said of an episode, what is muted, and from where on it is unusual."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from costs.models import AnomalyKind, AnomalyStatus, Assessment, FoundBy
from costs.rules.baselines import Limits, Sensitivity
from costs.services.anomaly_feedback import NOTE_LENGTH
from costs.services.anomaly_rules import MOST_PERCENT

_ANY = ("", "Any")
_SENSITIVITIES = [
    (Sensitivity.LOW.value, "Low: six times the usual deviation"),
    (Sensitivity.MEDIUM.value, "Medium: four times"),
    (Sensitivity.HIGH.value, "High: three times"),
]


class AnomalyFilterForm(forms.Form):
    status = forms.ChoiceField(required=False, choices=[_ANY, *AnomalyStatus.choices])
    kind = forms.ChoiceField(required=False, choices=[_ANY, *AnomalyKind.choices])
    found_by = forms.ChoiceField(label="Found by", required=False, choices=[_ANY, *FoundBy.choices])
    muted = forms.ChoiceField(label="Announced", required=False, choices=[_ANY, ("no", "Yes"), ("yes", "Muted")])
    service = forms.CharField(
        required=False, max_length=255, widget=forms.TextInput(attrs={"type": "search", "placeholder": "Service…"})
    )


class FeedbackForm(forms.Form):
    assessment = forms.ChoiceField(choices=Assessment.choices, widget=forms.RadioSelect)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 2}))
    tell_aws = forms.BooleanField(required=False)


class MuteForm(forms.Form):
    """`about`: which of the episode's service, account and region are meant, joined by a comma."""

    service = forms.CharField(required=False, max_length=255)
    account = forms.CharField(required=False, max_length=12)
    region = forms.CharField(required=False, max_length=64)
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)


class LimitsForm(forms.Form):
    account = forms.ChoiceField(required=False)
    currency = forms.RegexField(
        r"^[A-Z]{3}$", max_length=3, widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"})
    )
    floor = forms.DecimalField(
        label="At least so much more a day",
        max_digits=16,
        decimal_places=2,
        min_value=Decimal("0.01"),
        help_text="In that currency.",
    )
    percent = forms.IntegerField(label="and so many percent more", min_value=0, max_value=MOST_PERCENT)
    sensitivity = forms.ChoiceField(label="Sensitivity", choices=_SENSITIVITIES, help_text="Beyond how far days usually differ.")

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["account"] = forms.ChoiceField(label="For", required=False, choices=accounts)

    def limits(self) -> Limits:
        given = self.cleaned_data
        return Limits(given["floor"], Decimal(given["percent"]), Sensitivity(given["sensitivity"]))

    def refuse(self, error: Any) -> None:
        self.add_error(error.attr if error.attr in self.fields else None, error.detail)
