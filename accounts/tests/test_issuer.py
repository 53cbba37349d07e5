"""What makes a token good: a provider of our own, with keys that it replaces."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import issuers
from accounts.issuers import Issuer, IssuerAway, TokenRefused
from accounts.tests.provider import Provider


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
