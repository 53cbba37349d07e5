"""List prices of the instance types that run here, asked once a month for each."""

from __future__ import annotations

from datetime import timedelta

import structlog

from accounts.models import AwsAccount, Status
from accounts.services import credentials
from cloudconsole.aws import prices
from cloudconsole.aws.credentials import Access
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Instance, InstancePrice

log = structlog.get_logger(__name__)

FETCH = "resources.fetch_prices"
CAPABILITY = "prices"
_KEPT = timedelta(days=30)
_AT_ONCE = 50


def fetch() -> int:
    """Ask for prices that are missing or old, a bounded number at a time; the number of those that were told."""
    wanted = _wanted()
    accesses = _accesses() if wanted else []
    for access in accesses:
        try:
            return sum(_fetch(access, *one) for one in wanted)
        except CloudconsoleError as error:
            log.warning("prices_not_fetched", code=error.code)  # estimates stay unknown; the next run asks again
    return 0


def _wanted() -> list[tuple[str, str, str]]:
    known = InstancePrice.objects.filter(fetched_at__gte=clock.now() - _KEPT)
    fresh = set(known.values_list("region", "instance_type", "operating_system"))
    running = Instance.objects.present().filter(lifecycle__in=["", "on-demand"]).exclude(platform="")
    there = running.order_by().values_list("region", "instance_type", "platform").distinct()
    return sorted(set(there) - fresh)[:_AT_ONCE]


def _accesses() -> list[Access]:
    """The accounts that may ask, one after the other: the price list is the same for all of them."""
    asked = AwsAccount.objects.filter(deleted_at=None, status__in=[Status.OK, Status.DEGRADED]).select_related("hub")
    found = []
    for account in (account for account in asked.order_by("alias") if CAPABILITY in account.capabilities):
        try:
            found.append(credentials.access_for(account, None))
        except CloudconsoleError as error:
            log.warning("prices_not_fetched", account=account.pk, code=error.code)
    return found


def _fetch(access: Access, region: str, instance_type: str, platform: str) -> bool:
    price = prices.on_demand_hourly(access, region, instance_type, platform)
    InstancePrice.objects.update_or_create(
        region=region,
        instance_type=instance_type,
        operating_system=platform,
        defaults={
            "amount": price.amount if price else None,
            "currency": price.currency if price else "",
            "effective_on": price.effective_on if price else None,
            "fetched_at": clock.now(),
        },
    )
    return price is not None
