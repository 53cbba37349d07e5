"""Where allauth's sign-in meets this product: one way to authenticate for pages and API, and what is written down about it."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User
from audit import services as audit
from audit import verbs
from cloudconsole.core import requests


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's hooks. Failures are counted per name and per address (ACCOUNT_RATE_LIMITS)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        context = requests.current()
        return (context.ip if context else None) or "unknown"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person, or None. Raises ValidationError after too many failures, whoever is meant and whether they exist.

        The name goes in once, as name or address: allauth's own form gives both, and then hashes the password twice
        for addresses that exist. A deactivated person is refused like a wrong password.
        """
        login = str(credentials.get("username") or credentials.get("email") or "")
        one = {"username": login, "password": str(credentials.get("password") or "")}
        self.pre_authenticate(request, **one)
        user = authenticate(request, **one)
        if not isinstance(user, User):
            self.authentication_failed(request, **one)
            return None
        self._rollback_login_failed_rl_usage()
        return user

    @transaction.atomic
    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # Only a name that exists is written down: what was typed may be a password in the wrong field.
        login = credentials["username"]
        meant = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login)).first() if login else None
        subject = meant.username if meant else "an unknown name"
        audit.record(verbs.SIGN_IN_FAILED, actor=None, subject=subject, outcome="failure")

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        requests.signed_in_by("session")
        audit.record(verbs.SIGNED_IN, actor=user, subject=user.username)

    @transaction.atomic
    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            audit.record(verbs.SIGNED_OUT, actor=user, subject=user.username)

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        super().save_user(request, user, form, commit)
        if commit:
            audit.record(verbs.USER_SIGNED_UP, actor=None, subject=user.username)
        return user
