"""What makes a token good: a provider of our own, with keys that it replaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from accounts import issuers
from accounts.issuers import Issuer, IssuerAway, TokenRefused
from cloudconsole.core import clock


class Provider:
    """Serves metadata and whatever keys it has at the moment; counts how often they were read."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.reads = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = provider.answer(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def answer(self, path: str) -> bytes:
        if path.startswith("/.well-known"):
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        self.reads += 1
        public = [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid} for kid, key in self.keys.items()]
        return json.dumps({"keys": public}).encode()

    def add_key(self, kid: str) -> None:
        self.keys[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, kid: str, *, algorithm: str = "RS256", **changes: Any) -> str:
        now = int(clock.now().timestamp())
        claims = {"iss": self.url, "sub": "ada", "aud": "console", "iat": now, "exp": now + 300, "nonce": "n", **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, self.keys[kid], algorithm=algorithm, headers={"kid": kid})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.add_key("first")
    issuers.forget_keys()
    yield made
    made.close()
    issuers.forget_keys()


@pytest.fixture
def issuer(provider: Provider) -> Issuer:
    return Issuer("oidc", "Login", provider.url, "console", "", "groups", provider.url)


def test_a_good_token_tells_its_claims_and_keys_are_read_once(provider: Provider, issuer: Issuer) -> None:
    for _ in range(3):
        assert issuer.identity(provider.token("first"), nonce="n")["sub"] == "ada"
    assert provider.reads == 1


def test_a_key_that_the_provider_has_replaced_is_found(
    provider: Provider, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "ASK_AGAIN_AFTER_S", 0.0)  # instead of waiting
    issuer.identity(provider.token("first"), nonce="n")
    stale = provider.token("first")
    provider.keys.clear()
    provider.add_key("second")
    assert issuer.identity(provider.token("second"), nonce="n")["sub"] == "ada"
    with pytest.raises(TokenRefused):
        issuer.identity(stale, nonce="n")


def test_invented_key_ids_do_not_become_requests(provider: Provider, issuer: Issuer) -> None:
    issuer.identity(provider.token("first"), nonce="n")
    provider.add_key("unknown")
    for _ in range(3):
        with pytest.raises(TokenRefused):
            issuer.identity(provider.token("unknown"), nonce="n")
    assert provider.reads == 1
    assert issuer.identity(provider.token("first"), nonce="n")["sub"] == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example.com"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"algorithm": "RS512"},
        {"algorithm": "PS256"},
    ],
    ids=str,
)
def test_a_token_that_is_not_meant_so_is_refused(provider: Provider, issuer: Issuer, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        issuer.identity(provider.token("first", **changes), nonce="n")


def test_no_nonce_of_ours_fits_no_token(provider: Provider, issuer: Issuer) -> None:
    with pytest.raises(TokenRefused):
        issuer.identity(provider.token("first", nonce=""), nonce="")


def test_a_provider_that_is_away_is_told_apart_from_a_bad_token(provider: Provider) -> None:
    away = Issuer("oidc", "Login", provider.url, "console", "", "groups", "http://127.0.0.1:9")
    with pytest.raises(IssuerAway):
        away.identity(provider.token("first"), nonce="n")
