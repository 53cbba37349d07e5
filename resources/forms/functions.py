"""What the pages about functions are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import AwsAccount
from resources.forms.buckets import RefusableForm
from resources.models import Function
from resources.rules import functions, packages, payloads
from resources.rules.functions import Configuration
from resources.rules.payloads import InvocationType

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class InvokeForm(RefusableForm):
    WAYS = (
        (InvocationType.REQUEST_RESPONSE.value, "Wait for the answer"),
        (InvocationType.EVENT.value, "Do not wait: AWS runs it later"),
        (InvocationType.DRY_RUN.value, "Dry run: only ask whether it would be allowed"),
    )
    payload = forms.CharField(
        required=False,
        strip=False,
        initial="{}",
        help_text="JSON. Here at most 2 MB; the API takes 6 MB, and 1 MB where one does not wait.",
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 12, "data-json": ""}),
    )
    invocation_type = forms.ChoiceField(label="How", choices=WAYS, initial=WAYS[0][0])
    qualifier = forms.CharField(
        label="Version or alias",
        required=False,
        max_length=128,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "qualifiers", "placeholder": functions.LATEST}),
    )

    def clean_payload(self) -> Any:
        """The JSON itself, so that what is wrong with it is told at the field."""
        try:
            return payloads.typed(self.cleaned_data["payload"])
        except payloads.InvalidPayload as error:
            raise forms.ValidationError(f"{error.title}: {error.detail}") from error

    @property
    def wish(self) -> dict[str, Any]:
        """Once the form is valid."""
        given = self.cleaned_data
        return {
            "payload": given["payload"],
            "invocation_type": InvocationType(given["invocation_type"]),
            "qualifier": given["qualifier"],
        }


class DeployForm(RefusableForm):
    """New code for a function; what is left empty stays as it is."""

    zip = forms.FileField(
        label="Zip file",
        max_length=255,
        help_text=f"At most {packages.MAX_ZIPPED_BYTES // 1024 // 1024} MB. It is looked into before it is sent.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )
    runtime = forms.CharField(
        required=False, max_length=64, widget=forms.TextInput(attrs={**_PLAIN, "list": "runtimes", "placeholder": "python3.13"})
    )
    handler = forms.CharField(
        required=False,
        max_length=128,
        help_text="File and function that AWS calls.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "main.handler"}),
    )
    role_arn = forms.CharField(
        label="Role ARN",
        required=False,
        max_length=2048,
        help_text="As whom the function runs.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "arn:aws:iam::123456789012:role/my-function"}),
    )
    memory_mb = forms.IntegerField(
        label="Memory in MB", required=False, min_value=functions.MIN_MEMORY_MB, max_value=functions.MAX_MEMORY_MB
    )
    timeout_s = forms.IntegerField(
        label="Timeout in seconds", required=False, min_value=functions.MIN_TIMEOUT_S, max_value=functions.MAX_TIMEOUT_S
    )
    publish = forms.BooleanField(
        label="Publish as a version",
        required=False,
        initial=True,
        help_text="What runs now is published too, so that you can go back to it.",
    )
    handler_elsewhere = forms.BooleanField(
        label="The handler's file is not in the zip file",
        required=False,
        help_text="Only where a layer brings it. Otherwise a zip file without it is refused.",
    )

    def show_present(self, function: Function) -> None:
        """What stays as it is where a field stays empty."""
        for name in ("runtime", "handler", "role_arn", "memory_mb", "timeout_s"):
            self.fields[name].widget.attrs["placeholder"] = getattr(function, name) or ""

    @property
    def configuration(self) -> Configuration:
        """Once the form is valid."""
        given = self.cleaned_data
        return Configuration(given["runtime"], given["handler"], given["role_arn"], given["memory_mb"], given["timeout_s"])


class NewFunctionForm(DeployForm):
    account = forms.ChoiceField()
    region = forms.CharField(
        max_length=32, widget=forms.TextInput(attrs={**_PLAIN, "list": "regions", "placeholder": "eu-central-1"})
    )
    name = forms.CharField(
        max_length=64,
        help_text="1 to 64 letters, digits, hyphens and underscores.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "resize-images"}),
    )

    def __init__(self, *args: Any, accounts: Sequence[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(account.pk): account for account in accounts}
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            (str(account.pk), f"{account.alias} · {account.get_environment_display()}") for account in accounts
        ]
        for name in ("runtime", "handler", "role_arn"):
            self.fields[name].required = True
        self.fields["publish"].help_text = "So that you can come back to it when there is newer code."

    @property
    def chosen_account(self) -> AwsAccount:
        """Once the form is valid."""
        return self.accounts[self.cleaned_data["account"]]

    @property
    def regions(self) -> list[str]:
        """What is offered: the regions enabled in any of the accounts."""
        return sorted({region for account in self.accounts.values() for region in account.enabled_regions})


class RollBackForm(RefusableForm):
    version = forms.CharField(max_length=32)
    alias = forms.CharField(required=False, max_length=128)
    reason = forms.CharField(required=False, max_length=500, help_text="Stays with the operation and in the trail.")
