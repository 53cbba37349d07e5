"""Runs that ask AWS what there is, as people follow them."""

from __future__ import annotations

from django.db.models import Prefetch

from accounts.models import AwsAccount, User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import InventorySync


class SyncNotFound(CloudconsoleError):
    """There is none, or none that the reader may see."""

    kind = Kind.NOT_FOUND
    code = "sync_not_found"
    title = "Not found"


def get_for(user: User, pk: int) -> InventorySync:
    """The run with those of its accounts that `user` may see. Raises SyncNotFound."""
    seen = AwsAccount.objects.visible_to(user, Perm.RESOURCES_VIEW)
    runs = InventorySync.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("requested_by")
    run = runs.prefetch_related(Prefetch("accounts", seen)).filter(pk=pk).first()
    if run is None:
        raise SyncNotFound("There is no such run, or none that you may see.")
    return run
