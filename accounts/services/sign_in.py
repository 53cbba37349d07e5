"""Signing in to the API: a short access token and a refresh token that works once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User
from accounts.services import people, second_factors
from accounts.tokens import AccessToken, RefreshToken, TokenError
from audit import services as audit
from audit import verbs
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind


class InvalidCredentials(CloudconsoleError):
    """Wrong name or wrong password: the answer does not tell which. The API says 401."""

    kind = Kind.FORBIDDEN
    code = "invalid_credentials"
    title = "Sign-in failed"


class LockedOut(CloudconsoleError):
    """Too many failures for this name or from this address. The API says 429."""

    kind = Kind.BUSY
    code = "too_many_attempts"
    title = "Too many failed attempts"

    def __init__(self) -> None:
        super().__init__(f"Too many failed attempts. Try again in {settings.LOCKED_OUT_S // 60} minutes.")
        self.retry_after_s: int = settings.LOCKED_OUT_S


class SecondFactorRequired(CloudconsoleError):
    """The password is right, and a code has to come with it. The API says 401."""

    kind = Kind.FORBIDDEN
    code = "mfa_required"
    title = "A second factor is required"


class EmailNotProven(CloudconsoleError):
    """The password is right, but the person has not opened the link in their mail yet. The API says 401."""

    kind = Kind.FORBIDDEN
    code = "email_not_verified"
    title = "The e-mail address is not proven yet"


class InvalidRefreshToken(CloudconsoleError):
    """Not a refresh token of ours, expired, used before, or ended. The API says 401."""

    kind = Kind.FORBIDDEN
    code = "token_not_valid"
    title = "The refresh token is not valid"


@dataclass(frozen=True)
class TokenPair:
    """`expires_in`: seconds that the access token lasts."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme of the Authorization header


def sign_in(*, request: HttpRequest, login: str, password: str, otp: str = "") -> TokenPair:
    """Tokens for the name or e-mail address and password, and `otp` of those who have a second factor.

    Raises InvalidCredentials, LockedOut, SecondFactorRequired, EmailNotProven.

    Counts failures together with the sign-in page, and does the same work whether the name exists or not.
    """
    adapter = get_adapter(request)
    try:
        user: User | None = adapter.authenticate(request, username=login.strip(), password=password)
    except ValidationError as error:
        raise LockedOut from error
    if user is None:
        raise InvalidCredentials("The name or the password is wrong.")
    if user.awaits_verification:
        raise EmailNotProven("Open the link that was sent to your e-mail address first.")
    _ask_for_second_factor(user, otp)
    with transaction.atomic():
        user.last_login = user.last_seen_at = clock.now()
        user.save(update_fields=["last_login", "last_seen_at"])
        pair = _issue(user)
        audit.record(verbs.TOKEN_ISSUED, actor=user, subject=user.username)
    return pair


def refresh(*, refresh_token: str) -> TokenPair:
    """A new pair for a refresh token, which is dead from then on. Raises InvalidRefreshToken.

    A token that comes a second time was stolen, from us or from its thief: every token of the person ends.
    """
    token = _parsed(refresh_token)
    with transaction.atomic():
        user = _owner(token)
        if _spend(token, user):
            pair = _issue(user)
            people.seen(user=user)
            audit.record(verbs.TOKEN_REFRESHED, actor=user, subject=user.username)
            return pair
        people.end_tokens(user=user)
        audit.record(verbs.TOKEN_REUSE_REFUSED, actor=None, subject=user.username, outcome="refused")
    raise InvalidRefreshToken("This refresh token was used before. Sign in again.")


@transaction.atomic
def sign_out(*, refresh_token: str) -> None:
    """End a refresh token. One that is dead already is left as it is; raises InvalidRefreshToken for what never was one."""
    token = _parsed(refresh_token)
    user = _owner(token)
    if _spend(token, user):
        audit.record(verbs.SIGNED_OUT, actor=user, subject=user.username)


def _ask_for_second_factor(user: User, otp: str) -> None:
    if not second_factors.is_asked_of(user):
        return
    if not otp:
        raise SecondFactorRequired("Send the same again, with a code of your authenticator app or a recovery code as `otp`.")
    try:
        accepted = second_factors.accepts(user=user, code=otp)
    except ValidationError as error:
        raise LockedOut from error
    if not accepted:
        second_factors.was_refused(user=user)
        raise InvalidCredentials("The code is wrong or was used before.")


def _issue(user: User) -> TokenPair:
    access, refreshing = AccessToken.made_for(user), RefreshToken.made_for(user)
    OutstandingToken.objects.filter(user=user, expires_at__lt=clock.now()).delete()
    # Only the token's id is kept: a copy of the database lets nobody in.
    OutstandingToken.objects.create(
        user=user, jti=refreshing["jti"], token="", created_at=clock.now(), expires_at=_moment(refreshing["exp"])
    )
    return TokenPair(str(access), str(refreshing), int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds()))


def _parsed(refresh_token: str) -> RefreshToken:
    try:
        return RefreshToken.parsed(refresh_token)
    except TokenError as error:
        raise InvalidRefreshToken("The refresh token is not valid or has expired.") from error


def _owner(token: RefreshToken) -> User:
    """Whose token it is, held so that two uses of one token come one after the other. Raises InvalidRefreshToken."""
    user = User.objects.select_for_update().filter(pk=token.user_id, is_active=True).first()
    if user is None or not token.is_stamped_by(user):
        raise InvalidRefreshToken("The refresh token is no longer valid. Sign in again.")
    return user


def _spend(token: RefreshToken, user: User) -> bool:
    """Whether this is the token's first use."""
    issued = OutstandingToken.objects.filter(jti=token["jti"], user=user).first()
    if issued is None:
        raise InvalidRefreshToken("The refresh token is no longer valid. Sign in again.")
    _, first_use = BlacklistedToken.objects.get_or_create(token=issued)
    return first_use


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, tz=UTC)
