"""One's own settings: profile, sessions, personal access tokens."""

from __future__ import annotations

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts import proofs
from accounts.forms.people import EmailForm, ProfileForm, TokenForm, profile_of
from accounts.models import Scope
from accounts.requests import SignedInRequest
from accounts.selectors import people as people_selectors
from accounts.selectors import personal_tokens as selectors
from accounts.services import email_changes, people, personal_tokens, sessions
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm


class Profile(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return self._show(request, ProfileForm(initial=profile_of(request.user)))

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = ProfileForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        try:
            people.change_profile(user=request.user, changes=form.changes(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        messages.success(request, "Your profile is saved.")
        return redirect("settings:profile")

    def _show(self, request: SignedInRequest, form: ProfileForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "grants": people_selectors.grants_of(request.user), "current": "profile"}
        return render(request, "settings/profile.html", context, status=status)


class Email(Page):
    """Whoever has the address can set a new password, so changing it asks for a proof first."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return proofs.instead(request) or self._show(request, EmailForm())

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = EmailForm(request.POST)
        if instead := proofs.instead(request):
            return instead
        if not form.is_valid():
            return self._show(request, form, status=400)
        email = form.cleaned_data["email"]
        try:
            is_changed = email_changes.ask(user=request.user, email=email, request=request)
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        messages.success(request, "Your e-mail address is saved." if is_changed else f"Open the link that was sent to {email}.")
        return redirect("settings:profile")

    def _show(self, request: SignedInRequest, form: EmailForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "mail": django_settings.EMAIL_CONFIGURED, "current": "profile"}
        return render(request, "settings/email.html", context, status=status)


class Sessions(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        own = UserSession.objects.purge_and_list(request.user)
        shown = sorted(own, key=lambda session: session.last_seen_at, reverse=True)
        return render(request, "settings/sessions.html", {"sessions": shown, "current": "sessions"})


class EndSession(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        number = request.POST.get("session", "")
        found = UserSession.objects.filter(user=request.user, pk=int(number)).first() if number.isdecimal() else None
        if found is None:
            messages.warning(request, "That session is over already.")
            return redirect("settings:sessions")
        was_this_one = found.is_current()
        sessions.end(session=found, by=request.user)
        if was_this_one:
            logout(request)
            return redirect("overview")  # which leads to the sign-in page
        messages.success(request, "The session is ended.")
        return redirect("settings:sessions")


class SignOutEverywhere(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        people.end_sessions(user=request.user)
        logout(request)
        messages.success(request, "Every session and refresh token is ended.")
        return redirect("overview")


@method_decorator(never_cache, name="dispatch")
class Tokens(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return self._show(request, TokenForm())

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        given = form.cleaned_data
        until = clock.now() + timedelta(days=given["days"])
        try:
            made = personal_tokens.create(user=request.user, name=given["name"], scope=Scope(given["scope"]), expires_at=until)
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        return self._show(request, TokenForm(), made=made)

    def _show(
        self, request: SignedInRequest, form: TokenForm, *, made: personal_tokens.NewToken | None = None, status: int = 200
    ) -> HttpResponse:
        context = {"form": form, "tokens": selectors.visible(request.user), "made": made, "current": "tokens"}
        return render(request, "settings/tokens.html", context, status=status)


class RevokeToken(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        token = selectors.get_for(request.user, pk)
        personal_tokens.revoke(token=token, by=request.user)
        messages.success(request, f"“{token.name}” is revoked.")
        return redirect("settings:tokens")
