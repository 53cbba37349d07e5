"""How one proves who one is: password and second factors. allauth does the work; here it is declared and written down."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.views import BaseReauthenticateView, PasswordChangeView, PasswordSetView, ReauthenticateView
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import proofs, single_sign_on
from accounts.forms.people import PasskeyNameForm
from accounts.requests import SignedInRequest
from accounts.services import second_factors
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class _Own(Page):
    """About oneself: whoever is signed in."""

    permission = Perm.SELF
    http_method_names = ["get", "post", "head", "options"]
    request: SignedInRequest


class _Proven(View):
    """Between `_Own` and allauth's view: what a borrowed screen must not do asks for a proof first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return proofs.instead(cast(SignedInRequest, request)) or super().dispatch(request, *args, **kwargs)


class _Proof(View):
    """Between `_Own` and allauth's view: one of the ways to prove it, for those who have any."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        proofs.ways_of(cast(SignedInRequest, request).user)
        return super().dispatch(request, *args, **kwargs)


class ChangePassword(_Own, PasswordChangeView):  # type: ignore[misc]
    """Every other session and every refresh token ends; this session goes on."""


class SetPassword(_Own, _Proven, PasswordSetView):  # type: ignore[misc]
    """For people who have no password yet."""


class Confirm(_Own, _Proof, ReauthenticateView):  # type: ignore[misc]
    """The password once more, before something that a borrowed screen must not do."""


class ConfirmByCode(_Own, _Proof, base.ReauthenticateView):  # type: ignore[misc]
    pass


class ConfirmByPasskey(_Own, _Proof, ReauthenticateWebAuthnView):  # type: ignore[misc]
    pass


class ConfirmByProvider(_Own, _Proof, BaseReauthenticateView):  # type: ignore[misc]
    """For people who come by single sign-on: their provider asks them once more."""

    template_name = "account/reauthenticate_by_provider.html"
    form_class = Form
    http_method_names = ["get", "head", "options"]  # a link leads on: our content policy lets no form lead to another host

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "issuers": proofs.providers_of(self.request.user)}


class AskProvider(_Own):
    http_method_names = ["get", "head", "options"]

    def get(self, request: SignedInRequest, provider_id: str) -> HttpResponse:
        if provider_id not in {issuer.slug for issuer in proofs.providers_of(request.user)}:
            raise Http404("That provider does not know you.")
        return single_sign_on.ask_again(request, provider_id)


class SecondFactors(_Own, base.IndexView):  # type: ignore[misc]
    pass


class AddApp(_Own, _Proven, ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.was_added(user=self.request.user, kind="authenticator app")
        return answer


class RemoveApp(_Own, _Proven, DeactivateTOTPView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _or_index(super().dispatch, request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.was_removed(user=self.request.user, kind="authenticator app")
        return answer


class AddPasskey(_Own, _Proven, AddWebAuthnView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.was_added(user=self.request.user, kind="passkey")
        return answer


class _OwnPasskey(_Own, _Proven):
    """What is not one's own does not exist, also before a proof is asked for."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.WEBAUTHN, pk=kwargs["pk"]).exists():
            raise Http404("There is no such passkey of yours.")
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        return reverse("mfa_index")


class RenamePasskey(_OwnPasskey, EditWebAuthnView):  # type: ignore[misc]
    def get_form_class(self) -> type[PasskeyNameForm]:
        return PasskeyNameForm

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.was_renamed(user=self.request.user, name=form.cleaned_data["name"])
        return answer


class RemovePasskey(_OwnPasskey, RemoveWebAuthnView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.was_removed(user=self.request.user, kind="passkey")
        return answer


class RecoveryCodes(_Own, _Proven, ViewRecoveryCodesView):  # type: ignore[misc]
    """Shown once, right after they were made."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _or_index(super().dispatch, request, *args, **kwargs)


class MakeRecoveryCodes(_Own, _Proven, GenerateRecoveryCodesView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not second_factors.is_asked_of(request.user):  # type: ignore[arg-type]
            return redirect("mfa_index")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        second_factors.recovery_codes_were_made(user=self.request.user)
        return answer


def _or_index(dispatch: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """A page about something that one does not have leads to where it can be added."""
    try:
        answer: HttpResponseBase = dispatch(request, *args, **kwargs)
    except Http404:
        return redirect("mfa_index")
    return answer
