"""Names for people of what an event's details hold. A name that is not known here reads as it is written, in words."""

from __future__ import annotations

import re

_LABELS = {
    "again": "Tried again",
    "at": "Where",
    "auth_method": "Signs in with",
    "before": "Was before",
    "cap": "Monthly cap of requests",
    "code": "Error code",
    "count": "How many",
    "days": "Valid for (days)",
    "fields": "What changed",
    "grants": "May use now",
    "kept": "Not ended",
    "price_usd": "Price at least (USD)",
    "requests": "Requests to AWS",
    "restated": "Settled days that AWS changed",
    "rows": "Rows",
    "seq": "Events read",
    "to": "Is now",
    "trigger": "Why it ran",
    "within": "Expires within",
}

# What programs call things, where replacing underscores would not say it.
_WORDS = {
    "assume_role": "role",
    "ambient": "credentials of the host",
    "backfill": "first fetch",
    "manual": "asked for by a person",
    "ok": "works",
    "schedule": "scheduled",
}
_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:, [a-z][a-z0-9]*(?:_[a-z0-9]+)*)*")
_CODES = frozenset({"code"})  # searched for letter by letter


def label(name: str) -> str:
    """`auth_method` → "Signs in with", `external_id` → "External id"."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def text(name: str, value: object) -> str:
    """The value of the detail called `name`, in words: `True` → "yes", `access_key` → "access key"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "none"
    if name in _CODES or not isinstance(value, str):
        return str(value)
    return _WORDS.get(value) or (value.replace("_", " ") if _SNAKE.fullmatch(value) else value)
