"""The filters above the trail."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from audit import verbs
from audit.models import Outcome
from audit.selectors import EventFilter

_DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class EventFilterForm(forms.Form):
    """Days are UTC days; `until` is the last day shown."""

    search = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, target, request id…"}),
    )
    action = forms.ChoiceField(required=False)
    outcome = forms.ChoiceField(required=False, choices=[("", "Any"), *Outcome.choices])
    actor = forms.CharField(label="Who", required=False, max_length=150)
    since = forms.DateField(label="From", required=False, widget=_DAY)
    until = forms.DateField(label="To", required=False, widget=_DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read when shown: apps register their verbs as they load.
        self.fields["action"].choices = [("", "Any"), *((name, verbs.title(name)) for name in sorted(verbs.REGISTRY))]  # type: ignore[attr-defined]

    def wanted(self, accounts: tuple[str, ...], environments: tuple[str, ...]) -> EventFilter:
        """What the form asks for; a field with an error asks for nothing."""
        given = self.cleaned_data
        return EventFilter(
            actions=(given["action"],) if given.get("action") else (),
            outcomes=(given["outcome"],) if given.get("outcome") else (),
            accounts=accounts,
            environments=environments,
            actor=given.get("actor", ""),
            since=_midnight(given.get("since")),
            until=_midnight(given.get("until"), days=1),
            search=given.get("search", ""),
        )


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    if day is None or day > date.max - timedelta(days=days):
        return None  # nothing is later than the last day there is
    return datetime.combine(day + timedelta(days=days), time.min, UTC)
