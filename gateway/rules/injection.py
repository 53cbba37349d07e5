"""How a secret gets into a request: six schemes, each saying which headers, which parameter, or which part of the path."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, quote, urlencode

from gateway.rules.bindings import PLACEHOLDER
from gateway.rules.keys import AuthScheme
from gateway.rules.scrubbing import forms

SHORTEST_SECRET = 8
LONGEST_SECRET = 8192
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
# What frames a message or speaks for somebody else is no place for a key.
_NO_SLOT = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect", "cookie"}
)


class InvalidAuth(ValueError):
    """The scheme, its name, its template and the secret do not go together; its text is for people."""

    def __init__(self, detail: str, attr: str) -> None:
        super().__init__(detail)
        self.detail, self.attr = detail, attr


@dataclass(frozen=True)
class Injected:
    """What the secret adds. `parts` are the secret's own pieces, none of which may come back to anybody."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    in_path: str = field(default="", repr=False)
    parts: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def forms(self) -> tuple[bytes, ...]:
        """What a scrubber takes out."""
        return forms(self.parts)

    @property
    def slots(self) -> frozenset[str]:
        """The headers that the key fills, in lower case: a caller's own of these names are not sent."""
        return frozenset(name.lower() for name, _ in self.headers)

    def target(self, target: str) -> str:
        """A path with its query, with the secret where it belongs. A parameter of the caller's of the same name goes."""
        path, _, query = target.partition("?")
        if self.in_path:
            path = path.replace(PLACEHOLDER, self.in_path, 1)
        if self.query:
            names = {name for name, _ in self.query}
            kept = [part for part in query.split("&") if part and _name_of(part) not in names]
            query = "&".join([*kept, urlencode(self.query, quote_via=quote)])
        return f"{path}{'?' if query else ''}{query}"


def injected(scheme: AuthScheme, name: str, template: str, secret: str) -> Injected:
    """Raises InvalidAuth for what could not be sent."""
    match scheme:
        case AuthScheme.BEARER:
            return _headers({"Authorization": f"Bearer {secret}"}, (secret,))
        case AuthScheme.HEADER:
            return _headers({name: (template or PLACEHOLDER).replace(PLACEHOLDER, secret)}, (secret,))
        case AuthScheme.BASIC:
            pair = f"{name}:{secret}" if name else secret if ":" in secret else f"{secret}:"
            encoded = base64.b64encode(pair.encode()).decode()
            return _headers({"Authorization": f"Basic {encoded}"}, (secret, *secret.split(":", 1), encoded))
        case AuthScheme.QUERY:
            return Injected(query=((name, secret),), parts=(secret,))
        case AuthScheme.HEADERS:
            found = several(secret)
            return _headers(found, tuple(found.values()))
        case AuthScheme.PATH:
            return Injected(in_path=quote(secret, safe=":"), parts=(secret,))


def several(secret: str) -> dict[str, str]:
    """The headers of `Name: value` lines. Raises InvalidAuth."""
    found: dict[str, str] = {}
    for line in secret.splitlines():
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not value or not _TOKEN.fullmatch(name) or name.lower() in {known.lower() for known in found}:
            raise InvalidAuth("Write one header on each line, as “Name: value”, each name once.", "api_key")
        found[name] = value
    return found


def check(scheme: AuthScheme, name: str, template: str, secret: str, prefix: str) -> None:
    """Raises InvalidAuth for what does not go together. `prefix`: the path of the base address."""
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise InvalidAuth(f"A key has {SHORTEST_SECRET} to {LONGEST_SECRET} characters.", "api_key")
    check_place(scheme, name, template, prefix)
    made = injected(scheme, name, template, secret)
    if not all(_VALUE.fullmatch(value) for _, value in made.headers):
        raise InvalidAuth("A key holds visible characters without line breaks.", "api_key")
    if scheme is AuthScheme.HEADERS and not made.headers:
        raise InvalidAuth("Write one header on each line, as “Name: value”.", "api_key")
    if any(len(value) < SHORTEST_SECRET for value in made.parts) and scheme is AuthScheme.HEADERS:
        raise InvalidAuth(f"Each value has at least {SHORTEST_SECRET} characters.", "api_key")
    if made.slots & _NO_SLOT:
        raise InvalidAuth("This header is written by the proxy itself.", "api_key")


def check_place(scheme: AuthScheme, name: str, template: str, prefix: str) -> None:
    """The same without the secret, for what is said about where it goes."""
    if scheme is AuthScheme.HEADER and (not _TOKEN.fullmatch(name) or name.lower() in _NO_SLOT):
        raise InvalidAuth("Name the header that carries the key, such as X-Api-Key.", "auth_name")
    if scheme is AuthScheme.HEADER and template and template.count(PLACEHOLDER) != 1:
        raise InvalidAuth("The template holds {key} once, such as “Token {key}”.", "auth_template")
    if scheme is AuthScheme.QUERY and not re.fullmatch(r"[A-Za-z0-9._\[\]-]{1,100}", name):
        raise InvalidAuth("Name the query parameter that carries the key, such as api_key.", "auth_name")
    if scheme is AuthScheme.BASIC and (":" in name or not name.isprintable()):
        raise InvalidAuth("A user name has no colon.", "auth_name")
    if scheme is AuthScheme.PATH and prefix and prefix.count(PLACEHOLDER) != 1:
        raise InvalidAuth("The base address holds {key} once, where the key goes.", "base_url")
    if scheme is not AuthScheme.PATH and PLACEHOLDER in prefix:
        raise InvalidAuth("Only the scheme “path” puts the key into the address.", "base_url")


def hint(scheme: AuthScheme, secret: str) -> str:
    """The last four characters, of a secret that is long enough to spare them."""
    last = list(several(secret).values())[-1] if scheme is AuthScheme.HEADERS else secret
    return last[-4:] if len(last) >= 2 * SHORTEST_SECRET else ""


def _headers(headers: dict[str, str], parts: tuple[str, ...]) -> Injected:
    return Injected(headers=tuple(headers.items()), parts=parts)


def _name_of(part: str) -> str:
    pairs = parse_qsl(part, keep_blank_values=True)
    return pairs[0][0] if pairs else part
