"""Identifiers that sort by when they were made, so that what was entered last stands first within its day."""

from __future__ import annotations

import secrets
import time
import uuid

_SUB_MILLISECOND = 1_000_000


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): milliseconds, then the fraction of one in twelve bits, then chance."""
    milliseconds, nanoseconds = divmod(time.time_ns(), _SUB_MILLISECOND)
    fraction = nanoseconds * 4096 // _SUB_MILLISECOND
    high = (milliseconds << 16) | (0x7 << 12) | fraction
    low = (0b10 << 62) | secrets.randbits(62)
    return uuid.UUID(int=(high << 64) | low)
