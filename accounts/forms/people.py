"""The forms about people: their own settings, invitations, and what admins decide. What may be in them: the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.mfa.webauthn.forms import EditWebAuthnForm
from django import forms

from accounts.models import AwsAccount, Grant, Scope, User
from accounts.models.people import GRANTABLE_ROLES, ROLES
from accounts.services import invitations, people, personal_tokens
from accounts.services.people import GrantInput
from cloudconsole.core.permissions import Role

_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}
_NO_GRANT = ""
_GRANTS = [(_NO_GRANT, "No access"), *GRANTABLE_ROLES]


class ServedForm(forms.Form):
    """Shows a service's refusal at the field it is about, or above the form."""

    def refuse(self, error: Any) -> None:
        self.add_error(error.attr if error.attr in self.fields else None, error.detail)


class ProfileForm(ServedForm):
    first_name = forms.CharField(required=False, max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = forms.CharField(required=False, max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"}))

    def changes(self) -> people.PersonChanges:
        return people.PersonChanges(**self.cleaned_data)


class EmailForm(ServedForm):
    email = forms.EmailField(
        label="New address",
        required=False,
        max_length=254,
        help_text="Left empty, you have none.",
        widget=forms.EmailInput(attrs={**_PLAIN, "autocomplete": "email"}),
    )


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}))


class TokenForm(ServedForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}))
    scope = forms.ChoiceField(label="It may", choices=Scope.choices, initial=Scope.READ)
    days = forms.IntegerField(
        label="Days it lasts", min_value=1, max_value=personal_tokens.LONGEST_DAYS, initial=personal_tokens.DEFAULT_DAYS
    )


class InvitationForm(ServedForm):
    email = forms.EmailField(
        label="E-mail",
        required=False,
        max_length=254,
        help_text="Only this address can then be used. Without one, whoever has the link says theirs.",
        widget=forms.EmailInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.VIEWER.value)
    everywhere = forms.BooleanField(required=False, label="On every AWS account, also those connected later")
    days = forms.IntegerField(
        label="Days the link lasts", min_value=1, max_value=invitations.LONGEST_DAYS, initial=invitations.DEFAULT_DAYS
    )


class JoinForm(ServedForm):
    username = forms.CharField(max_length=150, widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "username"}))
    email = forms.EmailField(
        label="E-mail", required=False, max_length=254, widget=forms.EmailInput(attrs={**_PLAIN, "autocomplete": "email"})
    )
    password = forms.CharField(
        max_length=1024,
        strip=False,
        help_text="At least ten characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class FirstRunForm(JoinForm):
    field_order = ["code", "username", "email", "password"]

    code = forms.CharField(
        label="Setup code",
        max_length=100,
        widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off", "placeholder": "ABCDE-FGHIJ-KLMNO-PQRST"}),
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)


class GrantsForm(forms.Form):
    """One choice for every AWS account, and one for all of them together."""

    def __init__(self, *args: Any, accounts: Sequence[AwsAccount], granted: Sequence[Grant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = {grant.account_id: grant.role for grant in granted}
        self.fields["all"] = self._field("Every account", held.get(None, _NO_GRANT))
        self._names: dict[str, int | None] = {"all": None}
        for account in accounts:
            name = f"account_{account.pk}"
            self._names[name] = account.pk
            self.fields[name] = self._field(account.alias, held.get(account.pk, _NO_GRANT))

    def grants(self) -> list[GrantInput]:
        chosen = ((self._names[name], role) for name, role in self.cleaned_data.items() if role)
        return [GrantInput(account, Role(role)) for account, role in chosen]

    def _field(self, label: str, initial: str) -> forms.ChoiceField:
        return forms.ChoiceField(label=label, choices=_GRANTS, initial=initial, required=False)


class PeopleFilterForm(forms.Form):
    """What narrows the list of people."""

    search = forms.CharField(required=False, max_length=150)
    role = forms.ChoiceField(required=False, choices=[("", "Any"), *ROLES])
    state = forms.ChoiceField(required=False, choices=[("", "Any"), ("active", "Active"), ("deactivated", "Deactivated")])


def profile_of(user: User) -> dict[str, str]:
    return {"first_name": user.first_name, "last_name": user.last_name}
