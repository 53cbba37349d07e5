"""The organization's tree of units, and the tags of its accounts, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudconsole.simulator.organization import (
    DEVELOPMENT,
    MANAGEMENT,
    ORGANIZATION_ID,
    PRODUCTION,
    SANDBOX,
    STAGING,
    TEAMS,
    Account,
)

ROOT_ID = "r-cc01"


@dataclass(frozen=True, slots=True)
class Unit:
    """An organizational unit; the root is the one without a parent."""

    id: str
    name: str
    parent: str | None

    @property
    def arn(self) -> str:
        kind = "ou" if self.parent else "root"
        return f"arn:aws:organizations::{MANAGEMENT}:{kind}/{ORGANIZATION_ID}/{self.id}"


def _unit(name: str, key: str, parent: str = ROOT_ID) -> Unit:
    return Unit(f"ou-cc01-{key:0>8}", name, parent)


ROOT = Unit(ROOT_ID, "Root", None)
WORKLOADS = _unit("Workloads", "work")
_PRODUCTION = _unit("Production", "workprod", WORKLOADS.id)
_BEFORE = _unit("Before production", "workbefo", WORKLOADS.id)
_PLAYGROUND = _unit("Playground", "play")
_TEAMS = _unit("Teams", "teams")
_TEAM_UNITS = [_unit(f"Team {number}", f"team{number}", _TEAMS.id) for number in range(1, TEAMS + 1)]

UNITS: dict[str, Unit] = {unit.id: unit for unit in (ROOT, WORKLOADS, _PRODUCTION, _BEFORE, _PLAYGROUND, _TEAMS, *_TEAM_UNITS)}
_HOMES = {MANAGEMENT: ROOT, PRODUCTION: _PRODUCTION, STAGING: _BEFORE, DEVELOPMENT: _BEFORE, SANDBOX: _PLAYGROUND}
_TEAM = re.compile(r"team-(?P<number>\d+)-\d+")


def home_of(account: Account) -> Unit:
    """The unit that an account is in."""
    team = _TEAM.fullmatch(account.name)
    return _TEAM_UNITS[int(team["number"]) - 1] if team else _HOMES[account.account_id]


def children_of(parent: str) -> list[Unit]:
    return [unit for unit in UNITS.values() if unit.parent == parent]


def tags_of(account: Account) -> dict[str, str]:
    team = _TEAM.fullmatch(account.name)
    return {"team": f"team-{team['number']}", "cost-center": f"{4000 + int(team['number'])}"} if team else {"team": "platform"}
