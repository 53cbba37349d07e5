"""AWS's public list prices (Price List API reference, GetProducts). Every account may ask, and all get the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
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
    """What one hour costs on demand on shared hardware: before any discount, Savings Plan or tax."""

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


def may_ask(access: Access) -> None:
    """Ask for one line of the price list. Raises AwsError when that is refused."""
    home = regions.pricing(access.region)

    def request() -> None:
        client("pricing", home).get_products(ServiceCode="AmazonEC2", Filters=[], MaxResults=1)

    calls.call(access, "pricing", "GetProducts", home, request)


def _price_list(access: Access, region: str, filters: list[FilterTypeDef]) -> list[dict[str, Any]]:
    home = regions.pricing(region)

    def request() -> list[str]:
        pages = client("pricing", home).get_paginator("get_products").paginate(ServiceCode="AmazonEC2", Filters=filters)
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
    """The hourly on-demand prices in one line of the list. A line of another shape has none."""
    try:
        for term in item["terms"]["OnDemand"].values():
            effective_on = datetime.fromisoformat(term["effectiveDate"]).date()
            for dimension in term["priceDimensions"].values():
                if dimension["unit"] == "Hrs":
                    yield from _amounts(dimension["pricePerUnit"], effective_on)
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation):
        return


def _amounts(per_unit: dict[str, str], effective_on: date) -> Iterator[Price]:
    for currency, text in per_unit.items():
        amount = Decimal(text)
        if amount > 0:  # a line of what a reservation has paid already costs nothing
            yield Price(amount, currency, effective_on)
