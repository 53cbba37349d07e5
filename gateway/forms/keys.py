"""The forms about keys of other services. What may be in them: the services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms

from accounts.forms.people import ServedForm
from cloudconsole.core import clock
from gateway.models import ApiKey
from gateway.models.keys import AUTH_SCHEMES, KEY_STATUSES, MOST_RETRIES, WHEN_EMPTY
from gateway.rules import presets
from gateway.rules.keys import LONGEST_NAME, METHODS, AuthScheme
from gateway.rules.presets import Preset
from gateway.services import imports
from gateway.services.key_inputs import LIMITS, NEVER, KeyInput, Never

_PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}


class WriteOnly(forms.Textarea):
    """What was typed into it is never written into a page again, as with a password."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


_SECRET = WriteOnly(attrs={**_PLAIN, "rows": 2, "class": "mono", "data-1p-ignore": "", "data-lpignore": "true"})
_MOMENT = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
_MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
_CAPTURES = [("0", "Off"), ("1", "For an hour"), ("24", "For a day"), ("168", "For seven days")]
_NEW = "It goes in and never comes out. For several headers, one “Name: value” on each line."
_STORED = "Stored, and never shown again. Enter it to replace it, or to bind it to another host."
_SAME = (
    "api_name",
    "description",
    "base_url",
    "auth_scheme",
    "auth_name",
    "auth_template",
    "plain_http",
    "follow_redirects",
    "retries",
    "when_empty",
    "dialect",
    "test_method",
    "test_path",
)


class KeyFilterForm(forms.Form):
    q = forms.CharField(label="Find", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), *KEY_STATUSES])


