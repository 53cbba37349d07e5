"""An OpenID Connect provider of our own, as faithful as a browser and a relying party can tell: metadata, keys that it replaces,
authorization code with PKCE (RFC 7636) and nonce, a client secret, groups. Its tokens can be spoilt in every way.

Source: OpenID Connect Core 1.0, 3.1.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from cloudconsole.core import clock

CLIENT_ID, CLIENT_SECRET = "console", "what only the console and the provider know"


class Provider:
    """Serves metadata and whatever keys it has at the moment; counts how often they were read.

    `session_since`: since when the browser is signed in here, for those who are not asked again.
    """

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.reads = 0
        self.spoil: Callable[[dict[str, Any]], str] | None = None
        self.refused: list[str] = []
        self.session_since: int | None = None
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def public_keys(self) -> dict[str, Any]:
        self.reads += 1
        return {"keys": [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid} for kid, key in self.keys.items()]}

    def add_key(self, kid: str) -> None:
        self.keys[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, kid: str, *, algorithm: str = "RS256", **changes: Any) -> str:
        now = int(clock.now().timestamp())
        claims = {"iss": self.url, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": "n", **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, self.keys[kid], algorithm=algorithm, headers={"kid": kid})

    def approve(self, address: str, sub: str, **claims: Any) -> str:
        """What its pages do when `sub` signs in: the address that the browser is sent back to."""
        asked = dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT_ID, "code", "S256")
        assert "openid" in asked["scope"].split()
        now = int(clock.now().timestamp())
        code, since = secrets.token_urlsafe(16), self.session_since or now
        told = {"sub": sub, "nonce": asked.get("nonce"), "auth_time": since if "max_age" in asked else None, **claims}
        self._codes[code] = (asked, told)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, given: dict[str, str], credentials: tuple[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint. Codes work once, for the client and the verifier that they were made for."""
        asked, claims = self._codes.pop(given.get("code", ""), ({}, {}))
        if credentials != (CLIENT_ID, CLIENT_SECRET):
            return self._refuse(401, "invalid_client")
        fits = asked and (asked["redirect_uri"], asked["code_challenge"]) == (
            given.get("redirect_uri"),
            base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).decode().rstrip("="),
        )
        if not fits:
            return self._refuse(400, "invalid_grant")
        id_token = self.spoil(claims) if self.spoil else self.token(next(iter(self.keys)), **claims)
        return 200, {"id_token": id_token, "access_token": "opaque", "token_type": "Bearer", "expires_in": 300}

    def _refuse(self, status: int, error: str) -> tuple[int, dict[str, Any]]:
        self.refused.append(error)
        return status, {"error": error}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_metadata = self.path.startswith("/.well-known")
            self._answer(200, provider.metadata() if is_metadata else provider.public_keys())

        def do_POST(self) -> None:
            given = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self._answer(*provider.exchange(given, self._credentials(given)))

        def _credentials(self, given: dict[str, str]) -> tuple[str, str]:
            scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
            if scheme != "Basic":
                return given.get("client_id", ""), given.get("client_secret", "")
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            return unquote(name), unquote(secret)

        def _answer(self, status: int, payload: dict[str, Any]) -> None:
            body = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    return Handler
