"""A limit that somebody keeps by hand."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django import forms

from accounts.models import User
from gateway.forms.console import KeyChoice
from gateway.models import ApiKey
from gateway.models.rate_windows import POLICY_LENGTH, UNITS
from gateway.rules.rate_windows import Unit
from gateway.selectors import keys
from gateway.services.manual_windows import MOST, WindowInput

LENGTHS = [
    ("", "Never by itself"),
    ("1", "Each second"),
    ("60", "Each minute"),
    ("3600", "Each hour"),
    ("86400", "Each day"),
    ("604800", "Each week"),
    ("2592000", "Each 30 days"),
]


class LimitForm(forms.Form):
    """`remaining` empty: all of it. `reset_at` empty: a whole length from now."""

    key = KeyChoice(ApiKey.objects.none(), label="Key", empty_label=None)
    limit = forms.IntegerField(min_value=0, max_value=MOST)
    remaining = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="Left", help_text="Empty: all of it.")
    unit = forms.ChoiceField(choices=UNITS, initial=Unit.REQUESTS.value, label="Counts")
    seconds = forms.TypedChoiceField(choices=LENGTHS, coerce=int, empty_value=None, required=False, label="Fills up")
    reset_at = forms.DateTimeField(
        required=False,
        label="Full again (UTC)",
        help_text="Empty: one such span from now, or never.",
        widget=forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"),
    )
    policy = forms.CharField(
        max_length=POLICY_LENGTH, required=False, label="Name", help_text="Tells several limits of one API apart."
    )

    def __init__(self, *args: Any, user: User, seconds: int | None = None, **kwargs: Any) -> None:
        """`seconds`: a length that was said elsewhere, and can be kept."""
        super().__init__(*args, **kwargs)
        self.fields["key"].queryset = keys.visible(user)  # type: ignore[attr-defined]
        if seconds and str(seconds) not in dict(LENGTHS):
            self.fields["seconds"].choices = [*LENGTHS, (str(seconds), f"Each {seconds:,} s")]  # type: ignore[attr-defined]

    @property
    def wish(self) -> WindowInput:
        """Of a form that is valid."""
        given = self.cleaned_data
        reset_at = given["reset_at"]
        return WindowInput(
            limit=given["limit"],
            remaining=given["remaining"],
            reset_at=reset_at.astimezone(UTC) if reset_at else None,
            seconds=given["seconds"],
            unit=Unit(given["unit"]),
            policy=given["policy"],
        )
