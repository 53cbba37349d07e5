"""Lists of Cost Explorer that are searched, sorted and paged alike (Cost Explorer API reference, GetDimensionValues, GetTags)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cloudconsole.simulator.wire import AwsError

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry and the text that is searched."""

    entry: Any
    text: str


def listed(name: str, found: Sequence[Listed], arguments: dict[str, Any]) -> dict[str, Any]:
    """One page. Raises AwsError for what cannot be combined."""
    token, search = arguments.get("NextPageToken"), str(arguments.get("SearchString") or "")
    size = arguments.get("MaxResults")
    if arguments.get("SortBy") and (token or search):
        raise _invalid("SortBy cannot be used with NextPageToken or SearchString.")
    if size is not None and not arguments.get("SortBy"):
        raise _invalid("MaxResults needs SortBy.")
    if size is not None and not 1 <= size <= _PAGE:
        raise _invalid(f"MaxResults must be between 1 and {_PAGE}.")
    matching = [one.entry for one in found if search.lower() in one.text.lower()]
    start, size = _offset(token), size or _PAGE
    page = matching[start : start + size]
    answer: dict[str, Any] = {name: page, "ReturnSize": len(page), "TotalSize": len(matching)}
    if start + size < len(matching) and not arguments.get("SortBy"):
        answer["NextPageToken"] = base64.b64encode(json.dumps(start + size).encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.b64decode(token, validate=True)))
    except (binascii.Error, ValueError):
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.") from None


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
