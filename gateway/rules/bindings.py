"""To what a key is bound, and whether an address lies within: scheme, host, port, the path's beginning, globs and methods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from cloudconsole.net.addresses import Address

PLACEHOLDER = "{key}"
_MOST_DECODINGS = 4
_GLOB = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_SUFFIX = re.compile(r";.*")


@dataclass(frozen=True)
class Binding:
    """`base` without a query; `methods` and `paths` (globs below the base) are empty where everything is allowed."""

    base: Address
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The path that every address begins with, without a slash at its end."""
        return self.base.target.rstrip("/")

    def is_origin_of(self, address: Address) -> bool:
        return (address.scheme, address.host, address.port) == (self.base.scheme, self.base.host, self.base.port)

    def joined(self, path: str, query: str = "") -> str:
        """The address of `path`, as it is written, below the base."""
        below = f"/{path.lstrip('/')}" if path else ""
        return f"{self.base.scheme}://{self.base.netloc}{self.prefix}{below}{'?' if query else ''}{query}"

    def why_not(self, method: str, address: Address) -> str:
        """Why nothing is sent there with the key; empty when it may be."""
        if not self.is_origin_of(address):
            return f"This key is bound to {self.base.scheme}://{self.base.netloc}; it is sent nowhere else."
        if self.methods and method not in self.methods:
            return f"This key is allowed for {', '.join(self.methods)} alone."
        path = address.target.partition("?")[0]
        if climbs(path):
            return "A path that goes up is not sent."
        below = self.below(path)
        if below is None:
            return f"This key is bound to paths below {self.prefix or '/'}."
        if self.paths and not any(_pattern(glob).fullmatch(_decoded(below)) for glob in self.paths):
            return f"This key is allowed for {', '.join(self.paths)} alone."
        return ""

    def below(self, path: str) -> str | None:
        """The rest of `path` behind the base, with its slash; None when it lies elsewhere."""
        if path == self.prefix:
            return "/"
        return path[len(self.prefix) :] if path.startswith(f"{self.prefix}/") else None


def climbs(path: str) -> bool:
    """Whether any reader could take a part of it for a step up or for nothing: dots, however they are written."""
    return any(_SUFFIX.sub("", part) in (".", "..") for part in _decoded(path).replace("\\", "/").split("/"))


def is_glob(text: str) -> bool:
    """`*` stands for anything within a segment, `**` for anything."""
    return _GLOB.fullmatch(text) is not None and not climbs(text.replace("*", ""))


def _decoded(path: str) -> str:
    """`path` with every percent-encoding taken off, also of what was encoded more than once."""
    for _ in range(_MOST_DECODINGS):
        plain = unquote(path, errors="replace")
        if plain == path:
            break
        path = plain
    return path


@lru_cache(maxsize=512)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", glob)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def normalised_methods(given: Sequence[str]) -> list[str]:
    """Each once, in capitals."""
    return list(dict.fromkeys(method.strip().upper() for method in given if method.strip()))
