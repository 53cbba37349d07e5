"""Secrets in files as people keep them: .env and JSON. Which of the lines are keys, and under which names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.rules.injection import SHORTEST_SECRET

MOST = 500
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:](.*)")
_COMMENT = re.compile(r"\s#")  # what is before it is stripped: `\s+` would try each blank of many anew
_ENDS = re.compile(r"(?i)[_.-]?(?:secret[_.-]?)?(?:access[_.-]?)?(?:api[_.-]?)?(?:key|token|secret|pat|password|apikey)$")
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}
# Names under which such files keep what is no secret.
_NO_SECRET = re.compile(
    r"(?i)(?:^|_)(?:url|uri|host|port|user|username|name|region|env|debug|level|path|dir|mode|id|email|version)$"
)


class Unreadable(ValueError):
    """The text is neither of the formats; its text is for people."""


@dataclass(frozen=True)
class Found:
    """One secret of the text. `said` is what else a JSON object says of it, by the names of the API."""

    name: str
    secret: str = field(repr=False)
    said: Mapping[str, object] = field(default_factory=dict)

    @property
    def api_name(self) -> str:
        """The name without what says that it is a key: GITHUB_API_TOKEN is github."""
        short = _ENDS.sub("", self.name).strip("_.- ") or self.name
        return re.sub(r"[^A-Za-z0-9.-]+", "-", short).strip("-.").lower()[:64] or "key"


@dataclass(frozen=True)
class Skipped:
    """What is no key. `where` says it without its value: by name, or by the number of its line."""

    where: str
    why: str


def skipped(text: str) -> list[Skipped]:
    """What `read` passes over in a text that it reads, comments and empty lines aside."""
    stripped = text.strip().removeprefix("\ufeff")
    if stripped[:1] in ("{", "["):
        return list(_skipped_json(stripped))
    return [
        one for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1) if (one := _skipped_line(number, line))
    ]


def read(text: str) -> list[Found]:
    """Every secret, in its order. Raises Unreadable."""
    stripped = text.strip().removeprefix("\ufeff")
    found = list(_from_json(stripped) if stripped[:1] in ("{", "[") else _from_lines(stripped))
    if not found:
        raise Unreadable("No key was found. Paste lines such as GITHUB_TOKEN=…, or a JSON object of names and keys.")
    if len(found) > MOST:
        raise Unreadable(f"At most {MOST} keys at once.")
    return found


def _from_json(text: str) -> Iterator[Found]:
    try:
        read = json.loads(text)
        json.dumps(read, ensure_ascii=False).encode()  # half of a surrogate pair is no character
    except (ValueError, RecursionError):
        raise Unreadable("The text begins like JSON, and is none.") from None
    if "\\u0000" in text:
        raise Unreadable("The text holds a NUL, which no key has.")
    if isinstance(read, list):
        for one in read:
            if isinstance(one, dict) and (found := _object(_called(one), one)):
                yield found
        return
    for name, value in read.items():
        if isinstance(value, str) and _is_secret(name, value):
            yield Found(name, value)
        elif isinstance(value, dict) and (found := _object(name, value)):
            yield found


def _object(name: str, value: Mapping[str, object]) -> Found | None:
    secret = next((value[one] for one in ("api_key", "key", "token", "secret", "value") if isinstance(value.get(one), str)), None)
    return Found(name, str(secret), value) if name and secret else None


def _from_lines(text: str) -> Iterator[Found]:
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = _LINE.fullmatch(line)
        if matched is None:
            continue
        value = _value(matched[2].strip())
        if _is_secret(matched[1], value):
            yield Found(matched[1], value)


def _skipped_json(text: str) -> Iterator[Skipped]:
    read = json.loads(text)
    named = read.items() if isinstance(read, dict) else ((f"Entry {number}", one) for number, one in enumerate(read, 1))
    for name, value in named:
        if isinstance(value, str) and isinstance(read, dict):
            if why := _why_no_secret(name, value):
                yield Skipped(name, why)
        elif not isinstance(value, dict) or not _object(name if isinstance(read, dict) else _called(value), value):
            yield Skipped(name, "it names no key")


def _skipped_line(number: int, line: str) -> Skipped | None:
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    matched = _LINE.fullmatch(line)
    if matched is None:
        return Skipped(f"Line {number}", "it is not NAME=value")
    why = _why_no_secret(matched[1], _value(matched[2].strip()))
    return Skipped(matched[1], why) if why else None


def _called(value: Mapping[str, object]) -> str:
    return str(value.get("api_name") or value.get("name") or "")


def _value(text: str) -> str:
    """As a shell reads it: quotes off, a comment behind a blank off."""
    if text[:1] in ("'", '"') and text.find(text[0], 1) > 0:
        quoted = text[1 : text.rfind(text[0])]
        return re.sub(r"\\[nt\"\\]", lambda one: _ESCAPES[one[0]], quoted) if text[0] == '"' else quoted
    return _COMMENT.split(text, maxsplit=1)[0].strip()


def _is_secret(name: str, value: str) -> bool:
    return not _why_no_secret(name, value)


def _why_no_secret(name: str, value: str) -> str:
    """Empty for a secret."""
    if not value:
        return "it is empty"
    if len(value) < SHORTEST_SECRET:
        return f"shorter than {SHORTEST_SECRET} characters"
    if "://" in value:
        return "it is an address"
    return "by its name it is a setting" if _NO_SECRET.search(name) else ""
