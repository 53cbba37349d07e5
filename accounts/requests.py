from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """What a page's view gets: the middleware has sent strangers to the sign-in page before."""

    user: User
