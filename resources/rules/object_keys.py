"""Object keys: what may be one, and how people read many of them as folders."""

from __future__ import annotations

import mimetypes
import unicodedata
from dataclasses import dataclass

MAX_BYTES = 1024
DELIMITER = "/"
UNKNOWN_TYPE = "application/octet-stream"

# A page of these opened from the bucket's own address would run as a page of that address.
_ACTIVE_TYPES = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", "application/javascript"})


@dataclass(frozen=True, slots=True)
class Crumb:
    """One folder on the way to a prefix."""

    name: str
    prefix: str


def fault_of(key: str) -> str:
    """Why an object cannot be stored under the key, in one sentence; empty when it can."""
    if not key:
        return "An object needs a key."
    if len(key.encode(errors="surrogatepass")) > MAX_BYTES:
        return f"A key has at most {MAX_BYTES} bytes in UTF-8."
    if any(unicodedata.category(character) == "Cc" for character in key):
        return "A key has no control characters."
    if {".", ".."} & set(key.split(DELIMITER)):
        return "“.” and “..” are not allowed as parts of a key: programs would take them for steps in a path."
    return ""


def crumbs(prefix: str) -> list[Crumb]:
    """The folders from the top down to `prefix`; what follows its last delimiter is no folder."""
    found, start = [], 0
    while (end := prefix.find(DELIMITER, start)) >= 0:
        found.append(Crumb(prefix[start:end] or DELIMITER, prefix[: end + 1]))
        start = end + 1
    return found


def within(key: str, prefix: str) -> str:
    """The key as it reads in the folder `prefix`."""
    return key.removeprefix(prefix) or key


def file_name(key: str) -> str:
    """What a download of the key is called on a person's disk."""
    return key.rstrip(DELIMITER).rpartition(DELIMITER)[2] or "object"


def content_type(key: str, given: str = "") -> str:
    """What to store as the type of an upload: what the sender says, else what the key's ending says.

    Types that browsers run are stored as plain bytes: an uploaded page must not become a page of the bucket's address.
    """
    found = (given or mimetypes.guess_type(key)[0] or UNKNOWN_TYPE).partition(";")[0].strip().lower()
    return UNKNOWN_TYPE if found in _ACTIVE_TYPES or "/" not in found else found
