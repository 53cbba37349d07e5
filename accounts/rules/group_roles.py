"""Which role the groups of a person's identity provider give."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cloudconsole.core.permissions import Role, lower_of


def role_of_groups(groups: Collection[str], group_roles: Sequence[tuple[str, str]], default: str, ceiling: Role) -> Role | None:
    """The highest role that any of `groups` gives, never above `ceiling`; None for whom nothing lets in."""
    given = [Role(role) for group, role in group_roles if group in groups]
    if not given and default == "none":
        return None
    order = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    return lower_of(max(given, key=order.index) if given else Role(default), ceiling)
