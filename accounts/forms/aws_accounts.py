"""The forms about AWS accounts. What may be in them is decided by `accounts.services.inputs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import AuthMethod, AwsAccount, Environment
from accounts.services import inputs
from accounts.services.inputs import AccountChanges, CredentialInput, InvalidInput, NewAccount
from cloudconsole.aws.policy import CAPABILITIES

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_SECRET = {"autocomplete": "new-password"}


def _words(error: Any) -> str:
    return f"{error.detail} {getattr(error, 'remedy', '')}".strip()


class RefusableForm(forms.Form):
    """A form that shows a service's refusal where it belongs."""

    def refuse(self, error: Any) -> None:
        """Show a refusal at the field it is about, or above the form."""
        self.add_error(error.attr if error.attr in self.fields else None, _words(error))


class _WayForm(RefusableForm):
    """Flat fields of all three ways in; those of the other ways are left out when the chosen one is read."""

    auth_method = forms.ChoiceField(choices=AuthMethod.choices, initial=AuthMethod.ASSUME_ROLE)
    role_arn = forms.CharField(
        label="Role ARN",
        required=False,
        max_length=2048,
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "arn:aws:iam::123456789012:role/cloudconsole"}),
    )
    hub = forms.ChoiceField(
        label="Assumed by",
        required=False,
        help_text="The identity that assumes the role: a connected account with credentials of its own, or this host’s.",
    )
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
    expires_at = forms.DateTimeField(
        label="Token expires at (UTC)",
        required=False,
        help_text="AWS does not tell. Its end is announced 7 days, 1 day and 1 hour before.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

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
                self.read(cleaned)
            except InvalidInput as error:
                self.refuse(error)
        return cleaned

    def read(self, cleaned: dict[str, Any]) -> None:
        """Make what the services take of `cleaned`. Raises InvalidInput."""
        self.credentials = self._credentials(cleaned)

    def _credentials(self, cleaned: dict[str, Any]) -> CredentialInput:
        method = cleaned["auth_method"]
        key = {name: cleaned[name] for name in ("access_key_id", "secret_access_key", "session_token", "expires_at")}
        role = {name: cleaned[name] for name in ("role_arn", "hub")}
        given: dict[str, Any] = {AuthMethod.ACCESS_KEY: key, AuthMethod.ASSUME_ROLE: role}.get(method, {})
        return inputs.credential_input(auth_method=method, **given)


class AddAccountForm(_WayForm):
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
    # The external id for the trust policy, made before the account is. The signed reservation counts, the id is only shown.
    reservation = forms.CharField(required=False, max_length=512, widget=forms.HiddenInput)
    external_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def read(self, cleaned: dict[str, Any]) -> None:
        self.new_account = NewAccount(
            alias=inputs.alias(cleaned["alias"]),
            credentials=self._credentials(cleaned),
            environment=cleaned["environment"],
            expected_account_id=inputs.account_number(cleaned["account_id"]),
            reservation=cleaned["reservation"] if cleaned["auth_method"] == AuthMethod.ASSUME_ROLE else "",
        )


class ReplaceCredentialsForm(_WayForm):
    """Another way into an account that is there already; `credentials` is what came in."""


class EditAccountForm(RefusableForm):
    """What may be changed about an account without its credentials."""

    alias = forms.CharField(
        max_length=63, help_text="Lower-case letters, digits and hyphens.", widget=forms.TextInput(attrs=_PLAIN)
    )
    environment = forms.ChoiceField(choices=Environment.choices)
    regions = forms.CharField(
        required=False,
        max_length=2048,
        help_text="Separated by commas. Empty: every region that is enabled.",
        widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "eu-central-1, us-east-1"}),
    )
    capabilities = forms.MultipleChoiceField(
        required=False, choices=[(name, capability.sentence) for name, capability in CAPABILITIES.items()]
    )

    @classmethod
    def of(cls, account: AwsAccount) -> EditAccountForm:
        given = {name: getattr(account, name) for name in ("alias", "environment", "capabilities")}
        return cls(initial={**given, "regions": ", ".join(account.regions)})

    @property
    def changes(self) -> AccountChanges:
        """Once the form is valid."""
        given = self.cleaned_data
        names = [name.strip() for name in given["regions"].split(",")]
        return AccountChanges(
            alias=given["alias"],
            environment=given["environment"],
            regions=[name for name in names if name],
            capabilities=given["capabilities"],
        )


class AdoptForm(RefusableForm):
    """How chosen accounts of an organization are adopted. Which ones comes with the table of accounts."""

    role_name = forms.CharField(
        label="Role in each account",
        max_length=577,
        initial="CloudconsoleReadOnly",
        help_text="Its name is the same in every account; with its path, if it has one.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    environment = forms.ChoiceField(choices=Environment.choices, initial=Environment.DEVELOPMENT)
    everything = forms.BooleanField(label="All that are not connected yet", required=False)

    def refuse(self, error: Any) -> None:
        """A refusal about the chosen accounts stands above the form."""
        self.add_error("role_name" if error.attr == "role_name" else None, _words(error))


class AccountFilterForm(forms.Form):
    """What narrows the list of accounts beside the scope."""

    search = forms.CharField(required=False, max_length=63)
    status = forms.CharField(required=False, max_length=16)
