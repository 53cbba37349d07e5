"""The price list of EC2, on demand (Price List API reference, GetProducts; rounded list prices of us-east-1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cloudconsole.simulator.region_lists import DEFAULT_REGIONS
from cloudconsole.simulator.wire import AwsError

_PAGE = 100
_EFFECTIVE = "2026-11-01T00:00:00Z"

_LINUX = {
    "t3.nano": "0.0052", "t3.micro": "0.0104", "t3.small": "0.0208", "t3.medium": "0.0416", "t3.large": "0.0832",
    "t3.xlarge": "0.1664", "t4g.micro": "0.0084", "t4g.large": "0.0672", "m6i.large": "0.096", "m6i.xlarge": "0.192",
    "m6i.2xlarge": "0.384", "c6i.large": "0.085", "c6i.xlarge": "0.17", "c6i.2xlarge": "0.34", "r6i.xlarge": "0.252",
    "r6g.large": "0.1008", "p4d.24xlarge": "32.7726",
}  # fmt: skip
# What an operating system adds for each vCPU and hour; the number of vCPUs follows from the size.
_SURCHARGES = {"Linux": Decimal(0), "Windows": Decimal("0.046"), "RHEL": Decimal("0.0144"), "SUSE": Decimal("0.0125")}
_VCPUS = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "24xlarge": 96}
# Against us-east-1; what is not named costs a fifth more.
_REGIONS = {"us-east-1": "1", "us-east-2": "1", "us-west-2": "1", "eu-west-1": "1.11", "eu-central-1": "1.15"}


def get_products(arguments: dict[str, Any]) -> dict[str, Any]:
    """Lines of the list that pass every filter (TERM_MATCH), as JSON in strings, which is how AWS sends them."""
    if arguments.get("ServiceCode") != "AmazonEC2":
        raise AwsError("NotFoundException", "Invalid Service Code")
    size, start = int(arguments.get("MaxResults", _PAGE)), _offset(arguments.get("NextToken"))
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidParameterException", "The maxResults must be between 1 and 100.")
    wanted = {each["Field"]: each["Value"] for each in arguments.get("Filters", ())}
    found = [item for item in _products() if all(item["product"]["attributes"].get(key) == wanted[key] for key in wanted)]
    more = {"NextToken": f"from-{start + size}"} if start + size < len(found) else {}
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in found[start : start + size]], **more}


def _products() -> Iterator[dict[str, Any]]:
    for region in DEFAULT_REGIONS:
        for instance_type, base in _LINUX.items():
            for system, surcharge in _SURCHARGES.items():
                hourly = (Decimal(base) * Decimal(_REGIONS.get(region, "1.2"))).quantize(Decimal("0.0001"))
                yield _product(region, instance_type, system, hourly + surcharge * _vcpus(instance_type))


def _vcpus(instance_type: str) -> int:
    return _VCPUS[instance_type.partition(".")[2]]


def _product(region: str, instance_type: str, system: str, hourly: Decimal) -> dict[str, Any]:
    sku = hashlib.sha256(f"{region}:{instance_type}:{system}".encode()).hexdigest()[:16].upper()
    term = f"{sku}.JRTCKXETXF"
    dimension = {
        "rateCode": f"{term}.6YS6EN2CT7",
        "unit": "Hrs",
        "description": f"${hourly} per On Demand {system} {instance_type} Instance Hour",
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "pricePerUnit": {"USD": f"{hourly:.10f}"},
    }
    return {
        "product": {"productFamily": "Compute Instance", "sku": sku, "attributes": _attributes(region, instance_type, system)},
        "serviceCode": "AmazonEC2",
        "terms": {
            "OnDemand": {
                term: {
                    "sku": sku,
                    "offerTermCode": "JRTCKXETXF",
                    "effectiveDate": _EFFECTIVE,
                    "priceDimensions": {dimension["rateCode"]: dimension},
                    "termAttributes": {},
                }
            }
        },
        "version": "20261115180000",
        "publicationDate": "2026-11-15T18:00:00Z",
    }


def _attributes(region: str, instance_type: str, system: str) -> dict[str, str]:
    return {
        "regionCode": region,
        "instanceType": instance_type,
        "operatingSystem": system,
        "preInstalledSw": "NA",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "licenseModel": "No License required",
        "vcpu": str(_vcpus(instance_type)),
        "marketoption": "OnDemand",
    }


def _offset(token: object) -> int:
    if token is None:
        return 0
    number = str(token).removeprefix("from-")
    if not number.isdecimal():
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.")
    return int(number)
