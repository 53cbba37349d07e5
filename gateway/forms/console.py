"""What is asked in the request console."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from gateway.models import ApiKey
from gateway.rules import console
from gateway.rules.console import NotHeaders
from gateway.rules.keys import METHODS
from gateway.selectors import keys

_LONGEST_BODY = 1_048_576


class KeyChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscript at run time
    """One's own keys, each with where it is sent to."""

    def label_from_instance(self, key: Any) -> str:
        where = key.base_url.removeprefix("https://") or "bound to no host"
        return f"{key.api_name} · {where}"


class RequestForm(forms.Form):
    """A request. With a key, `url` may be a path below its base address; without one nothing is added to it."""

    key = KeyChoice(ApiKey.objects.none(), required=False, label="Key", empty_label="No key")
    method = forms.ChoiceField(choices=[(name, name) for name in METHODS], initial="GET")
    url = forms.CharField(max_length=8192, label="Address or path", required=False)
    headers = forms.CharField(max_length=32_768, required=False, widget=forms.Textarea)
    body = forms.CharField(max_length=_LONGEST_BODY, required=False, strip=False, widget=forms.Textarea)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].queryset = keys.visible(user)  # type: ignore[attr-defined]
        self.fields["url"].widget.attrs |= {"placeholder": "/path or https://…", "spellcheck": "false", "autocomplete": "off"}
        self.fields["headers"].widget.attrs |= {"rows": 4, "spellcheck": "false", "placeholder": "Accept: application/json"}
        self.fields["body"].widget.attrs |= {"rows": 8, "spellcheck": "false", "data-json": ""}

    def clean_headers(self) -> tuple[tuple[str, str], ...]:
        try:
            return console.headers_of(self.cleaned_data["headers"])
        except NotHeaders as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        url = given.get("url", "")
        if why := console.why_no_address(url, has_key=given.get("key") is not None):
            self.add_error("url", why)
        elif not _is_readable(url):
            self.add_error("url", "This address cannot be read.")
        return given


def _is_readable(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


class CurlForm(forms.Form):
    """A cURL command that somebody pasted."""

    curl = forms.CharField(max_length=200_000, widget=forms.Textarea, label="cURL command")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["curl"].widget.attrs |= {"rows": 5, "spellcheck": "false", "placeholder": "curl https://api.example.com/v1/…"}
