"""Roles and permissions as data: what may be done, and which role carries it. Who has a role where: `accounts.models`."""

from __future__ import annotations

from enum import StrEnum


class Perm(StrEnum):
    """One right. Account-scoped ones count per AWS account; the others for the whole installation."""

    # for everybody who is signed in: their own profile, tokens, expenses and keys
    SELF = "self"
    # per AWS account
    ACCOUNTS_VIEW = "accounts.view"
    ACCOUNTS_VERIFY = "accounts.verify"
    COSTS_VIEW = "costs.view"
    COSTS_REFRESH = "costs.refresh"
    ANOMALIES_MANAGE = "anomalies.manage"
    SAVINGS_DECIDE = "savings.decide"
    COSTS_BUDGET = "costs.budget"
    RESOURCES_VIEW = "resources.view"
    RESOURCES_REFRESH = "resources.refresh"
    RESOURCES_OPERATE = "resources.operate"
    RESOURCES_APPROVE = "resources.approve"
    OBJECTS_READ = "objects.read"
    # for the whole installation
    ACCOUNTS_MANAGE = "accounts.manage"
    PEOPLE_MANAGE = "people.manage"
    AUDIT_VIEW_ALL = "audit.view_all"
    NOTIFICATIONS_MANAGE = "notifications.manage"


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_VIEWER = frozenset({Perm.SELF, Perm.ACCOUNTS_VIEW, Perm.COSTS_VIEW, Perm.RESOURCES_VIEW})
_OPERATOR = _VIEWER | {
    Perm.ACCOUNTS_VERIFY,
    Perm.COSTS_REFRESH,
    Perm.ANOMALIES_MANAGE,
    Perm.SAVINGS_DECIDE,
    Perm.COSTS_BUDGET,
    Perm.RESOURCES_REFRESH,
    Perm.RESOURCES_OPERATE,
    Perm.RESOURCES_APPROVE,
    Perm.OBJECTS_READ,
}
_ADMIN = frozenset(Perm)

ROLE_PERMISSIONS: dict[Role, frozenset[Perm]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _ADMIN,
}

ACCOUNT_SCOPED = _OPERATOR - {Perm.SELF}

_RANK = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


def roles_with(permission: Perm) -> frozenset[Role]:
    """The roles that carry `permission`."""
    return frozenset(role for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions)


def lower_of(first: Role, second: Role) -> Role:
    """The role that allows less. A grant never lifts a person above the role they hold."""
    return first if _RANK[first] <= _RANK[second] else second
