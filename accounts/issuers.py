"""Who issues identities: the OpenID Connect providers of this installation, and what makes a token of theirs good.

Algorithms are pinned here and never read from a token. Keys are cached, and read again when a token names a new one.
Sources: OpenID Connect Core 1.0, 3.1.3.7; Amazon Cognito developer guide, "Verifying JSON web tokens".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
import requests
from django.conf import settings
from jwt import PyJWKClient, PyJWKClientError

from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.environment import SingleSignOn

ALGORITHMS = ("RS256", "ES256")
_KEYS_LAST_S = 3600
ASK_AGAIN_AFTER_S = 10.0  # a flood of tokens with invented key ids must not become a flood of requests
_TIMEOUT_S = 5
LEEWAY_S = 30


class TokenRefused(CloudconsoleError):
    """Not a good token of this issuer. The text says why, for the log; callers are told no more than that."""

    kind = Kind.FORBIDDEN
    code = "token_not_valid"
    title = "The token is not valid"


class IssuerAway(CloudconsoleError):
    kind = Kind.UNAVAILABLE
    code = "issuer_unreachable"
    title = "The identity provider cannot be reached"


@dataclass(frozen=True)
class Issuer:
    """One provider. `base` is where its metadata is, which for emulators is not the issuer itself."""

    slug: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups_claim: str
    base: str
    issues_for_api: bool = False

    @property
    def discovery_url(self) -> str:
        return f"{self.base}/.well-known/openid-configuration"

    def identity(self, encoded: str, *, nonce: str) -> dict[str, Any]:
        """The claims of the ID token that answers our own sign-in request. Raises TokenRefused or IssuerAway."""
        claims = self._verified(encoded, audience=self.client_id)
        if not nonce or claims.get("nonce") != nonce:
            raise TokenRefused("The nonce is not ours.")
        if self.issues_for_api and claims.get("token_use") != "id":
            raise TokenRefused("It is no ID token.")
        return claims

    def caller(self, encoded: str) -> dict[str, Any]:
        """The claims of a token that a program sends to the API: access or ID token of a Cognito app client."""
        claims = self._verified(encoded, audience=None)
        # Cognito's access tokens name the client as `client_id` and have no audience; its ID tokens the other way round.
        meant_for = {"access": claims.get("client_id"), "id": claims.get("aud")}.get(str(claims.get("token_use")))
        if meant_for != self.client_id:
            raise TokenRefused("It was issued for another application or another use.")
        return claims

    def _verified(self, encoded: str, *, audience: str | None) -> dict[str, Any]:
        options: Any = {"require": ["exp", "iat", "iss", "sub"], "verify_aud": audience is not None}
        try:
            key = _keys(self.discovery_url).get_signing_key_from_jwt(encoded)
            claims: dict[str, Any] = jwt.decode(
                encoded,
                key,
                algorithms=list(ALGORITHMS),
                audience=audience,
                issuer=self.issuer,
                leeway=LEEWAY_S,
                options=options,
            )
        except jwt.PyJWKClientConnectionError as error:
            raise IssuerAway(f"{self.name} does not answer.") from error
        except (jwt.PyJWTError, PyJWKClientError) as error:
            raise TokenRefused(type(error).__name__) from error
        return claims


def issuers() -> tuple[Issuer, ...]:
    """The providers that the settings name."""
    return _issuers(settings.SINGLE_SIGN_ON, os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/"))


def by_slug(slug: str) -> Issuer | None:
    return next((issuer for issuer in issuers() if issuer.slug == slug), None)


def of_token(encoded: str) -> Issuer | None:
    """The issuer that a token claims, if it is one whose tokens the API accepts. Nothing is verified yet."""
    try:
        claims: Mapping[str, Any] = jwt.decode(encoded, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return next((issuer for issuer in issuers() if issuer.issues_for_api and issuer.issuer == claims.get("iss")), None)


def forget_keys() -> None:
    """Read keys and metadata again at the next use."""
    _keys.cache_clear()


@lru_cache(maxsize=8)
def _keys(discovery_url: str) -> PyJWKClient:
    try:
        answer = requests.get(discovery_url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        address = str(answer.json()["jwks_uri"])
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        raise IssuerAway("The identity provider's metadata cannot be read.") from error
    return PyJWKClient(address, lifespan=_KEYS_LAST_S, timeout=_TIMEOUT_S, cooldown_duration=ASK_AGAIN_AFTER_S)


@lru_cache(maxsize=8)
def _issuers(given: SingleSignOn, aws_endpoint: str) -> tuple[Issuer, ...]:
    found = []
    if given.issuer:
        claim = given.groups_claim or "groups"
        found.append(Issuer("oidc", given.name, given.issuer, given.client_id, given.client_secret, claim, given.issuer))
    if given.pool_id:
        host = f"https://cognito-idp.{given.pool_id.partition('_')[0]}.amazonaws.com"
        claim = given.groups_claim or "cognito:groups"
        base = f"{aws_endpoint or host}/{given.pool_id}"
        issuer = f"{host}/{given.pool_id}"
        secret = given.pool_client_secret
        found.append(Issuer("cognito", "Amazon Cognito", issuer, given.pool_client_id, secret, claim, base, issues_for_api=True))
    return tuple(found)
