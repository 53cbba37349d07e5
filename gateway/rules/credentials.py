"""What looks like a credential in a request that somebody pasted: it is left out and never stored."""

from __future__ import annotations

import re

from gateway.rules import presets

_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-amz-security-token"})
_WORDS = re.compile(
    r"(?:^|[-_.])(?:api|app|access|auth|secret|private|subscription|session|security)?[-_.]?(?:key|token|secret|password|passwd|signature|sig)(?:$|[-_.])|^(?:apikey|appid|app_id|pwd|auth|jwt|key|code)$"
)
# Names that hold such a word, and never a secret.
_HARMLESS = frozenset(
    {
        "idempotency-key",
        "x-idempotency-key",
        "page_token",
        "pagetoken",
        "next_token",
        "nexttoken",
        "sort_key",
        "key_id",
        "max_tokens",
        "sec-websocket-key",
        "pagination_token",
        "continuation_token",
        "sync_token",
    }
)
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")


def is_secret_header(name: str, value: str) -> bool:
    """Whether the header carries who is asking."""
    lower = name.lower()
    return lower in _HEADERS or _is_named(lower) or _is_known(value)


def is_secret_parameter(name: str, value: str) -> bool:
    return _is_named(name.lower()) or _is_known(value)


def _is_named(lower: str) -> bool:
    return lower not in _HARMLESS and _WORDS.search(lower) is not None


def _is_known(value: str) -> bool:
    """By its shape: a signed token, or how a well-known service's secrets begin."""
    last = value.rsplit(" ", 1)[-1]
    return _JWT.fullmatch(last) is not None or (len(last) >= 16 and presets.for_secret(last) is not None)
