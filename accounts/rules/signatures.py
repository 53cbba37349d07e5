"""The signature of a webhook, after the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, as the specification has it


def new_key() -> str:
    """256 random bits, written as receivers' libraries take them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_key(text: str) -> bool:
    """Whether `text` is a key of 24 to 64 bytes in base64 behind `whsec_`."""
    try:
        return text.startswith(PREFIX) and _SHORTEST <= len(_bytes_of(text)) <= _LONGEST
    except binascii.Error:
        return False


def headers(key: str, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """What proves to the receiver who sent this body, and when. The same `message_id` is the same message."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.new(_bytes_of(key), signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}


def _bytes_of(key: str) -> bytes:
    return base64.b64decode(key.removeprefix(PREFIX), validate=True)