class SecretForm(ServedForm):
    """With a key typed into `api_key`. A form that is refused comes back without it, and says so."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if self.data.get("api_key") and not self.has_error("api_key"):
            super().add_error("api_key", "Enter the key once more: it is not shown again.")


class KeyForm(SecretForm):
    """One key. A stored secret is never filled in: empty means that it stays."""

    api_name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="Part of the proxy's address: /api/proxy/name/…",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    api_key = forms.CharField(label="Key", max_length=8192, strip=False, widget=_SECRET)
    base_url = forms.CharField(
        label="Base address",
        required=False,
        max_length=2048,
        help_text="Such as https://api.github.com: the key is sent below it and nowhere else. Empty: it is sent nowhere.",
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url", "placeholder": "https://"}),
    )
    auth_scheme = forms.ChoiceField(label="Sent as", choices=AUTH_SCHEMES, initial=AuthScheme.BEARER.value)
    auth_name = forms.CharField(
        label="Header, parameter or user name",
        required=False,
        max_length=255,
        help_text="X-Api-Key for a header, api_key for a parameter; for Basic the user name.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    auth_template = forms.CharField(
        label="What the header holds",
        required=False,
        max_length=255,
        help_text="With {key} where the key goes, such as “Token {key}”. Empty: the key alone.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    description = forms.CharField(required=False, max_length=500)
    allowed_methods = forms.MultipleChoiceField(
        label="Methods",
        required=False,
        choices=[(method, method) for method in METHODS],
        widget=forms.CheckboxSelectMultiple,
        help_text="None: every method.",
    )
    allowed_paths = forms.CharField(
        label="Paths",
        required=False,
        max_length=20_000,
        help_text="One on each line, below the base address: * is one segment, ** several. Empty: every path.",
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 3, "class": "mono"}),
    )
    plain_http = forms.BooleanField(required=False, label="Speak http without TLS to this host")
    follow_redirects = forms.BooleanField(required=False, label="Follow redirects; to another host, the key does not go along")
    retries = forms.IntegerField(
        label="Further attempts",
        min_value=0,
        max_value=MOST_RETRIES,
        initial=2,
        help_text="Only where a repeated request does no harm.",
    )
    when_empty = forms.ChoiceField(label="When nothing is left of a limit", choices=WHEN_EMPTY)
    dialect = forms.ChoiceField(
        label="How limits are told", required=False, choices=[("", "As its service does, or found out"), *presets.dialects()]
    )
    requests_per_minute = forms.IntegerField(label="Requests per minute", required=False, min_value=1, max_value=2_000_000_000)
    requests_per_day = forms.IntegerField(label="Requests per day", required=False, min_value=1, max_value=2_000_000_000)
    bytes_per_day = forms.IntegerField(label="Bytes per day", required=False, min_value=1, max_value=2**50)
    test_method = forms.ChoiceField(label="Test request", choices=[(one, one) for one in ("GET", "HEAD", "POST")])
    test_path = forms.CharField(
        label="Test path",
        required=False,
        max_length=1024,
        help_text="Something harmless that only a valid key gets, such as /user.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    expires_at = forms.DateTimeField(
        label="Expires (UTC)",
        required=False,
        input_formats=_MOMENTS,
        widget=_MOMENT,
        help_text="You are reminded 30, 7 and 1 days before.",
    )
    capture = forms.ChoiceField(
        label="Keep headers and bodies",
        required=False,
        help_text="Sealed, without the key, and erased when the time is over.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, key: ApiKey | None = None, preset: Preset | None = None) -> None:
        self.key, self.preset = key, preset
        super().__init__(data, initial=_initial(key) if key is not None else _of_preset(preset))
        secret, capture = self.fields["api_key"], self.fields["capture"]
        secret.help_text = _STORED if key is not None else _NEW
        secret.required = key is None
        on = key.capture_until if key is not None and key.is_captured else None
        as_it_is = [("", f"Until {on:%-d %b %Y, %H:%M} UTC, as it is")] if on else []
        capture.choices = [*as_it_is, *_CAPTURES]  # type: ignore[attr-defined]

    @property
    def switches(self) -> list[Any]:
        return [self["follow_redirects"], self["plain_http"]]

    def given(self) -> KeyInput:
        data = self.cleaned_data
        limits: dict[str, Any] = {name: NEVER if data[name] is None else data[name] for name in LIMITS}
        return KeyInput(
            **{name: data[name] for name in _SAME},
            api_key=data["api_key"] or None,
            allowed_methods=data["allowed_methods"],
            allowed_paths=data["allowed_paths"].splitlines(),
            expires_at=data["expires_at"] or NEVER,
            capture_until=_capture(data["capture"]),
            preset=self.preset.slug if self.preset is not None and _is_of(self.preset, data["base_url"]) else None,
            **limits,
        )


class RotateForm(SecretForm):
    api_key = forms.CharField(label="New key", max_length=8192, strip=False, widget=_SECRET)
    overlap_hours = forms.TypedChoiceField(
        label="The old key stays usable",
        coerce=int,
        choices=[(0, "Not at all"), (1, "For an hour"), (24, "For a day"), (168, "For a week"), (720, "For 30 days")],
        initial=24,
        help_text="For who asks for it, and for going back. Then it is erased.",
    )
    expires_at = forms.DateTimeField(label="The new key expires (UTC)", required=False, input_formats=_MOMENTS, widget=_MOMENT)

    def overlap_until(self) -> datetime | None:
        hours: int = self.cleaned_data["overlap_hours"]
        return clock.now() + timedelta(hours=hours) if hours else None


class ImportForm(ServedForm):
    """What is found in a text is shown with it, to be stored next; a text that is refused comes back empty."""

    text = forms.CharField(
        label="A .env file, or JSON",
        max_length=imports.LONGEST,
        strip=False,
        widget=forms.Textarea(
            attrs={**_PLAIN, "rows": 10, "class": "mono", "placeholder": "GITHUB_TOKEN=ghp_…\nOPENAI_API_KEY=sk-…"}
        ),
    )

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if self.data.get("text"):
            super().add_error("text", "Paste it once more: it is not shown again.")
            self.data = {}


def _initial(key: ApiKey) -> dict[str, Any]:
    return {
        **{name: getattr(key, name) for name in _SAME},
        **{name: getattr(key.budget, name) for name in LIMITS},
        "allowed_methods": key.allowed_methods,
        "allowed_paths": "\n".join(key.allowed_paths),
        "expires_at": key.expires_at,
    }


def _of_preset(preset: Preset | None) -> dict[str, Any] | None:
    if preset is None:
        return None
    return {
        "api_name": preset.slug,
        "base_url": preset.base_url,
        "auth_scheme": preset.scheme,
        "auth_name": preset.auth_name,
        "auth_template": "" if preset.template == "{key}" else preset.template,
        "dialect": preset.dialect.value if preset.dialect else "",
        "test_method": preset.test_method,
        "test_path": preset.test_path,
    }


def _is_of(preset: Preset, base_url: str) -> bool:
    return preset.needs_filling or (presets.for_host(preset.host) is preset and preset.host in base_url)


def _capture(hours: str) -> datetime | Never | None:
    if not hours:
        return None
    return clock.now() + timedelta(hours=int(hours)) if hours != "0" else NEVER
