"""How API callers prove who they are. The person's row is read on every request: what changed there counts at once."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import PersonalToken, Scope, User
from accounts.services import personal_tokens
from accounts.tokens import AccessToken, TokenError
from cloudconsole.core import requests

_SCHEME = "bearer"


class JWTAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>`. A token ends with its person's activity, password and token version."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        scheme, _, encoded = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        token = _parsed(encoded.strip())
        user = User.objects.filter(pk=token.user_id, is_active=True).first()
        if user is None or not token.is_stamped_by(user):
            raise AuthenticationFailed("The token is no longer valid. Sign in again.", code="token_not_valid")
        requests.signed_in_by("jwt")
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class PersonalTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token <personal access token>`. One that only reads is refused where something would change."""

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        scheme, _, plain = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "token":
            return None
        token = personal_tokens.owner_of(plain=plain.strip())
        if token is None:
            raise AuthenticationFailed("The token is not known, has expired, or was revoked.", code="token_not_valid")
        requests.signed_in_by("token")
        if token.scope == Scope.READ and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token may only read.", code="token_reads_only")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Token realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie of the pages, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, None] | None:
        found = super().authenticate(request)
        if found is not None:
            requests.signed_in_by("session")
        return found


def _parsed(encoded: str) -> AccessToken:
    try:
        return AccessToken.parsed(encoded)
    except TokenError as error:
        raise AuthenticationFailed("The token is not valid or has expired.", code="token_not_valid") from error
