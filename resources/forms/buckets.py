"""What the pages about buckets and objects are asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import AwsAccount
from cloudconsole.core.errors import CloudconsoleError
from resources.rules import object_keys
from resources.services.buckets import MAX_OBJECTS, ObjectRef

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class RefusableForm(forms.Form):
    """A form that shows a service's refusal where it belongs."""

    def refuse(self, error: CloudconsoleError) -> None:
        """Show a refusal at the field it is about."""
        self.add_error(error.attr, f"{error.detail} {getattr(error, 'remedy', '')}".strip())


class BrowseForm(forms.Form):
    """Where in a bucket somebody looks."""

    prefix = forms.CharField(  # type: ignore[assignment]  # a field, called as S3 calls it
        required=False, max_length=object_keys.MAX_BYTES, strip=False
    )
    token = forms.CharField(required=False, max_length=4096)
    versions = forms.BooleanField(required=False)


class DownloadForm(forms.Form):
    key = forms.CharField(max_length=object_keys.MAX_BYTES, strip=False)
    version_id = forms.CharField(required=False, max_length=1024)


class LinkForm(DownloadForm):
    """A link that is given to somebody else."""

    LASTS = ((300, "5 minutes"), (3_600, "1 hour"), (43_200, "12 hours"))
    seconds = forms.TypedChoiceField(label="Lasts", coerce=int, choices=LASTS, initial=3_600)


class NewBucketForm(RefusableForm):
    account = forms.ChoiceField()
    name = forms.CharField(
        max_length=63,
        help_text="3 to 63 lower-case letters, digits, hyphens and dots. Unique all over AWS, and never to be changed.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "reports-2026"}),
    )
    region = forms.CharField(
        max_length=32,
        help_text="Where the objects are kept. It cannot be changed either.",
        widget=forms.TextInput(attrs={**_PLAIN, "list": "regions", "placeholder": "eu-central-1"}),
    )
    versioning = forms.BooleanField(
        label="Keep versions", required=False, help_text="What is replaced or deleted can be brought back, and is paid for."
    )

    def __init__(self, *args: Any, accounts: Sequence[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(account.pk): account for account in accounts}
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            (str(account.pk), f"{account.alias} · {account.get_environment_display()}") for account in accounts
        ]

    @property
    def chosen_account(self) -> AwsAccount:
        """Once the form is valid."""
        return self.accounts[self.cleaned_data["account"]]

    @property
    def regions(self) -> list[str]:
        """What is offered: the regions enabled in any of the accounts."""
        return sorted({region for account in self.accounts.values() for region in account.enabled_regions})


class RemovalForm(RefusableForm):
    """Emptying a bucket, or deleting it."""

    what = forms.ChoiceField(
        choices=[
            ("empty", "Empty it: everything in it goes, the bucket stays"),
            ("delete", "Delete it: only possible while nothing is in it"),
            ("both", "Empty it, then delete it"),
        ],
        widget=forms.RadioSelect,
    )
    confirm = forms.CharField(required=False, max_length=63, widget=forms.TextInput(attrs=_PLAIN))
    reason = forms.CharField(required=False, max_length=500, help_text="For whoever approves it, and for the trail.")


class ObjectsField(forms.MultipleChoiceField):
    """References that a list of objects was rendered with: a key and a version, as JSON."""

    def to_python(self, value: Any) -> list[Any]:
        return [self._one(text) for text in super().to_python(value)]

    def validate(self, value: list[Any]) -> None:
        if not 0 < len(value) <= MAX_OBJECTS:
            raise forms.ValidationError(f"Choose 1 to {MAX_OBJECTS:,} objects.")

    @staticmethod
    def _one(text: str) -> ObjectRef:
        try:
            key, version_id = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise forms.ValidationError("This is no object of a list.") from None
        if not isinstance(key, str) or not isinstance(version_id, str) or not key:
            raise forms.ValidationError("This is no object of a list.")
        return ObjectRef(key, version_id)


class DeleteObjectsForm(RefusableForm):
    object = ObjectsField()
    prefix = forms.CharField(  # type: ignore[assignment]  # a field, called as S3 calls it
        required=False, max_length=object_keys.MAX_BYTES, strip=False
    )
    confirm = forms.CharField(required=False, max_length=63, widget=forms.TextInput(attrs=_PLAIN))
    reason = forms.CharField(required=False, max_length=500, help_text="For whoever approves it, and for the trail.")
    sure = forms.BooleanField(required=False)


def reference_of(key: str, version_id: str | None) -> str:
    """How a list names an object to `DeleteObjectsForm`."""
    return json.dumps([key, version_id or ""])
