"""AWS's public list prices (Price List API reference, GetProducts). Every account may ask, and all get the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cloudconsole.aws import calls, regions, translation
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

if TYPE_CHECKING:
    from mypy_boto3_pricing.type_defs import FilterTypeDef

# What EC2 calls the platform of an instance → operating system and software of the price list (EC2 user guide, "AMI
# billing information fields"). What is missing here has no estimate.
_PRODUCTS: dict[str, tuple[str, str]] = {
    "Linux/UNIX": ("Linux", "NA"),
    "Red Hat BYOL Linux": ("Linux", "NA"),
    "Red Hat Enterprise Linux": ("RHEL", "NA"),
    "Red Hat Enterprise Linux with HA": ("Red Hat Enterprise Linux with HA", "NA"),
    "SUSE Linux": ("SUSE", "NA"),
    "Ubuntu Pro": ("Ubuntu Pro", "NA"),
    "SQL Server Enterprise": ("Linux", "SQL Ent"),
    "SQL Server Standard": ("Linux", "SQL Std"),
    "SQL Server Web": ("Linux", "SQL Web"),
    "Windows": ("Windows", "NA"),
    "Windows BYOL": ("Linux", "NA"),
    "Windows with SQL Server Enterprise": ("Windows", "SQL Ent"),
    "Windows with SQL Server Standard": ("Windows", "SQL Std"),
    "Windows with SQL Server Web": ("Windows", "SQL Web"),
}


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs on demand, of an instance an hour on shared hardware: before any discount, Savings Plan or tax."""

    amount: Decimal
    currency: str
    effective_on: date


def on_demand_hourly(access: Access, region: str, instance_type: str, operating_system: str) -> Price | None:
    """The list price of an hour; None where the list has none, or several that differ. Raises AwsError.

    `operating_system` is the platform as EC2 tells it of an instance: "Linux/UNIX", "Windows", ….
    """
    product = _PRODUCTS.get(operating_system)
    if product is None:
        return None
    filters = _filters(region, instance_type, *product)
    found = {price.amount: price for item in _price_list(access, region, filters) for price in _hourly(item)}
    return next(iter(found.values())) if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Product:
    """A line of the price list that is found by attributes: `usage` is its usage type without the region's prefix.

    `unit` is the one that the price is of; `per` divides it where the list counts in a larger one than is asked for.
    """

    service: str
    filters: tuple[tuple[str, str], ...]
    usage: str
    unit: str
    per: int = 1


# Names and units as the bulk price lists of AmazonEC2, AmazonVPC, AWSELB, AWSLambda and AmazonCloudWatch have them.
_STORAGE = {"gp2": "gp2", "gp3": "gp3", "io1": "piops", "io2": "io2", "st1": "st1", "sc1": "sc1"}
_BALANCERS = {"application": "Application", "network": "Network", "gateway": "Gateway"}
PRODUCTS: Mapping[str, Product] = {
    **{
        f"ebs.{name}": Product("AmazonEC2", (("volumeApiName", name),), f"EBS:VolumeUsage.{suffix}", "GB-Mo")
        for name, suffix in _STORAGE.items()
    },
    "ebs.standard": Product("AmazonEC2", (("volumeApiName", "standard"),), "EBS:VolumeUsage", "GB-Mo"),
    "ebs.gp3.iops": Product("AmazonEC2", (("volumeApiName", "gp3"),), "EBS:VolumeP-IOPS.gp3", "IOPS-Mo"),
    "ebs.gp3.throughput": Product("AmazonEC2", (("volumeApiName", "gp3"),), "EBS:VolumeP-Throughput.gp3", "GiBps-mo", per=1024),
    "snapshot.standard": Product("AmazonEC2", (("productFamily", "Storage Snapshot"),), "EBS:SnapshotUsage", "GB-Mo"),
    "snapshot.archive": Product("AmazonEC2", (("productFamily", "Storage Snapshot"),), "EBS:SnapshotArchiveStorage", "GB-Mo"),
    "address.idle": Product("AmazonVPC", (("group", "VPCPublicIPv4Address"),), "PublicIPv4:IdleAddress", "Hrs"),
    **{
        f"balancer.{name}": Product("AWSELB", (("operation", f"LoadBalancing:{word}"),), "LoadBalancerUsage", "Hrs")
        for name, word in _BALANCERS.items()
    },
    "balancer.classic": Product("AWSELB", (("operation", "LoadBalancing"),), "LoadBalancerUsage", "Hrs"),
    "lambda.gb_second.x86_64": Product("AWSLambda", (("group", "AWS-Lambda-Duration"),), "Lambda-GB-Second", "Lambda-GB-Second"),
    "lambda.gb_second.arm64": Product(
        "AWSLambda", (("group", "AWS-Lambda-Duration-ARM"),), "Lambda-GB-Second-ARM", "Lambda-GB-Second"
    ),
    "logs.storage": Product("AmazonCloudWatch", (("productFamily", "Storage Snapshot"),), "TimedStorage-ByteHrs", "GB-Mo"),
}


