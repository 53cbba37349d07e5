"""JSON laid out for a reader: every name, text and number stays written as it came, only the space between them changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_INDENT = "  "
_LONGEST = 2_000_000  # characters; more than a page can show is left as it is


def laid_out(text: str) -> str | None:
    """Two spaces for each level; None where the text is no JSON, or too long or deep to be laid out."""
    if len(text) > _LONGEST or not _is_json(text):
        return None
    return "".join(_pieces(text))


def _is_json(text: str) -> bool:
    try:
        # The numbers are not wanted: one of a million digits must not be computed.
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _pieces(text: str) -> Iterator[str]:
    pieces = _TOKEN.findall(text)
    depth = 0
    for place, piece in enumerate(pieces):
        before = pieces[place - 1] if place else ""
        if piece in "}]":
            depth -= 1
            if before not in ("{", "["):
                yield "\n" + _INDENT * depth
        elif before in ("{", "[", ","):
            yield "\n" + _INDENT * depth
        yield f"{piece} " if piece == ":" else piece
        if piece in "{[":
            depth += 1
