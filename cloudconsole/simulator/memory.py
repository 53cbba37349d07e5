"""What the simulator keeps over a restart: the day its story is told around, and the roles that were made.

Without it a demo that starts again on another day would tell another history, and would not know the external ids that
the product has registered.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cloudconsole.simulator.organization import Role, policy_of

_KEPT = ("account_id", "name", "trusted_principal", "external_id", "max_session_s")


class UnreadableMemory(RuntimeError):
    """The file is not one of ours; its path is in the message."""


@dataclass(frozen=True, slots=True)
class Memory:
    origin: date
    roles: tuple[Role, ...] = ()


def load(path: Path, *, otherwise: date) -> Memory:
    """What `path` holds; a memory that starts at `otherwise` where there is no such file."""
    if not path.exists():
        return Memory(otherwise)
    try:
        found = json.loads(path.read_text())
        roles = tuple(Role(policy=policy_of(role["account_id"]), **role) for role in found["roles"])
        return Memory(date.fromisoformat(found["origin"]), roles)
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableMemory(f"{path} cannot be read: {error}") from error


def save(path: Path, origin: date, roles: Iterable[Role]) -> None:
    """Write `path` whole or not at all."""
    text = json.dumps({"origin": origin.isoformat(), "roles": [_kept(role) for role in roles]}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.write_text(text)
    half.replace(path)


def _kept(role: Role) -> dict[str, Any]:
    everything = dataclasses.asdict(role)
    return {name: everything[name] for name in _KEPT}
