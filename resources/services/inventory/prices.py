"""List prices of the instance types that run here, and of what else is billed here, asked once a month for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import structlog

from accounts.models import AwsAccount, Status
from accounts.services import credentials
from cloudconsole.aws import prices
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.prices import PRODUCTS
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Address, Function, Instance, InstancePrice, ListPrice, LoadBalancer, LogGroup, Snapshot, Volume
from resources.rules.generations import successor

log = structlog.get_logger(__name__)

FETCH = "resources.fetch_prices"
CAPABILITY = "prices"
_KEPT = timedelta(days=30)
_AT_ONCE = 50


def fetch() -> int:
    """Ask for prices that are missing or old, a bounded number at a time; the number of those that were told."""
    wanted, products = _wanted(), _wanted_products()
    accesses = _accesses() if wanted or products else []
    for access in accesses:
        try:
            told = sum(_fetch(access, *one) for one in wanted)
            return told + sum(_fetch_product(access, *one) for one in products)
        except CloudconsoleError as error:
            log.warning("prices_not_fetched", code=error.code)  # estimates stay unknown; the next run asks again
    return 0


def _wanted() -> list[tuple[str, str, str]]:
    known = InstancePrice.objects.filter(fetched_at__gte=clock.now() - _KEPT)
    fresh = set(known.values_list("region", "instance_type", "operating_system"))
    running = Instance.objects.present().filter(lifecycle__in=["", "on-demand"]).exclude(platform="")
    there = set(running.order_by().values_list("region", "instance_type", "platform").distinct())
    successors = {(region, newer, platform) for region, older, platform in there if (newer := successor(older))}
    return sorted((there | successors) - fresh)[:_AT_ONCE]


def _wanted_products() -> list[tuple[str, str]]:
    known = ListPrice.objects.filter(fetched_at__gte=clock.now() - _KEPT)
    fresh = set(known.values_list("region", "product"))
    return sorted(set(_products()) - fresh)[:_AT_ONCE]


def _products() -> Iterator[tuple[str, str]]:
    """Region and product of everything that a saving may be counted of."""
    for region, kind in Volume.objects.present().order_by().values_list("region", "volume_type").distinct():
        wanted = (kind, "gp3", "gp3.iops", "gp3.throughput") if kind == "gp2" else (kind,)
        yield from ((region, f"ebs.{name}") for name in wanted if f"ebs.{name}" in PRODUCTS)
    for region, tier in Snapshot.objects.present().order_by().values_list("region", "tier").distinct():
        if f"snapshot.{tier}" in PRODUCTS:
            yield region, f"snapshot.{tier}"
    for (region,) in Address.objects.present().filter(associated_with="").order_by().values_list("region").distinct():
        yield region, "address.idle"
    for region, kind in LoadBalancer.objects.present().filter(healthy=0).order_by().values_list("region", "kind").distinct():
        if f"balancer.{kind}" in PRODUCTS:
            yield region, f"balancer.{kind}"
    for (region,) in LogGroup.objects.present().filter(retention_days=None).order_by().values_list("region").distinct():
        yield region, "logs.storage"
    for region, architectures in _architectures():
        yield from ((region, name) for one in architectures if (name := f"lambda.gb_second.{one}") in PRODUCTS)


def _architectures() -> Iterator[tuple[str, list[str]]]:
    """Of functions whose use of memory is known."""
    measured = Function.objects.present().exclude(memory_used_mb=None).order_by()
    yield from measured.values_list("region", "architectures").distinct()


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


def _fetch_product(access: Access, region: str, product: str) -> bool:
    price = prices.listed(access, region, product)
    ListPrice.objects.update_or_create(
        region=region,
        product=product,
        defaults={
            "amount": price.amount if price else None,
            "currency": price.currency if price else "",
            "effective_on": price.effective_on if price else None,
            "fetched_at": clock.now(),
        },
    )
    return price is not None
