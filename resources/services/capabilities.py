"""Whether a person has chosen that Cloudconsole may do something in an account."""

from __future__ import annotations

from accounts.models import AwsAccount, User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class CapabilityOff(CloudconsoleError):
    """Nobody has switched it on for the account, so AWS is not even asked."""

    kind = Kind.CONFLICT
    code = "capability_off"
    title = "This is switched off for the account"
    remedy = "Switch it on at the account (Edit → Capabilities), and attach the new policy in AWS."


def is_on(account: AwsAccount, capability: str) -> bool:
    return capability in account.capabilities


def operable(user: User, capability: str) -> list[AwsAccount]:
    """The accounts in which `user` may operate and in which this is on, by alias: where something new may be made."""
    allowed = AwsAccount.objects.visible_to(user, Perm.RESOURCES_OPERATE).order_by("alias")
    return [account for account in allowed if is_on(account, capability)]


def require(account: AwsAccount, capability: str) -> None:
    """Raises CapabilityOff."""
    if not is_on(account, capability):
        raise CapabilityOff(f"The capability “{capability}” is off for “{account.alias}”.")
