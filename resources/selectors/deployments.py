"""Which function somebody means who wants to invoke or change it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Function
from resources.selectors.functions import FunctionNotFound


class AmbiguousFunction(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "ambiguous_target"
    title = "Several functions have this name"


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """A function by its name and where it is. The inventory need not know it."""

    account: AwsAccount
    region: str
    name: str


def function_for(user: User, name: str, permission: Perm, *, account: str = "", region: str = "") -> FunctionPlace:
    """The function called `name`. With account and region it may be one that the inventory does not know yet.

    Raises FunctionNotFound, AmbiguousFunction, AccountNotFound, or NotAllowedHere when it may only be seen.
    """
    if account and region:
        return FunctionPlace(aws_accounts.get_for(user, account, permission), region, name)
    seen = Function.objects.present().visible_to(user, Perm.RESOURCES_VIEW).filter(name=name)
    if account:
        seen = seen.filter(account=aws_accounts.get_for(user, account, Perm.RESOURCES_VIEW))
    if region:
        seen = seen.filter(region=region)
    found = list(seen.select_related("account__hub")[:2])
    if not found:
        raise FunctionNotFound("There is no such function, or none that you may see. Name account and region of a new one.")
    if len(found) > 1:
        raise AmbiguousFunction(f"Several functions are called {name}: name the account and the region.")
    aws_accounts.require(user, found[0].account, permission)
    return FunctionPlace(found[0].account, found[0].region, name)
