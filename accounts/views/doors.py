"""The pages before sign-in: signing up, being invited, proving an address, a forgotten password, the second factor.

allauth does the work; what is here says that anybody may open them, and turns refusals into sentences.
"""

from __future__ import annotations

from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.account.views import (
    AccountInactiveView,
    ConfirmEmailView,
    EmailVerificationSentView,
    LoginView,
    PasswordResetDoneView,
    PasswordResetFromKeyDoneView,
    PasswordResetFromKeyView,
    PasswordResetView,
    SignupView,
)
from allauth.core import ratelimit
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import issuers
from accounts.forms.people import FirstRunForm, JoinForm
from accounts.models import User
from accounts.services import email_changes, first_admin, invitations, second_factors
from accounts.services.first_admin import FirstRunOver
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.pages import STATUS_OF

log = structlog.get_logger(__name__)


@method_decorator([login_not_required, never_cache, sensitive_post_parameters()], name="dispatch")
class Door(View):
    """A page for people who are not signed in. Expected failures are told on a page without the frame."""

    public = True
    http_method_names = ["get", "post", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return self.instead(request) or super().dispatch(request, *args, **kwargs)
        except CloudconsoleError as error:
            return render(request, "account/refused.html", {"error": error}, status=STATUS_OF[error.kind])

    def instead(self, request: HttpRequest) -> HttpResponse | None:
        """What is shown in place of the page, if anything."""
        return None


class SignIn(Door, LoginView):  # type: ignore[misc]
    """Leads to the first admin instead where nobody could sign in yet."""

    def instead(self, request: HttpRequest) -> HttpResponse | None:
        is_asked = request.method == "GET" and not request.user.is_authenticated
        if is_asked and not issuers.issuers() and first_admin.is_awaited() and first_admin.is_empty():
            return redirect("first-run")
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "issuers": issuers.issuers(), "first_admin_is_awaited": first_admin.is_awaited()}


class FirstRun(Door):
    """The first admin makes themselves, by a code that only who runs this server can read."""

    def instead(self, request: HttpRequest) -> HttpResponse | None:
        if request.method != "POST":
            return None
        refused: HttpResponse | None = ratelimit.consume_or_429(request, action="first_run")
        return refused

    def get(self, request: HttpRequest) -> HttpResponse:
        if not first_admin.is_awaited():
            return redirect("sign-in")
        if cache.add("first_run:told", 1, 60):
            log.warning("first_run", setup_code=first_admin.setup_code())
        return self._show(request, FirstRunForm(initial={"username": "admin"}))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = FirstRunForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        try:
            user = first_admin.make(**form.cleaned_data)
        except FirstRunOver as error:
            messages.warning(request, error.detail)
            return redirect("sign-in")
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        signed_in: HttpResponseBase = perform_login(request, user, email_verification="none")
        return signed_in

    def _show(self, request: HttpRequest, form: FirstRunForm, *, status: int = 200) -> HttpResponse:
        return render(request, "account/first_run.html", {"form": form}, status=status)


class SignUp(Door, SignupView):  # type: ignore[misc]
    def closed(self) -> HttpResponse:
        return render(self.request, "account/signup_closed.html", {"mode": settings.SIGNUP}, status=403)


class VerificationSent(Door, EmailVerificationSentView):  # type: ignore[misc]
    pass


class ConfirmEmail(Door, ConfirmEmailView):  # type: ignore[misc]
    pass


class ConfirmEmailChange(Door):
    """Where the link leads that was sent to a new address. Opening it changes nothing: mail servers open links too."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        person, email = email_changes.find(key=key)
        return render(request, "account/email_change_confirm.html", {"person": person, "email": email})

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        user = email_changes.confirm(key=key)
        messages.success(request, f"{user.username} is reached at {user.email} now.")
        return redirect("settings:profile")


class _NeedsMail(Door):
    """Says who can help, instead of pretending to send."""

    def instead(self, request: HttpRequest) -> HttpResponse | None:
        return None if settings.EMAIL_CONFIGURED else render(request, "account/no_mail.html")


class ResetPassword(_NeedsMail, PasswordResetView):  # type: ignore[misc]
    pass


class ResetSent(_NeedsMail, PasswordResetDoneView):  # type: ignore[misc]
    pass


class SetPasswordByLink(Door, PasswordResetFromKeyView):  # type: ignore[misc]
    """Where the link of a mail, or of an admin, leads."""


class PasswordIsSet(Door, PasswordResetFromKeyDoneView):  # type: ignore[misc]
    pass


class Inactive(Door, AccountInactiveView):  # type: ignore[misc]
    pass


class SecondFactor(Door, AuthenticateView):  # type: ignore[misc]
    """The code after the password; failures are counted and written down like wrong passwords."""

    def form_invalid(self, form: Any) -> HttpResponse:
        second_factors.was_refused(user=self.stage.login.user)
        answer: HttpResponse = super().form_invalid(form)
        return answer


class Passkey(Door, LoginWebAuthnView):  # type: ignore[misc]
    """Signing in by a passkey alone."""


class Join(Door):
    """Where an invitation's link leads."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        invitation = invitations.find(key=key)
        return self._show(request, JoinForm(initial={"email": invitation.email}), invitation.email)

    def post(self, request: HttpRequest, key: str) -> HttpResponseBase:
        invitation = invitations.find(key=key)
        form = JoinForm(request.POST)
        if isinstance(request.user, User) or not form.is_valid():
            return self._show(request, form, invitation.email, status=400)
        try:
            user = invitations.accept(key=key, **form.cleaned_data)
        except CloudconsoleError as error:
            if error.kind is Kind.NOT_FOUND:
                raise
            form.refuse(error)
            return self._show(request, form, invitation.email, status=STATUS_OF[error.kind])
        get_adapter(request).stash_verified_email(request, user.email)
        signed_in: HttpResponseBase = perform_login(request, user, email_verification="none")
        return signed_in

    def _show(self, request: HttpRequest, form: JoinForm, email: str, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "invited_email": email, "is_signed_in": isinstance(request.user, User)}
        return render(request, "account/join.html", context, status=status)
