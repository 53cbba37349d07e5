"""The forms about alerts and where they are sent. What may be in them: the services."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms

from accounts import alerts
from accounts.forms.people import ServedForm
from accounts.models import ChannelKind, DeliveryStatus, NotificationChannel, User
from accounts.models.alerts import SEVERITIES, AlertQuerySet
from accounts.models.channels import DIGESTS, LEAST, DeliveryQuerySet
from accounts.rules import signatures
from accounts.rules.notices import EVERY_KIND, NEVER, Digest
from accounts.services import other_services
from accounts.services.channels import ChannelInput

_PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
_AS_OTHERS = ""
_TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
_ADDRESS_HELP = {
    ChannelKind.SLACK: "The address of an incoming webhook, such as https://hooks.slack.com/services/…",
    ChannelKind.TEAMS: "The address of a workflow “When a Teams webhook request is received”.",
    ChannelKind.WEBHOOK: "Alerts are sent there as JSON, signed with the key below.",
    ChannelKind.APPRISE: "The service's address as apprise writes it.",
}


class AlertFilterForm(forms.Form):
    severity = forms.ChoiceField(required=False, choices=[("", "Any"), *SEVERITIES])
    state = forms.ChoiceField(required=False, choices=[("", "All"), ("unread", "Unread")])

    def narrowed(self, found: AlertQuerySet, user: User) -> AlertQuerySet:
        given = self.cleaned_data
        found = found.filter(severity=given["severity"]) if given.get("severity") else found
        return found.unread_by(user) if given.get("state") else found


class DeliveryFilterForm(forms.Form):
    status = forms.ChoiceField(required=False, choices=[("", "Any"), ("dead_letters", "Dead letters"), *DeliveryStatus.choices])

    def narrowed(self, found: DeliveryQuerySet) -> DeliveryQuerySet:
        status = self.cleaned_data.get("status")
        if status == "dead_letters":
            return found.dead_letters()
        return found.filter(status=status) if status else found


class ChannelForm(ServedForm):
    """The fields of one kind of channel. A stored address or key is never filled in: empty means that it stays."""

    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs=_PLAIN))
    enabled = forms.BooleanField(required=False, initial=True, label="Alerts are sent to this channel")
    recipients = forms.CharField(
        label="E-mail addresses",
        help_text="One on each line, or separated by commas.",
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 3}),
    )
    address = forms.CharField(max_length=2000, widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}))
    signing_key = forms.CharField(label="Signing key", max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    time_zone = forms.ChoiceField(label="Time zone", initial="UTC")
    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=_TIME)
    quiet_until = forms.TimeField(label="Quiet until", required=False, widget=_TIME)
    digest = forms.ChoiceField(label="How often", choices=DIGESTS, initial=Digest.NONE.value)
    digest_at = forms.TimeField(label="Once a day, at", required=False, initial=time(9), widget=_TIME)
    critical_at_once = forms.BooleanField(
        required=False, initial=True, label="Critical alerts wait for neither quiet hours nor digest"
    )

    def __init__(
        self, kind: ChannelKind, channel: NotificationChannel | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        self.kind, self.channel = kind, channel
        super().__init__(data, initial=None if channel is None else _initial(channel))
        self.fields["time_zone"].choices = [(name, name) for name in sorted(zoneinfo.available_timezones())]  # type: ignore[attr-defined]
        self._keep_what_the_kind_has()
        self._add_routes({} if channel is None else {route.kind: route.at_least for route in channel.routes.all()})

    def _keep_what_the_kind_has(self) -> None:
        unused = {"address"} if self.kind is ChannelKind.EMAIL else {"recipients"}
        unused |= set() if self.kind is ChannelKind.WEBHOOK else {"signing_key"}
        for name in unused:
            del self.fields[name]
        if "address" in self.fields:
            services = ", ".join(service.title for service in other_services.SERVICES.values())
            more = f" Supported: {services}." if self.kind is ChannelKind.APPRISE else ""
            self.fields["address"].help_text = _ADDRESS_HELP[self.kind] + more
        self._explain_secrets()

    def _explain_secrets(self) -> None:
        if self.channel is None:
            if "signing_key" in self.fields:
                self.fields["signing_key"].initial = signatures.new_key()
                self.fields["signing_key"].help_text = "Copy it to the receiver now: once saved, it is never shown again."
            return
        for name in ("address", "signing_key"):
            if name in self.fields:
                self.fields[name].required = False
                self.fields[name].help_text = "Stored, and never shown again. Enter a new one to replace it."

    def _add_routes(self, routes: Mapping[str, str]) -> None:
        every = routes.get(EVERY_KIND, NEVER if self.channel else alerts.Severity.WARNING.value)
        least = [(value, _least_in_words(value, label)) for value, label in LEAST]
        self.fields["route_"] = forms.ChoiceField(label="Every kind of alert", choices=least, initial=every)
        for kind in sorted(alerts.REGISTRY.values(), key=lambda one: one.title):
            choices = [(_AS_OTHERS, "As every kind"), *least]
            self.fields[f"route_{kind.name}"] = forms.ChoiceField(
                label=kind.title, choices=choices, required=False, initial=routes.get(kind.name, _AS_OTHERS)
            )

    @property
    def routes(self) -> list[Any]:
        """The fields of the routes, that of every kind first."""
        return [self[name] for name in self.fields if name.startswith("route_")]

    def given(self) -> ChannelInput:
        data = self.cleaned_data
        routes = [(name.removeprefix("route_"), data[name]) for name in self.fields if name.startswith("route_") and data[name]]
        return ChannelInput(
            name=data["name"],
            enabled=data["enabled"],
            recipients=[data["recipients"]] if "recipients" in data else None,
            address=data.get("address") or None,
            signing_key=data.get("signing_key") or None,
            time_zone=data["time_zone"],
            quiet=(data["quiet_from"], data["quiet_until"]),
            digest=data["digest"],
            digest_at=data["digest_at"],
            critical_at_once=data["critical_at_once"],
            routes=routes,
        )


def _least_in_words(value: str, label: str) -> str:
    if value == NEVER:
        return "Not sent"
    return "Critical alone" if value == alerts.Severity.CRITICAL else f"{label} and above"


def _initial(channel: NotificationChannel) -> dict[str, Any]:
    same = ("name", "enabled", "time_zone", "quiet_from", "quiet_until", "digest", "digest_at", "critical_at_once")
    return {**{name: getattr(channel, name) for name in same}, "recipients": "\n".join(channel.recipients)}
