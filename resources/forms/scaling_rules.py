"""A scaling rule as a page asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms

from accounts.models import AwsAccount
from resources.forms.buckets import RefusableForm
from resources.models import ScalingRule
from resources.models.scaling import KINDS, METRIC_CHOICES, PERIOD_CHOICES, STATISTICS, STOPS
from resources.rules.metrics import METRICS, Kind, Statistic
from resources.rules.scaling import Stops
from resources.services.automation.scaling_rules import MOST_AT_ONCE, MOST_POINTS, WantedRule

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_NUMBER = forms.NumberInput(attrs={"inputmode": "decimal", "step": "any", "min": "0"})
_WORDS = re.compile(r"[\s,;]+")
_KIND_NAMES = dict(KINDS)


def _metric_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The metrics by what they are of; those of instances are those of groups too."""
    titles = dict(METRIC_CHOICES)
    groups: dict[str, list[tuple[str, str]]] = {}
    for metric in METRICS.values():
        of = " or ".join(name.lower() for kind, name in _KIND_NAMES.items() if kind in metric.kinds)
        groups.setdefault(of[:1].upper() + of[1:], []).append((metric.name, titles[metric.name]))
    return list(groups.items())


class ScalingRuleForm(RefusableForm):
    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"placeholder": "Spare build machine"}))
    account = forms.ChoiceField(help_text="Of what is watched, and of what is started and stopped.")
    region = forms.CharField(max_length=32, widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "eu-central-1"}))
    kind = forms.ChoiceField(label="Watch", choices=KINDS, initial=Kind.INSTANCE.value)
    watched = forms.CharField(
        label="Which one",
        max_length=512,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "watchable", "placeholder": "i-0123456789abcdef0"}),
        help_text="An instance id, the name of an auto scaling group, or the ARN of a load balancer or target group.",
    )
    metric = forms.ChoiceField(choices=_metric_groups, initial="cpu")
    statistic = forms.ChoiceField(choices=STATISTICS, initial=Statistic.AVERAGE.value)
    period_s = forms.TypedChoiceField(
        label="A point every",
        coerce=int,
        choices=PERIOD_CHOICES,
        initial=300,
        help_text="Instances without detailed monitoring have one every 5 minutes. AWS charges for reading: about $0.09 a month "
        "at 5 minutes, $0.43 at 1 minute.",
    )
    start_above = forms.FloatField(
        label="Start above", required=False, min_value=0, widget=_NUMBER, help_text="Empty: it never starts any."
    )
    stop_below = forms.FloatField(
        label="Stop below", required=False, min_value=0, widget=_NUMBER, help_text="Lower than that. Empty: it never stops any."
    )
    needed = forms.IntegerField(label="Points beyond a threshold", min_value=1, max_value=MOST_POINTS, initial=3)
    window = forms.IntegerField(
        label="Of the last",
        min_value=1,
        max_value=MOST_POINTS,
        initial=3,
        help_text="A point that is missing is never beyond.",
    )
    tags = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 2, "placeholder": "role=spare"}),
        help_text="One a line: key=value, or a key alone for any value. Different keys have to fit together.",
    )
    instances = forms.CharField(
        label="Instance ids", required=False, max_length=8000, widget=forms.Textarea(attrs={**_PLAIN, "rows": 2})
    )
    at_once = forms.IntegerField(
        label="How many at once", min_value=1, max_value=MOST_AT_ONCE, initial=1, help_text="The first by name are started first."
    )
    stops = forms.ChoiceField(label="What low values stop", choices=STOPS, initial=Stops.STARTED.value, widget=forms.RadioSelect)
    cooldown_min = forms.IntegerField(
        label="Rest after acting (minutes)", min_value=0, max_value=1440, initial=15, help_text="So long nothing else is done."
    )
    starts_per_hour = forms.IntegerField(label="Starts an hour, at most", min_value=1, max_value=100, initial=2)

    def __init__(self, *args: Any, accounts: Sequence[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operable = {str(account.pk): account for account in accounts}
        choices = [(str(account.pk), f"{account.alias} · {account.get_environment_display()}") for account in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> WantedRule:
        """Once the form is valid."""
        given = self.cleaned_data
        return WantedRule(
            name=given["name"],
            account=self.operable[given["account"]],
            region=given["region"],
            kind=Kind(given["kind"]),
            watched=given["watched"],
            metric=given["metric"],
            statistic=Statistic(given["statistic"]),
            period_s=given["period_s"],
            start_above=given["start_above"],
            stop_below=given["stop_below"],
            needed=given["needed"],
            window=given["window"],
            cooldown=timedelta(minutes=given["cooldown_min"]),
            starts_per_hour=given["starts_per_hour"],
            at_once=given["at_once"],
            stops=Stops(given["stops"]),
            tags=[_tag(line) for line in given["tags"].splitlines() if line.strip()],
            instances=[word for word in _WORDS.split(given["instances"]) if word],
        )


def _tag(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip(), value.strip()


def initial_of(rule: ScalingRule) -> dict[str, Any]:
    """What the form shows of a rule."""
    plain = (
        "name", "region", "kind", "watched", "metric", "statistic", "period_s", "start_above", "stop_below", "needed", "window",
        "at_once", "stops", "starts_per_hour",
    )  # fmt: skip
    return {
        **{name: getattr(rule, name) for name in plain},
        "account": str(rule.account_id),
        "cooldown_min": rule.cooldown_s // 60,
        "tags": "\n".join(f"{key}={value}" if value else key for key, value in rule.tags),
        "instances": "\n".join(rule.instances),
    }
