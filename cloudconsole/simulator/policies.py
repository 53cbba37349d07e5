"""IAM policies as data, and the decision they come to for one action on one resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


class Decision(StrEnum):
    """The values of `EvalDecision` in IAM's policy simulator."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True, slots=True)
class Statement:
    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)

    def covers(self, action: str, resource: str) -> bool:
        """Action names match without regard to case, resources with it (IAM user guide, policy elements)."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions) and any(
            fnmatchcase(resource, pattern) for pattern in self.resources
        )


def decide(statements: Sequence[Statement], action: str, resource: str = "*") -> Decision:
    """An explicit deny wins, then any allow, else nobody allowed it."""
    covering = [statement for statement in statements if statement.covers(action, resource)]
    if any(statement.effect is Effect.DENY for statement in covering):
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if covering else Decision.IMPLICIT_DENY


def allow(*actions: str, resources: tuple[str, ...] = ("*",)) -> Statement:
    return Statement(Effect.ALLOW, actions, resources)


def deny(*actions: str) -> Statement:
    return Statement(Effect.DENY, actions)
