"""What the pages about recommendations are asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from costs.models.recommendations import CONFIDENCES, KIND_CHOICES, STATUSES

_ANY = ("", "Any")


class RecommendationFilterForm(forms.Form):
    status = forms.ChoiceField(label="State", required=False, choices=[*STATUSES, ("all", "All")])
    kind = forms.ChoiceField(required=False, choices=[_ANY, *KIND_CHOICES])
    region = forms.ChoiceField(required=False)
    confidence = forms.ChoiceField(required=False, choices=[_ANY, *CONFIDENCES])

    def __init__(self, *args: Any, regions: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = [_ANY, *((name, name) for name in regions)]  # type: ignore[attr-defined]


class DismissForm(forms.Form):
    """`until` is the last day on which it stays dismissed."""

    reason = forms.CharField(max_length=500)
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    @property
    def end(self) -> datetime | None:
        """The first moment (UTC) at which it is open again."""
        day: date | None = self.cleaned_data["until"]
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC) if day else None
