"""Every kind of alert there is, and how grave one may be. Apps above register theirs in a module of this name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody has to know: INFO may wait for a digest, CRITICAL may wake people up."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True)
class AlertKind:
    """`name` is stable: rows, routes and receivers of webhooks know it. `title` is what people choose from."""

    name: str
    title: str


REGISTRY: dict[str, AlertKind] = {}


class DuplicateKind(ValueError):
    """Two places registered the same name with different titles."""


def register(name: str, title: str) -> AlertKind:
    """Add a kind of alert. The same one twice is the same one."""
    kind = AlertKind(name, title)
    if REGISTRY.setdefault(name, kind) != kind:
        raise DuplicateKind(name)
    return kind


def title_of(name: str) -> str:
    """The title of the kind called `name`; a kind that is no longer known is told by its name alone."""
    kind = REGISTRY.get(name)
    return kind.title if kind else name


CREDENTIALS_EXPIRING = register("accounts.credentials_expiring", "Credentials that run out")
