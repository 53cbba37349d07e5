"""Reading invitations: for those who manage people."""

from __future__ import annotations

from accounts.models import Invitation, User
from accounts.models.keys import InvitationQuerySet
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class InvitationNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "invitation_not_found"
    title = "Not found"


def open_ones(user: User) -> InvitationQuerySet:
    """Those that still let somebody in, newest first."""
    visible = Invitation.objects.visible_to(user, Perm.PEOPLE_MANAGE)
    return visible.open().select_related("invited_by").order_by("-created_at", "-pk")


def get_for(user: User, pk: int) -> Invitation:
    """Raises InvitationNotFound."""
    invitation = Invitation.objects.visible_to(user, Perm.PEOPLE_MANAGE).filter(pk=pk).first()
    if invitation is None:
        raise InvitationNotFound("There is no such invitation, or none that you may see.")
    return invitation
