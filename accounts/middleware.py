"""Every page asks for sign-in unless it says otherwise. The API answers 401 by itself instead of being redirected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from accounts.services import sessions
from cloudconsole.core import requests

# These never lead to the sign-in page: programs and probes read status codes, not redirects.
_ANSWER_FOR_THEMSELVES = ("/api/", "/healthz", "/readyz", "/ws/", settings.STATIC_URL)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends strangers to the sign-in page, htmx requests included, and notes who came with a session."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if f"{request.path}/".startswith(_ANSWER_FOR_THEMSELVES):
            return None
        if request.user.is_authenticated:
            requests.signed_in_by("session")
            if isinstance(request.user, User):
                sessions.seen(request=request, user=request.user)
            return None
        answer = super().process_view(request, view_func, view_args, view_kwargs)
        if isinstance(answer, HttpResponseRedirect) and request.headers.get("HX-Request") == "true":
            return HttpResponseClientRedirect(answer.url)  # a partial would otherwise be filled with the sign-in page
        return answer
