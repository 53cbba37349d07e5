"""The browser's way through an OpenID Connect provider: allauth's flow with state and PKCE, and a nonce and checks of ours."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import issuers, proofs
from accounts.issuers import LEEWAY_S, Issuer
from accounts.models import User
from accounts.services import arrivals
from accounts.services.arrivals import Arrival
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError

_SCOPES = ["openid", "profile", "email"]


class SingleSignOnProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's provider, with a nonce that ties the ID token to this one request."""

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """To the provider to sign in, whatever `process` the browser's address asks for."""
        return self._go(request, AuthProcess.LOGIN, next_url, {})

    def ask_again(self, request: HttpRequest, next_url: str) -> HttpResponse:
        """To the provider, so that whoever is signed in here proves there once more who they are."""
        return self._go(
            request,
            AuthProcess.REDIRECT,
            next_url,
            {"prompt": "login", "max_age": "0"},
            proves=request.user.pk,
            asked_at=int(clock.now().timestamp()),
        )

    def _go(
        self, request: HttpRequest, process: str, next_url: str | None, more: Mapping[str, str], **state: int | None
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        parameters = {**self.get_auth_params(), **more, "nonce": nonce}
        return super().redirect(request, process, next_url, auth_params=parameters, nonce=nonce, **state)  # type: ignore[no-any-return]

    def get_default_scope(self) -> list[str]:
        return _SCOPES

    def get_pkce_params(self) -> Any:
        return generate_code_challenge()


class _Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Takes the ID token as it came; it is verified, signature and nonce included, when the state is known."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        encoded = str(kwargs["response"].get("id_token") or "")
        account = SocialAccount(provider=self.provider_id)
        login = SocialLogin(account=account, user=User(), provider=self.get_provider())
        login.id_token = encoded
        return login


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's hooks. Apps come from the settings alone; people are made by `services.arrivals`."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> Sequence[SocialApp]:
        found = [_app(issuer) for issuer in issuers.issuers()]
        wanted = [app for app in found if provider in (None, app.provider, app.provider_id)]
        return [app for app in wanted if client_id in (None, app.client_id)]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        issuer = _issuer(sociallogin.account.provider)
        try:
            claims = issuer.identity(sociallogin.id_token, nonce=str(sociallogin.state.get("nonce") or ""))
            if "proves" in sociallogin.state:
                _prove(request, issuer, claims, sociallogin.state)
            arrival = Arrival.from_claims(issuer.slug, issuer.groups_claim, claims)
            sociallogin.user = arrivals.arrive(arrival=arrival)
            sociallogin.account = SocialAccount.objects.get(provider=arrival.provider, uid=arrival.uid)
        except CloudconsoleError as error:
            _back_to_sign_in(request, _words(error))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False  # who may come in is decided before

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        _back_to_sign_in(request, "Signing in was broken off or took too long. Try again.")


@login_not_required
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the browser to the provider. By a link, because our content policy lets no form lead to another host."""
    return _view(OAuth2LoginView, request, provider_id)


@login_not_required
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The browser comes back with a code."""
    return _view(OAuth2CallbackView, request, provider_id)


def ask_again(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody who is signed in to their provider for a proof that it is them, and from there to where they wanted to go."""
    wanted = get_next_redirect_url(request) or reverse("settings:profile")
    return _reach(request, provider_id, lambda adapter: adapter.get_provider().ask_again(request, wanted))


def _view(kind: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    return _reach(request, provider_id, lambda adapter: kind.adapter_view(adapter)(request))


def _reach(request: HttpRequest, provider_id: str, go: Callable[[_Adapter], HttpResponse]) -> HttpResponse:
    _issuer(provider_id)
    try:
        answer = go(_Adapter(request, provider_id))
    except (requests.RequestException, KeyError):  # its metadata; allauth lets these through
        messages.error(request, "The identity provider cannot be reached. Try again later, or sign in with a password.")
        return HttpResponseRedirect(reverse("sign-in"))
    return answer


def _issuer(slug: str) -> Issuer:
    found = issuers.by_slug(slug)
    if found is None:
        raise Http404
    return found


def _app(issuer: Issuer) -> SocialApp:
    return SocialApp(
        provider=SingleSignOnProvider.id,
        provider_id=issuer.slug,
        name=issuer.name,
        client_id=issuer.client_id,
        secret=issuer.client_secret,
        settings={"server_url": issuer.discovery_url, "fetch_userinfo": False},
    )


def _words(error: CloudconsoleError) -> str:
    return error.detail if isinstance(error, arrivals.ArrivalRefused) else "The answer of the identity provider was not accepted."


def _prove(request: HttpRequest, issuer: Issuer, claims: Mapping[str, Any], state: Mapping[str, Any]) -> NoReturn:
    """Whether the provider has just let in the person who is signed in here; by now, not by a session there from before."""
    theirs = SocialAccount.objects.filter(user=state["proves"], provider=issuer.slug, uid=str(claims["sub"]))
    if request.user.pk != state["proves"] or not theirs.exists():
        messages.error(request, f"Somebody else has signed in at {issuer.name}.")
    elif _moment(claims) < state["asked_at"] - LEEWAY_S:
        messages.error(request, f"{issuer.name} did not ask who you are once more. Sign out there first, then try again.")
    else:
        proofs.record(request, issuer=issuer)
    raise ImmediateHttpResponse(HttpResponseRedirect(state["next"]))


def _moment(claims: Mapping[str, Any]) -> float:
    """When the person proved themselves at the provider, in seconds since 1970; 0 when it does not tell."""
    told = claims.get("auth_time")
    return told if isinstance(told, int | float) else 0


def _back_to_sign_in(request: HttpRequest, words: str) -> NoReturn:
    messages.error(request, words)
    raise ImmediateHttpResponse(HttpResponseRedirect(reverse("sign-in")))
