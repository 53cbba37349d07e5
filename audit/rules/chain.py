"""The arithmetic of the chain: canonical bytes, keyed hashes, seals. Pure; the key comes from outside the database."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = ""  # what the first event follows


@dataclass(frozen=True)
class Facts:
    """An event's content: the moment and plain JSON values."""

    at: datetime
    values: Mapping[str, object]

    def canonical(self) -> bytes:
        """The same bytes for the same facts on every database: sorted keys, no spaces, UTC to the microsecond."""
        document = {**self.values, "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"), "v": 1}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def event_hash(key: str, prev_hash: str, facts: Facts) -> str:
    """HMAC-SHA256, in hex, over the facts and the hash of the event before."""
    return _keyed(key, b"event", prev_hash.encode(), facts.canonical())


def head_seal(key: str, seq: int, last_hash: str) -> str:
    """What proves that the head was set by somebody who holds the key."""
    return _keyed(key, b"head", str(seq).encode(), last_hash.encode())


def checkpoint_seal(key: str, seq: int, last_hash: str, at: str) -> str:
    """What proves that a checkpoint was written by somebody who holds the key."""
    return _keyed(key, b"checkpoint", str(seq).encode(), last_hash.encode(), at.encode())


def same(first: str, second: str) -> bool:
    """Whether two hashes are equal, in constant time."""
    return hmac.compare_digest(first.encode(), second.encode())


def _keyed(key: str, *parts: bytes) -> str:
    # Lengths go in, so that no two lists of parts have the same bytes.
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
