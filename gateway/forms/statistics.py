"""Which requests the statistics are about."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from gateway.models import ApiKey, Via
from gateway.rules.keys import METHODS
from gateway.selectors import keys
from gateway.selectors.statistics import DAYS, LogFilter

SPANS = [("1", "Today"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("366", "A year")]
_OUTCOMES = [
    ("", "Any"),
    ("ok", "Succeeded"),
    ("failed", "Failed"),
    ("unanswered", "No answer"),
    ("2xx", "2xx"),
    ("3xx", "3xx"),
    ("4xx", "4xx"),
    ("5xx", "5xx"),
]


class NamedKey(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscript at run time
    def label_from_instance(self, key: Any) -> str:
        return str(key.api_name)


class StatisticsForm(forms.Form):
    """What means nothing counts as not asked."""

    days = forms.ChoiceField(choices=SPANS, required=False, label="Span (UTC)")
    key = NamedKey(ApiKey.objects.none(), required=False, label="Key", empty_label="All")
    host = forms.CharField(max_length=260, required=False, label="API’s host", widget=forms.TextInput({"placeholder": "All"}))
    method = forms.ChoiceField(choices=[("", "Any"), *((name, name) for name in METHODS)], required=False)
    outcome = forms.ChoiceField(choices=_OUTCOMES, required=False)
    via = forms.ChoiceField(choices=[("", "Any"), *Via.choices], required=False, label="Through")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].queryset = keys.visible(user)  # type: ignore[attr-defined]
        self.initial.setdefault("days", str(DAYS))

    @property
    def wanted(self) -> LogFilter:
        given = self.cleaned_data
        return LogFilter(
            days=int(given.get("days") or DAYS),
            key=given["key"].pk if given.get("key") else None,
            host=given.get("host", ""),
            method=given.get("method", ""),
            outcome=given.get("outcome", ""),
            via=given.get("via", ""),
        )
