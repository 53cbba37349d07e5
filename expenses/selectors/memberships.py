"""Who is in a workspace."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from accounts.models import User
from cloudconsole.core.permissions import Perm
from expenses.models import Workspace, WorkspaceMember


def members(user: User, workspace: Workspace) -> QuerySet[WorkspaceMember]:
    """Seen by whoever sees the workspace."""
    seen = Workspace.objects.visible_to(user, Perm.SELF).filter(pk=workspace.pk)
    return WorkspaceMember.objects.filter(workspace__in=seen).select_related("user").order_by("user__username")


def mine(user: User) -> QuerySet[Workspace]:
    """The workspaces that `user` is in, with how many people are in each."""
    return Workspace.objects.of(user).annotate(people=Count("memberships")).order_by("name")


def person_by_id(user_id: int) -> User | None:
    """Somebody who may be let in: whoever is here."""
    return User.objects.filter(pk=user_id, is_active=True).first()


def person_by_name(username: str) -> User | None:
    """The same by the name, in any case."""
    return User.objects.filter(username__iexact=username.strip(), is_active=True).first()
