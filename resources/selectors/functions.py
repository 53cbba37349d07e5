"""Which function somebody means."""

from __future__ import annotations

from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Function


class FunctionNotFound(CloudconsoleError):
    """The inventory knows none of that name there, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "function_not_found"
    title = "Not found"


def at(user: User, account_id: int, region: str, name: str, permission: Perm) -> Function:
    """The function of one place. Raises FunctionNotFound, or NotAllowedHere when it may only be seen."""
    seen = Function.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account__hub")
    row = seen.filter(account_id=account_id, region=region, name=name).first()
    if row is None:
        raise FunctionNotFound("There is no such function, or none that you may see.")
    if permission != Perm.RESOURCES_VIEW:
        aws_accounts.require(user, row.account, permission)
    return row
