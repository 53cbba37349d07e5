"""What is asked of a volume, an address or a log group, and with which settings."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from cloudconsole.aws.log_groups import RETENTIONS
from resources.rules.actions import ACTIONS, TargetType

_ABOUT = (TargetType.VOLUME, TargetType.ADDRESS, TargetType.LOG_GROUP)
SAVING_ACTIONS = {name: action for name, action in ACTIONS.items() if action.target_type in _ABOUT}
_DAYS = [(days, f"{days} days") for days in RETENTIONS]


class SavingForm(forms.Form):
    """`iops` and `throughput` are of gp3, `days` of logs; others are not looked at."""

    action = forms.ChoiceField(choices=[(name, action.title) for name, action in SAVING_ACTIONS.items()])
    account = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    region = forms.CharField(max_length=32)
    target = forms.CharField(max_length=512)
    iops = forms.IntegerField(required=False, min_value=3000, max_value=16_000)
    throughput = forms.IntegerField(required=False, min_value=125, max_value=1000)
    days = forms.TypedChoiceField(coerce=int, required=False, empty_value=None, choices=_DAYS)
    confirm = forms.CharField(required=False, max_length=512)
    reason = forms.CharField(required=False, max_length=500)
    dry_run = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in {"ebs.to_gp3": ("iops", "throughput"), "logs.set_retention": ("days",)}.get(given.get("action", ""), ()):
            if not given.get(name) and name not in self.errors:
                self.add_error(name, "This is needed.")
        return given

    def parameters(self) -> dict[str, int | str]:
        """For the operation, of the valid form."""
        given = self.cleaned_data
        match given["action"]:
            case "ebs.to_gp3":
                return {"iops": given["iops"], "throughput": given["throughput"]}
            case "logs.set_retention":
                return {"days": given["days"]}
            case "ebs.snapshot_volume":
                return {"mark": uuid.uuid4().hex[:12]}
            case _:
                return {}
