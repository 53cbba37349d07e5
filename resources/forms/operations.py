"""What the pages about operations are asked for."""

from __future__ import annotations

from typing import Any

from django import forms

from resources.models import Instance
from resources.rules.actions import ACTIONS, TargetType, needed_confirmation
from resources.selectors.operations import GROUPS

INSTANCE_ACTIONS = {action.word: action for action in ACTIONS.values() if action.target_type is TargetType.EC2}
_GROUP_WORDS = {
    "open": "Open",
    "approval": "Awaiting approval",
    "trouble": "Failed or unknown",
    "succeeded": "Succeeded",
    "dropped": "Rejected or cancelled",
}


class OperationFilterForm(forms.Form):
    show = forms.ChoiceField(
        label="State", required=False, choices=[("", "All"), *((name, _GROUP_WORDS[name]) for name in GROUPS)]
    )
    action = forms.ChoiceField(
        required=False, choices=[("", "All"), *sorted((action.name, action.title) for action in ACTIONS.values())]
    )
    by = forms.ChoiceField(label="Asked for by", required=False, choices=[("", "Anybody"), ("me", "Me")])
    target = forms.CharField(required=False, max_length=256, widget=forms.TextInput(attrs={"placeholder": "i-0abc…, a bucket"}))
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)


class WishForm(forms.Form):
    """Which instances, and what to do with them; the words behind it only where they are needed."""

    action = forms.ChoiceField(choices=[(word, action.title) for word, action in INSTANCE_ACTIONS.items()])
    target = forms.TypedMultipleChoiceField(coerce=int)
    confirm = forms.CharField(required=False, max_length=256)
    reason = forms.CharField(required=False, max_length=500)
    dry_run = forms.BooleanField(required=False)

    def __init__(self, *args: Any, instances: list[Instance], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instances = instances
        self.fields["target"].choices = [(row.pk, str(row)) for row in instances]  # type: ignore[attr-defined]

    @property
    def needed(self) -> str:
        """What has to be typed for the valid form."""
        action = INSTANCE_ACTIONS[self.cleaned_data["action"]]
        return needed_confirmation(action, [row.instance_id for row in self.instances])
