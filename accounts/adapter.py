"""Where allauth meets this product: one way to authenticate for pages and API, our services behind its forms, our trail."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from accounts import proofs
from accounts.models import User
from accounts.services import people
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.core import requests
from cloudconsole.core.errors import CloudconsoleError, Kind

log = structlog.get_logger(__name__)

_STAGES = {"allauth.account.stages.EmailVerificationStage": "accounts.stages.ProveEmailStage"}


class MailRefused(CloudconsoleError):
    """The mail server did not take a message."""

    kind = Kind.UPSTREAM
    code = "mail_refused"
    title = "The message could not be sent"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's hooks. Failures are counted per name and per address (ACCOUNT_RATE_LIMITS)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        context = requests.current()
        return (context.ip if context else None) or "unknown"

    def get_login_stages(self) -> list[str]:
        return [_STAGES.get(path, path) for path in super().get_login_stages()]

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
        people.seen(user=user)
        audit.record(verbs.SIGNED_IN, actor=user, subject=user.username)

    @transaction.atomic
    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            realtime.recheck(user.pk)
            audit.record(verbs.SIGNED_OUT, actor=user, subject=user.username)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [*ways, *(proofs.by_provider(user) if isinstance(user, User) else [])]

    def clean_username(self, username: str, shallow: bool = False) -> str:
        if "@" in username:
            raise ValidationError("A user name may not contain “@”.")
        return str(super().clean_username(username, shallow))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        given = form.cleaned_data
        return people.sign_up(new=people.NewUser(given["username"], given["email"], given["password1"]))

    def set_password(self, user: User, password: str) -> None:
        """Ends every session and token of `user`; allauth then lets the session go on in which it was changed."""
        is_own = self.request.user.is_authenticated and self.request.user.pk == user.pk
        people.set_password(user=user, password=password, by=user if is_own else None)
        user.refresh_from_db()

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        if not super().confirm_email(request, email_address):
            return False
        people.email_was_proven(user=email_address.user)
        return True

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises MailRefused."""
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            log.warning("mail_refused", template=template_prefix, error=type(error).__name__)
            raise MailRefused("The mail server did not take the message. Try again later, or ask an admin.") from error

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        try:
            super().send_notification_mail(template_prefix, user, context, email or user.email)
        except MailRefused:
            log.warning("notification_not_sent", template=template_prefix)  # what it tells has happened nevertheless
