"""Why requests failed, in words."""

from __future__ import annotations

_WORDS = {
    "address_refused": "Address refused",
    "answer_too_large": "Answer too large",
    "answer_unusable": "Answer could not be read",
    "budget_used_up": "Budget used up",
    "caller_gone": "Caller hung up",
    "header_unsendable": "A header could not be sent",
    "internal_error": "A fault of Cloudconsole",
    "invalid": "Request could not be read",
    "key_not_allowed": "Outside what the key may do",
    "key_unusable": "Key could not be used",
    "limit_reached": "Held: nothing left of a limit",
    "no_answer": "No answer came",
    "too_large": "Request too large",
}


def words(cause: str) -> str:
    """Of an `error` of the log, or of `status_` and a number; empty for none."""
    if cause.startswith("status_"):
        return f"Status {cause.removeprefix('status_')}"
    return _WORDS.get(cause, cause.replace("_", " ").capitalize())
