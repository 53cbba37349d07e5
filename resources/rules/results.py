"""What an operation brought, in the words of people. Programs read the names themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LABELS = {
    "alias": "Alias",
    "billed_ms": "Billed for (ms)",
    "checksum": "Checksum",
    "code_of": "Code of version",
    "code_sha256": "SHA-256 of the code",
    "created": "New",
    "deleted": "Deleted",
    "etag": "ETag",
    "executed_version": "Version that ran",
    "function_error": "Error of the function",
    "markers": "Delete markers",
    "objects": "Objects",
    "previous_version": "Previous code kept as version",
    "size": "Size in bytes",
    "snapshot": "Snapshot",
    "status_code": "Status",
    "uploads": "Unfinished uploads",
    "version": "Version",
    "version_id": "Version",
    "versions": "Versions",
}


def told(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each figure with its label, in order; what is empty is left out."""
    return [
        (_LABELS.get(name, name.replace("_", " ").capitalize()), _text(value))
        for name, value in result.items()
        if value not in ("", None)
    ]


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case _:
            return str(value)
