"""Where something new is to be made."""

from __future__ import annotations

from accounts.models import AwsAccount
from accounts.services.inputs import InvalidInput, region_names
from cloudconsole.core.errors import CloudconsoleError


class UnknownRegion(CloudconsoleError):
    code = "unknown_region"
    title = "There is no such region for the account"


def region_in(account: AwsAccount, name: str) -> str:
    """The region called `name`, which the account can use as far as is known. Raises UnknownRegion."""
    try:
        [region] = region_names([name])
    except InvalidInput as error:
        raise UnknownRegion(error.detail, attr="region") from error
    if account.enabled_regions and region not in account.enabled_regions:
        raise UnknownRegion(f"{region} is not enabled for “{account.alias}”.", attr="region")
    return region
