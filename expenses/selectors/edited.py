"""Edits that can still be undone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import Edit, Workspace

OFFERED_FOR: Final = timedelta(minutes=15)


class NoSuchEdit(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such change"


def get_for(user: User, pk: uuid.UUID) -> Edit:
    """Raises NoSuchEdit also for one in a workspace that `user` is not in."""
    found = Edit.objects.visible_to(user, Perm.SELF).select_related("workspace").filter(pk=pk).first()
    if found is None:
        raise NoSuchEdit("There is no change with this id, or it is too old to be undone.")
    return found


def last_of(user: User, workspace: Workspace) -> Edit | None:
    """What `user` changed last, when that was a moment ago and was not undone."""
    since = clock.now() - OFFERED_FOR
    mine = Edit.objects.visible_to(user, Perm.SELF).filter(workspace=workspace, by=user, created_at__gt=since)
    newest = mine.order_by("-created_at").first()
    return newest if newest is not None and newest.undone_at is None else None
