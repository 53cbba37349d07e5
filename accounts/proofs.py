"""Who asks for something that a borrowed screen must not do has proven lately who they are.

A password or a second factor proves it, or signing in at the provider once more for those who come by single sign-on.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, get_reauthentication_flows
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import issuers
from accounts.issuers import Issuer
from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError, Kind


class NoWayToProve(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_way_to_prove"
    title = "There is no way to prove who you are"


def instead(request: SignedInRequest) -> HttpResponseRedirect | None:
    """The way to the proof when there is none yet. What was posted is not kept for later: it may be a password."""
    if is_recent(request):
        return None
    ways = ways_of(request.user)
    return HttpResponseRedirect(f"{ways[0]['url']}?{urlencode({'next': request.path})}")


def ways_of(user: User) -> list[dict[str, Any]]:
    """How `user` can prove it, the usual way first. Raises NoWayToProve."""
    ways: list[dict[str, Any]] = get_adapter().get_reauthentication_methods(user)
    if not ways:
        raise NoWayToProve("You have neither a password nor a second factor here. Ask an admin for a link that sets a password.")
    return ways


def by_provider(user: User) -> list[dict[str, Any]]:
    """The way through the providers that know `user`, as allauth describes ways; empty when there is none."""
    names = [issuer.name for issuer in providers_of(user)]
    if not names:
        return []
    words = f"Use {' or '.join(names)}"
    return [{"id": "single_sign_on", "description": words, "url": reverse("confirm-by-provider")}]


def providers_of(user: User) -> list[Issuer]:
    known = set(SocialAccount.objects.filter(user=user).values_list("provider", flat=True)) if issuers.issuers() else set()
    return [issuer for issuer in issuers.issuers() if issuer.slug in known]


def is_recent(request: SignedInRequest) -> bool:
    if get_reauthentication_flows(request.user):
        return bool(did_recently_reauthenticate(request))
    # allauth lets people through who have neither password nor second factor.
    records = [record for record in get_authentication_records(request, request.user) if record.get("reauthenticated")]
    return bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT


def record(request: HttpRequest, *, issuer: Issuer) -> None:
    """The person has just signed in at `issuer` once more."""
    record_authentication(request, request.user, method="socialaccount", provider=issuer.slug, reauthenticated=True)
