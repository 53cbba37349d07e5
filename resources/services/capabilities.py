"""Whether a person has chosen that Cloudconsole may do something in an account."""

from __future__ import annotations

from accounts.models import AwsAccount
from cloudconsole.core.errors import CloudconsoleError, Kind


class CapabilityOff(CloudconsoleError):
    """Nobody has switched it on for the account, so AWS is not even asked."""

    kind = Kind.CONFLICT
    code = "capability_off"
    title = "This is switched off for the account"
    remedy = "Switch it on at the account (Edit → Capabilities), and attach the new policy in AWS."


def is_on(account: AwsAccount, capability: str) -> bool:
    return capability in account.capabilities


def require(account: AwsAccount, capability: str) -> None:
    """Raises CapabilityOff."""
    if not is_on(account, capability):
        raise CapabilityOff(f"The capability “{capability}” is off for “{account.alias}”.")
