"""The request console: headers as a person writes them, and an answer as a page shows it. Nothing of it is ever HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from gateway.rules.json_layout import laid_out

SHOWN_CHARACTERS = 256_000
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")

Headers = Sequence[tuple[str, str]]


class NotHeaders(ValueError):
    """A line is no header; the message says which."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A body as text. `kind`: json | text | binary | empty. `is_cut`: more came than is shown."""

    kind: str
    text: str
    is_cut: bool


def headers_of(text: str) -> tuple[tuple[str, str], ...]:
    """`Name: value`, one in each line; empty lines and those with # in front are passed over. Raises NotHeaders."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(_header(line) for line in lines if line and not line.startswith("#"))


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name.strip()):
        raise NotHeaders(f"“{line[:80]}” is no header. Write one in each line, as in “Accept: application/json”.")
    if not _VALUE.fullmatch(value.strip()):
        raise NotHeaders(f"“{name.strip()}” holds characters that no header can carry: only those of Latin-1 are sent.")
    return name.strip(), value.strip()


def why_no_address(url: str, *, has_key: bool) -> str:
    """What is wrong with how an address or a path is written; empty where a door may judge it."""
    if "://" not in url and not has_key:
        return "Without a key, a whole address is needed: https://…"
    if url and "://" not in url and not url.startswith("/"):
        return "A path begins with “/”, an address with https://."
    if any(one <= " " for one in url):
        return "A blank in an address is written as %20."
    path = url if url.startswith("/") else url.partition("://")[2].partition("/")[2]  # a host may be written in any letters
    if not path.isascii():
        return "What is not ASCII is written percent-encoded, such as %C3%A9 for é."
    return ""


def lines_of(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def shown(body: str | None) -> Shown:
    """`body`: the text, or None where it is none."""
    if body is None:
        return Shown("binary", "", is_cut=False)
    if not body:
        return Shown("empty", "", is_cut=False)
    pretty = laid_out(body)
    text = body if pretty is None else pretty
    return Shown("text" if pretty is None else "json", text[:SHOWN_CHARACTERS], len(text) > SHOWN_CHARACTERS)


def phrase(status: int) -> str:
    """200 → "OK"; empty for a status without a name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def tone(status: int) -> str:
    """ok for success, info for what leads elsewhere, warn for the caller's mistakes, bad for the server's."""
    return {1: "info", 2: "ok", 3: "info", 4: "warn"}.get(status // 100, "bad")
