"""Keeps secrets and unprintable text out of the trail, which nobody could ever clean afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping

Value = str | int | bool | None

MAX_KEYS = 32
MAX_TEXT = 1024
MAX_INTEGER = 2**53 - 1  # beyond that a reader of JSON may see another number than the one that was hashed
REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"secret|passw|passphrase|private_?key|session_?token|access_?token|refresh_?token|api_?key$|otp|sealed|cookie"
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# An AWS secret key: forty characters of base64 that stand alone. Hexadecimal ones are SHA-1 digests, which are no secret.
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])(?![0-9a-f]{40}(?![A-Za-z0-9/+=]))[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_SESSION_TOKEN = re.compile(r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|AQoDYXdz)[A-Za-z0-9/+=]{20,}")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)
_BEARER = re.compile(r"(?i)\b(?:bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{16,}")
_PERSONAL_TOKEN = re.compile(r"cc_pat_[A-Za-z0-9_-]{16,}")
_FERNET = re.compile(r"gAAAA[A-Za-z0-9_-]{60,}={0,2}")
_SECRETS = (_PRIVATE_KEY, _JWT, _SESSION_TOKEN, _PERSONAL_TOKEN, _BEARER, _FERNET, _AWS_SECRET)


class Unrecordable(ValueError):
    """A mistake in the calling code: a detail that is no small plain value, or whose name says that it is a secret."""


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """One printable line of at most `limit` characters, whatever looks like a secret replaced."""
    shown = text
    for pattern in _SECRETS:
        shown = pattern.sub(REDACTED, shown)
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", shown)[:limit]


def clean_detail(detail: Mapping[str, Value]) -> dict[str, Value]:
    """The detail as it is stored. Names are the code's own, so a bad one is refused; values come from outside, so
    what looks like a secret in one is replaced, and the event is still written."""
    if len(detail) > MAX_KEYS:
        raise Unrecordable(f"An event has at most {MAX_KEYS} details.")
    return {_checked_name(name): _checked(name, value) for name, value in detail.items()}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Unrecordable(f"{name!r} is no name for a detail.")
    if _SECRET_NAME.search(name):
        raise Unrecordable(f"{name!r} sounds like a secret, and secrets are never recorded.")
    return name


def _checked(name: str, value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise Unrecordable(f"{name!r} is too large a number for the trail; record it as text.")
        return value
    if isinstance(value, str):
        return clean_text(str(value))
    raise Unrecordable(f"{name!r} is a {type(value).__name__}; a detail is text, a whole number, true, false or nothing.")
