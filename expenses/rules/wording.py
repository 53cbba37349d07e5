"""How texts of expenses are compared and found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 200  # PostgreSQL's index of words holds no longer ones than some two thousand bytes
MAX_TAGS = 20
MAX_TAG = 50


def key_of(name: str) -> str:
    """What two spellings of one payee have in common: "  Café  BERLIN " → "café berlin"."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:200]


def words(text: str) -> list[str]:
    """Each word once, in lower case, letters and digits only; of one that is longer than any word its beginning."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))


def searched(texts: Iterable[str]) -> str:
    """What the search reads: a space before every word."""
    return "".join(f" {word}" for word in words(" ".join(texts)))


def tags_of(given: Iterable[str]) -> list[str]:
    """In order, each once in any case, without the empty ones: ["Team", "lunch ", "team, x"] → ["lunch", "Team", "x"]."""
    kept: dict[str, str] = {}
    for one in ",".join(given).split(","):
        name = " ".join(one.split())
        if name:
            kept.setdefault(name.casefold(), name)
    return [kept[key] for key in sorted(kept)]
