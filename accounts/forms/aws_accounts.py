"""The form that connects an AWS account. What may be in it is decided by `accounts.services.inputs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import AuthMethod, AwsAccount, Environment
from accounts.services import inputs
from accounts.services.inputs import InvalidInput, NewAccount

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_SECRET = {"autocomplete": "new-password"}


class AddAccountForm(forms.Form):
    """Flat fields of all three ways in; those of the other ways are left out when the chosen one is read."""

    alias = forms.CharField(
        max_length=63,
        help_text="Lower-case letters, digits and hyphens.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "production"}),
    )
    environment = forms.ChoiceField(choices=Environment.choices, initial=Environment.DEVELOPMENT)
    account_id = forms.CharField(
        label="Account number",
        required=False,
        max_length=20,
        help_text="Refused when the credentials turn out to be another account’s.",
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "numeric", "placeholder": "1234 5678 9012"}),
    )
    auth_method = forms.ChoiceField(choices=AuthMethod.choices, initial=AuthMethod.ASSUME_ROLE)
    role_arn = forms.CharField(
        label="Role ARN",
        required=False,
        max_length=2048,
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "arn:aws:iam::123456789012:role/cloudconsole"}),
    )
    hub = forms.ChoiceField(label="Assumed by", required=False)
    access_key_id = forms.CharField(
        label="Access key ID", required=False, max_length=128, widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "AKIA…"})
    )
    secret_access_key = forms.CharField(required=False, max_length=1024, strip=False, widget=forms.PasswordInput(attrs=_SECRET))
    session_token = forms.CharField(
        required=False,
        max_length=8192,
        strip=False,
        help_text="Only for temporary keys (ASIA…).",
        widget=forms.PasswordInput(attrs=_SECRET),
    )
    # The external id for the trust policy, made before the account is. The signed reservation counts, the id is only shown.
    reservation = forms.CharField(required=False, max_length=512, widget=forms.HiddenInput)
    external_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, hubs: Sequence[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(hub.pk), f"{hub.alias} ({hub.account_id})") for hub in hubs]
        self.hubs = tuple(hubs)
        self.fields["hub"].initial = choices[0][0] if choices else ""
        self.fields["hub"].choices = [*choices, ("", "The credentials of this host")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.new_account = self._new_account(cleaned)
            except InvalidInput as error:
                self.refuse(error)
        return cleaned

    def refuse(self, error: Any) -> None:
        """Show a refusal at the field it is about, or above the form."""
        words = f"{error.detail} {getattr(error, 'remedy', '')}".strip()
        self.add_error(error.attr if error.attr in self.fields else None, words)

    def _new_account(self, cleaned: dict[str, Any]) -> NewAccount:
        method = cleaned["auth_method"]
        key = {name: cleaned[name] for name in ("access_key_id", "secret_access_key", "session_token")}
        role = {name: cleaned[name] for name in ("role_arn", "hub")}
        given: dict[str, str] = {AuthMethod.ACCESS_KEY: key, AuthMethod.ASSUME_ROLE: role}.get(method, {})
        return NewAccount(
            alias=inputs.alias(cleaned["alias"]),
            credentials=inputs.credential_input(auth_method=method, **given),
            environment=cleaned["environment"],
            expected_account_id=inputs.account_number(cleaned["account_id"]),
            reservation=cleaned["reservation"] if method == AuthMethod.ASSUME_ROLE else "",
        )


class AccountFilterForm(forms.Form):
    """What narrows the list of accounts beside the scope."""

    search = forms.CharField(required=False, max_length=63)
    status = forms.CharField(required=False, max_length=16)
