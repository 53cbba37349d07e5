"""A schedule as a page asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, time
from typing import Any
from zoneinfo import available_timezones

from django import forms

from accounts.models import AwsAccount, Environment
from resources.forms.buckets import RefusableForm
from resources.models import Schedule
from resources.models.automation import MISSED, MODES
from resources.rules.schedules import WEEKDAYS, Missed, Mode
from resources.services.automation import Wanted
from resources.services.automation.schedules import period_of

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_NAMES = dict(zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_WORDS = re.compile(r"[\s,;]+")


class ScheduleForm(RefusableForm):
    """One period with its days is asked for in fields; further ones as lines of text, one each."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"placeholder": "Office hours of development"}))
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "zones", "placeholder": "Europe/Berlin"}),
    )
    weekdays = forms.MultipleChoiceField(
        label="Days", required=False, choices=list(_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )
    begin = forms.TimeField(label="Start at", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    end = forms.TimeField(
        label="Stop at",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="Not after the start: on the next day.",
    )
    more = forms.CharField(
        label="Further periods",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 2, "placeholder": "sat 10:00-14:00"}),
        help_text="One a line: days, begin-end. Days are mon to sun, mon#1 (the first), fri#last, 15 (of the month) or last; "
        "leave out the begin (-20:00) to stop only, or the end (08:00-) to start only.",
    )
    holidays = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 2, "placeholder": "2026-12-24 2026-12-25"}),
        help_text="Days on which nothing is started.",
    )
    accounts = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen: all that you may operate."
    )
    environments = forms.MultipleChoiceField(
        required=False, choices=Environment.choices, widget=forms.CheckboxSelectMultiple, help_text="None chosen: all."
    )
    regions = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "eu-central-1"}),
        help_text="Empty: all.",
    )
    tags = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 2, "placeholder": "schedule=office-hours"}),
        help_text="One a line: key=value, or a key alone for any value. Different keys have to fit together.",
    )
    instances = forms.CharField(
        label="Instance ids", required=False, max_length=8000, widget=forms.Textarea(attrs={**_PLAIN, "rows": 2})
    )
    mode = forms.ChoiceField(choices=MODES, widget=forms.RadioSelect, initial=Mode.EDGES.value)
    missed = forms.ChoiceField(
        label="A time that was missed",
        choices=MISSED,
        initial=Missed.RUN_ONCE.value,
        help_text="When Cloudconsole did not run at the time.",
    )

    def __init__(self, *args: Any, accounts: Sequence[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operable = {str(account.pk): account for account in accounts}
        choices = [(str(account.pk), f"{account.alias} · {account.get_environment_display()}") for account in accounts]
        self.fields["accounts"].choices = choices  # type: ignore[attr-defined]

    @property
    def zones(self) -> list[str]:
        return sorted(available_timezones())

    def wanted(self) -> Wanted:
        """Once the form is valid. Raises InvalidSchedule, ValidationError at a field."""
        given = self.cleaned_data
        first = [period_of(given["weekdays"], given["begin"], given["end"])] if given["weekdays"] else []
        return Wanted(
            name=given["name"],
            zone=given["zone"],
            periods=[*first, *(period_of(*line) for line in given["more"])],
            holidays=given["holidays"],
            mode=Mode(given["mode"]),
            missed=Missed(given["missed"]),
            accounts=[self.operable[pk] for pk in given["accounts"]],
            environments=given["environments"],
            regions=_words(given["regions"]),
            tags=[_tag(line) for line in given["tags"].splitlines() if line.strip()],
            instances=_words(given["instances"]),
        )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("weekdays") and not (found.get("begin") or found.get("end")):
            self.add_error("begin", "Say when to start, when to stop, or both.")
        return found

    def clean_more(self) -> list[tuple[list[str], time | None, time | None]]:
        return [_period(line) for line in self.cleaned_data["more"].splitlines() if line.strip()]

    def clean_holidays(self) -> list[date]:
        try:
            return [date.fromisoformat(word) for word in _words(self.cleaned_data["holidays"])]
        except ValueError:
            raise forms.ValidationError("Write days as 2026-12-24.") from None


def _period(line: str) -> tuple[list[str], time | None, time | None]:
    *days, hours = _words(line.strip()) or [""]
    begin, dash, end = hours.partition("-")
    wrong = forms.ValidationError(f"“{line.strip()[:60]}” is not understood: write days, begin-end: sat 10:00-14:00.")
    if not dash or not days:
        raise wrong
    try:
        return days, _time(begin), _time(end)
    except ValueError:
        raise wrong from None


def _time(text: str) -> time | None:
    return time.fromisoformat(text if len(text) != 4 else f"0{text}") if text else None


def _tag(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip(), value.strip()


def _words(text: str) -> list[str]:
    return [word for word in _WORDS.split(text) if word]


def initial_of(schedule: Schedule) -> dict[str, Any]:
    """What the form shows of a schedule: the first period of plain weekdays in fields, the others as lines."""
    first, *others = _told(schedule)
    plain = all(day in WEEKDAYS for day in first["days"])
    fields = {"weekdays": first["days"], "begin": first["begin"], "end": first["end"]} if plain else {}
    return {
        "name": schedule.name,
        "zone": schedule.zone,
        **fields,
        "more": "\n".join(_line(period) for period in (others if plain else [first, *others])),
        "holidays": " ".join(schedule.holidays),
        "accounts": [str(pk) for pk in schedule.accounts.values_list("pk", flat=True)],
        "environments": schedule.environments,
        "regions": " ".join(schedule.regions),
        "tags": "\n".join(f"{key}={value}" if value else key for key, value in schedule.tags),
        "instances": "\n".join(schedule.instances),
        "mode": schedule.mode,
        "missed": schedule.missed,
    }


def _told(schedule: Schedule) -> Iterator[dict[str, Any]]:
    yield from schedule.periods


def _line(period: dict[str, Any]) -> str:
    return f"{' '.join(period['days'])} {period['begin'] or ''}-{period['end'] or ''}"


class OverrideForm(RefusableForm):
    what = forms.ChoiceField(label="Keep them", choices=[("start", "Running"), ("stop", "Stopped")])
    hours = forms.TypedChoiceField(
        label="For", coerce=int, choices=[(2, "2 hours"), (8, "8 hours"), (24, "a day"), (72, "3 days"), (168, "a week")]
    )


class DeletionForm(RefusableForm):
    confirm = forms.CharField(label="Its name, to confirm", required=False, max_length=80, widget=forms.TextInput(attrs=_PLAIN))
