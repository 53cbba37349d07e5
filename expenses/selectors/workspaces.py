"""Which workspaces somebody sees, and what they may do in them."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import Workspace, WorkspaceMember
from expenses.rules.statuses import MemberRole, at_least


class NoSuchWorkspace(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such workspace"


class NotAllowed(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "workspace_role"
    title = "Your role in this workspace does not allow that"


def get_for(user: User | AnonymousUser, pk: int) -> Workspace:
    """Raises NoSuchWorkspace also for one that `user` is not in."""
    found = Workspace.objects.visible_to(user, Perm.SELF).filter(pk=pk).first()
    if found is None:
        raise NoSuchWorkspace("There is no workspace with this number.")
    return found


def role_of(user: User, workspace: Workspace) -> MemberRole | None:
    """As what `user` is in it. An admin is a manager everywhere."""
    if user.is_admin:
        return MemberRole.MANAGER
    member = WorkspaceMember.objects.filter(workspace=workspace, user=user).first()
    return None if member is None else MemberRole(member.role)


def may(user: User, workspace: Workspace, needed: MemberRole) -> bool:
    role = role_of(user, workspace)
    return role is not None and at_least(role, needed)


def require(user: User, workspace: Workspace, needed: MemberRole) -> None:
    """Raises NotAllowed, and NoSuchWorkspace for a stranger."""
    role = role_of(user, workspace)
    if role is None:
        raise NoSuchWorkspace("There is no workspace with this number.")
    if not at_least(role, needed):
        raise NotAllowed(f"This takes a {needed.value} of “{workspace.name}”; you are a {role.value}.")
