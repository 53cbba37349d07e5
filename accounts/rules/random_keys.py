"""Random keys that are shown once, and what is stored of them."""

from __future__ import annotations

import hashlib
import secrets

PERSONAL_TOKEN_PREFIX = "cc_pat_"  # noqa: S105 - lets people and secret scanners recognise a token by its beginning


def new_personal_token() -> str:
    """256 random bits behind a prefix that says what it is."""
    return PERSONAL_TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_link_key() -> str:
    """256 random bits for the address of a link that works once."""
    return secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """What is stored of a random key. Nobody guesses 256 bits, so one fast hash without salt is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
