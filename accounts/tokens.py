"""JSON web tokens of people. Signed with one pinned algorithm; each carries a stamp of what must not have changed since."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Self

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from accounts.models import User

__all__ = ["AccessToken", "RefreshToken", "TokenError"]

_PERSON = "user_id"
_STAMP = "stamp"


class _PersonalToken(Token):
    @classmethod
    def made_for(cls, user: User) -> Self:
        token = cls()
        token[_PERSON] = str(user.pk)
        token[_STAMP] = user.token_stamp()
        return token

    @classmethod
    def parsed(cls, encoded: str) -> Self:
        """The token, its signature, type and expiry checked. Raises TokenError."""
        return cls(encoded)  # type: ignore[arg-type]  # annotated as a Token, but what it takes is the encoded text

    @property
    def user_id(self) -> int:
        """Whose token it is; 0, which is nobody's, for a token that does not say."""
        named = str(self.get(_PERSON, ""))
        return int(named) if named.isdecimal() else 0

    def is_stamped_by(self, user: User) -> bool:
        """False when the person changed their password, was deactivated or signed out everywhere since."""
        return hmac.compare_digest(str(self.get(_STAMP, "")), user.token_stamp())


class AccessToken(_PersonalToken):
    token_type: str | None = "access"  # noqa: S105 - the claim that names the kind of token
    lifetime: timedelta | None = api_settings.ACCESS_TOKEN_LIFETIME


class RefreshToken(_PersonalToken):
    token_type: str | None = "refresh"  # noqa: S105 - the claim that names the kind of token
    lifetime: timedelta | None = api_settings.REFRESH_TOKEN_LIFETIME
