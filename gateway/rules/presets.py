"""Well-known APIs, as described in `presets.toml`: what a new key is filled in with, and how its limits are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.rules.rate_limits import Profile
from gateway.rules.rate_windows import Dialect
from gateway.rules.reset_times import Kind

_FILE = Path(__file__).with_name("presets.toml")
# Resets that their own size would tell wrongly.
_RESETS = {
    Dialect.PRISJAKT: Kind.DELTA_MS,
    Dialect.GITLAB: Kind.EPOCH_S,
    Dialect.REDDIT: Kind.DELTA_S,
    Dialect.TOGGL: Kind.DELTA_S,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """`scheme`, `auth_name`, `template`: as a key stores them; `{key}` stands for the secret. `headers` go with every request.

    `variables`: the names under which the key is usually kept. `prefixes` begin the secrets of this service and of no other.
    """

    slug: str
    name: str
    base_url: str
    scheme: str
    auth_name: str = ""
    template: str = ""
    test_path: str = ""
    test_method: str = "GET"
    dialect: Dialect | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def needs_filling(self) -> bool:
        """Whether a part of the address is the customer's own."""
        return "{" in self.base_url.replace("{key}", "")

    @property
    def profile(self) -> Profile | None:
        return profile(self.dialect.value if self.dialect else "")


def _loaded() -> Mapping[str, Preset]:
    described = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {slug: _preset(slug, parts) for slug, parts in described.items()}


def _preset(slug: str, parts: Mapping[str, Any]) -> Preset:
    def text(name: str, default: str = "") -> str:
        return str(parts.get(name, default))

    return Preset(
        slug,
        text("name"),
        text("base_url"),
        text("scheme"),
        text("auth_name"),
        text("template", "{key}" if text("scheme") == "header" else ""),
        text("test_path"),
        text("test_method", "GET"),
        Dialect(text("dialect")) if "dialect" in parts else None,
        dict(parts.get("headers", {})),
        tuple(parts.get("variables", ())),
        tuple(parts.get("prefixes", ())),
    )


BY_SLUG = _loaded()
PRESETS = tuple(BY_SLUG.values())


def for_host(host: str) -> Preset | None:
    """The service that lives on this host."""
    return next((preset for preset in PRESETS if _lives_on(preset, host.lower())), None)


def name_of_host(netloc: str) -> str:
    """What the service on this host, with or without a port, is called; empty where it is not well known."""
    preset = for_host(netloc.partition(":")[0])
    return preset.name if preset else ""


def dialects() -> list[tuple[str, str]]:
    """How limits can be told, each under the name of the service that is best known for it."""
    names = {preset.dialect: preset.name for preset in reversed(PRESETS) if preset.dialect}
    told = [one for one in Dialect if one not in (Dialect.RETRY_AFTER, Dialect.GENERIC, Dialect.MANUAL)]
    return [(one.value, names.get(one) or one.value.replace("_", " ").capitalize().replace("Ietf", "IETF")) for one in told]


def for_variable(name: str) -> Preset | None:
    """The service whose key is usually kept under this name."""
    return next((preset for preset in PRESETS if name.upper() in preset.variables), None)


def for_secret(secret: str) -> Preset | None:
    """The service whose secrets begin like this one: of several the one that says most."""
    fitting = [(len(prefix), preset) for preset in PRESETS for prefix in preset.prefixes if secret.startswith(prefix)]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def profile(dialect: str, slug: str = "") -> Profile | None:
    """What a key's dialect, or else its preset's, says of reading limits; None leaves it to the answer."""
    preset = BY_SLUG.get(slug)
    named = Dialect(dialect) if dialect in set(Dialect) else (preset.dialect if preset else None)
    return Profile(named, _RESETS.get(named, Kind.BY_SIZE)) if named else None


def _lives_on(preset: Preset, host: str) -> bool:
    before, brace, rest = preset.host.partition("{")
    if not brace:
        return host == preset.host
    after = rest.partition("}")[2]
    return host.startswith(before) and host.endswith(after) and "." not in host[len(before) : -len(after)]
