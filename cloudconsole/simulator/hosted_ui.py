"""A Cognito user pool's public side, which moto lacks: metadata, keys, and managed login with code, PKCE and nonce.

Sources: Amazon Cognito developer guide, "The authorize endpoint", "The token endpoint"; RFC 7636. Users, groups, clients
and the tokens themselves are moto's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from html import escape
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cloudconsole.simulator.wire import Request, Response

_WELL_KNOWN = re.compile(r"/(?P<pool>[a-z0-9-]+_[A-Za-z0-9]+)/\.well-known/(?P<document>openid-configuration|jwks\.json)")
_PATHS = frozenset({"/oauth2/authorize", "/oauth2/token"})
_CODE_LASTS_S = 300


class OAuthError(Exception):
    """An error code of RFC 6749."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a code stands for until it is exchanged."""

    client_id: str
    username: str
    redirect_uri: str
    challenge: str
    nonce: str
    made_at: float


class HostedUi:
    """Answers what browsers and relying parties ask of the user pools. Codes work once and for five minutes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._codes: dict[str, _Grant] = {}

    def answers(self, request: Request) -> bool:
        return request.path in _PATHS or _WELL_KNOWN.fullmatch(request.path) is not None

    def handle(self, request: Request, base: str) -> Response:
        asked = dict(parse_qsl(request.query, keep_blank_values=True))
        try:
            if request.path == "/oauth2/token":
                return _json(self._exchange(request))
            if request.path == "/oauth2/authorize":
                return self._authorize(request, asked)
            return self._metadata(request.path, base)
        except OAuthError as error:
            return _json({"error": str(error)}, 400)

    def _metadata(self, path: str, base: str) -> Response:
        found = _WELL_KNOWN.fullmatch(path)
        pool = _pool(found["pool"]) if found else None
        if found is None or pool is None:
            return _json({"message": "User pool does not exist."}, 404)
        if found["document"] == "jwks.json":
            public = pool.json_web_key.as_dict(is_private=False)
            return _json({"keys": [{**public, "kid": "dummy", "alg": "RS256", "use": "sig"}]})
        document = {
            "issuer": f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.id}",
            "authorization_endpoint": f"{base}/oauth2/authorize",
            "token_endpoint": f"{base}/oauth2/token",
            "jwks_uri": f"{base}/{pool.id}/.well-known/jwks.json",
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
        return _json(document)

    def _authorize(self, request: Request, asked: dict[str, str]) -> Response:
        pool, client = _client(asked.get("client_id", ""))
        redirect_uri = asked.get("redirect_uri", "")
        if redirect_uri not in client.extended_config.get("CallbackURLs", []):
            raise OAuthError("redirect_mismatch")
        if asked.get("response_type") != "code" or asked.get("code_challenge_method", "S256") != "S256":
            raise OAuthError("invalid_request")
        if request.method != "POST":
            return _page(request, "")
        typed = request.form()
        user = pool.users.get(typed.get("username", ""))
        if user is None or not hmac.compare_digest(str(user.password), typed.get("password", "")):
            return _page(request, "Incorrect username or password.")
        code = secrets.token_urlsafe(32)
        grant = _Grant(
            asked["client_id"],
            typed["username"],
            redirect_uri,
            asked.get("code_challenge", ""),
            asked.get("nonce", ""),
            time.monotonic(),
        )
        with self._lock:
            self._codes[code] = grant
        answer = urlencode({"code": code, "state": asked.get("state", "")})
        return Response(302, b"", "text/html", {"Location": f"{redirect_uri}?{answer}"})

    def _exchange(self, request: Request) -> dict[str, Any]:
        given = request.form()
        client_id, secret = _client_of(request, given)
        pool, client = _client(client_id)
        if client.generate_secret and not hmac.compare_digest(str(client.secret), secret):
            raise OAuthError("invalid_client")
        if given.get("grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type")
        with self._lock:
            grant = self._codes.pop(given.get("code", ""), None)
        if grant is None or time.monotonic() - grant.made_at > _CODE_LASTS_S:
            raise OAuthError("invalid_grant")
        if (grant.client_id, grant.redirect_uri) != (client_id, given.get("redirect_uri")):
            raise OAuthError("invalid_grant")
        if grant.challenge and not hmac.compare_digest(_challenge(given.get("code_verifier", "")), grant.challenge):
            raise OAuthError("invalid_grant")
        return _tokens(pool, grant)


def _tokens(pool: Any, grant: _Grant) -> dict[str, Any]:
    refresh_token, origin = pool.create_refresh_token(grant.client_id, grant.username)
    access_token, seconds = pool.create_access_token(grant.client_id, grant.username, origin_jti=origin)
    user = pool.users[grant.username]
    claims = {attribute["Name"]: attribute["Value"] for attribute in user.attributes if attribute["Name"] != "sub"}
    claims["email_verified"] = claims.get("email_verified") == "true"
    if user.groups:
        claims["cognito:groups"] = [group.group_name for group in user.groups]
    if grant.nonce:
        claims["nonce"] = grant.nonce
    id_token, _ = pool.create_jwt(grant.client_id, grant.username, "id", extra_data=claims)
    return {
        "id_token": id_token,
        "access_token": access_token,
        "refresh_token": refresh_token,
        "expires_in": seconds,
        "token_type": "Bearer",
    }


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _client_of(request: Request, given: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        return client_id, secret
    return given.get("client_id", ""), given.get("client_secret", "")


def _pools() -> list[Any]:
    from moto.cognitoidp.models import cognitoidp_backends  # imported at the first call, as the rest of moto is

    accounts: list[Any] = list(cognitoidp_backends.values())
    return [pool for account in accounts for backend in list(account.values()) for pool in list(backend.user_pools.values())]


def _pool(pool_id: str) -> Any:
    return next((pool for pool in _pools() if pool.id == pool_id), None)


def _client(client_id: str) -> tuple[Any, Any]:
    for pool in _pools():
        if client_id in pool.clients:
            return pool, pool.clients[client_id]
    raise OAuthError("invalid_client")


def _json(payload: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(payload).encode(), "application/json")


def _page(request: Request, refusal: str) -> Response:
    target = escape(f"{request.path}?{request.query}", quote=True)
    body = (
        f'<!doctype html><html lang="en"><title>Sign in</title><h1>Simulated Amazon Cognito</h1><p role="alert">{refusal}</p>'
        f'<form method="post" action="{target}"><label>Username <input name="username"></label> '
        '<label>Password <input name="password" type="password"></label> <button>Sign in</button></form></html>'
    )
    return Response(200, body.encode(), "text/html; charset=utf-8")
