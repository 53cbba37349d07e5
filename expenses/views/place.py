"""In which workspace a page is, and what its reader may do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.requests import SignedInRequest
from expenses.models import Workspace
from expenses.rules.statuses import MemberRole, at_least
from expenses.selectors import workspaces as selectors
from expenses.services import workspaces as services


@dataclass(frozen=True)
class Place:
    """`choices`: the workspaces that the reader can go to."""

    workspace: Workspace
    role: MemberRole
    choices: Sequence[Workspace]

    @property
    def is_personal(self) -> bool:
        return self.workspace.personal_of_id is not None

    @property
    def may_add(self) -> bool:
        return at_least(self.role, MemberRole.CONTRIBUTOR)

    @property
    def may_decide(self) -> bool:
        return at_least(self.role, MemberRole.APPROVER)

    @property
    def may_manage(self) -> bool:
        return at_least(self.role, MemberRole.MANAGER)

    def url(self, name: str, *args: object, **parameters: str) -> str:
        """The address of a page of the expenses in this workspace."""
        return f"{reverse(f'expenses:{name}', args=args)}?{urlencode({'workspace': self.workspace.pk, **parameters})}"


def place_of(request: SignedInRequest) -> Place:
    """What `workspace` in the address names; without one the reader's own. Raises NoSuchWorkspace."""
    given = request.POST.get("workspace") or request.GET.get("workspace", "")
    own = services.personal(request.user)
    if given.isascii() and given.isdecimal() and len(given) < 16:
        workspace = selectors.get_for(request.user, int(given))
    elif given:
        raise selectors.NoSuchWorkspace("There is no workspace with this number.")
    else:
        workspace = own
    return place_in(request.user, workspace)


def place_in(user: User, workspace: Workspace) -> Place:
    role = selectors.role_of(user, workspace)
    if role is None:
        raise selectors.NoSuchWorkspace("There is no workspace with this number.")
    mine = list(Workspace.objects.of(user).order_by("name"))
    return Place(workspace, role, mine if workspace in mine else [*mine, workspace])


def back(place: Place, name: str = "list", *args: object, **parameters: str) -> HttpResponse:
    return redirect(place.url(name, *args, **parameters))