def listed(access: Access, region: str, name: str) -> Price | None:
    """The list price of the product called `name` in PRODUCTS, for one of its unit; of the first tier where there are several.

    None where the list has none, or several that differ. Raises AwsError.
    """
    product = PRODUCTS[name]
    filters: list[FilterTypeDef] = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in (("regionCode", region), *product.filters)
    ]
    items = [item for item in _price_list(access, region, filters, product.service) if _is_usage(item, product.usage)]
    found = {price.amount: price for item in items for price in _unit_prices(item, product.unit)}
    if len(found) != 1:
        return None
    price = next(iter(found.values()))
    return replace(price, amount=price.amount / product.per)


def may_ask(access: Access) -> None:
    """Ask for one line of the price list. Raises AwsError when that is refused."""
    home = regions.pricing(access.region)

    def request() -> None:
        client("pricing", home).get_products(ServiceCode="AmazonEC2", Filters=[], MaxResults=1)

    calls.call(access, "pricing", "GetProducts", home, request)


def _price_list(access: Access, region: str, filters: list[FilterTypeDef], service: str = "AmazonEC2") -> list[dict[str, Any]]:
    home = regions.pricing(region)

    def request() -> list[str]:
        pages = client("pricing", home).get_paginator("get_products").paginate(ServiceCode=service, Filters=filters)
        return [text for page in pages for text in page["PriceList"]]

    texts = calls.call(access, "pricing", "GetProducts", home, request)
    try:
        return [json.loads(text) for text in texts]
    except ValueError as error:
        raise translation.garbled("pricing", "GetProducts", "A line of the price list is no JSON.") from error


def _filters(region: str, instance_type: str, operating_system: str, software: str) -> list[FilterTypeDef]:
    wanted = {
        "regionCode": region,
        "instanceType": instance_type,
        "operatingSystem": operating_system,
        "preInstalledSw": software,
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "licenseModel": "No License required",
    }
    return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]


def _hourly(item: dict[str, Any]) -> Iterator[Price]:
    """The hourly on-demand prices in one line of the list."""
    return _unit_prices(item, "Hrs")


def _is_usage(item: dict[str, Any], usage: str) -> bool:
    """Whether the line's usage type is this one, with or without its region's prefix ("EUC1-EBS:VolumeUsage.gp2")."""
    try:
        told = str(item["product"]["attributes"]["usagetype"])
    except (KeyError, TypeError):
        return False
    prefix, _, rest = told.partition("-")
    return told == usage or (rest == usage and prefix.isalnum())


def _unit_prices(item: dict[str, Any], unit: str) -> Iterator[Price]:
    """The on-demand prices for `unit` in one line of the list, of its first tier. A line of another shape has none."""
    try:
        for term in item["terms"]["OnDemand"].values():
            effective_on = datetime.fromisoformat(term["effectiveDate"]).date()
            for dimension in term["priceDimensions"].values():
                if dimension["unit"].lower() == unit.lower() and dimension.get("beginRange", "0") == "0":
                    yield from _amounts(dimension["pricePerUnit"], effective_on)
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation):
        return


def _amounts(per_unit: dict[str, str], effective_on: date) -> Iterator[Price]:
    for currency, text in per_unit.items():
        amount = Decimal(text)
        if amount > 0:  # a line of what a reservation has paid already costs nothing
            yield Price(amount, currency, effective_on)
