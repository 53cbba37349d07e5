"""Price lists, on demand (Price List API reference, GetProducts; rounded list prices of us-east-1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
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
    "r6g.large": "0.1008", "t2.micro": "0.0116", "t2.medium": "0.0464", "m4.large": "0.10", "m5.large": "0.096",
    "m7i.large": "0.1008", "c4.xlarge": "0.199", "c5.xlarge": "0.17", "p4d.24xlarge": "32.7726",
}  # fmt: skip
# What an operating system adds for each vCPU and hour; the number of vCPUs follows from the size.
_SURCHARGES = {"Linux": Decimal(0), "Windows": Decimal("0.046"), "RHEL": Decimal("0.0144"), "SUSE": Decimal("0.0125")}
_VCPUS = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "24xlarge": 96}
# Against us-east-1; what is not named costs a fifth more.
_REGIONS = {"us-east-1": "1", "us-east-2": "1", "us-west-2": "1", "eu-west-1": "1.11", "eu-central-1": "1.15"}


@dataclass(frozen=True, slots=True)
class Line:
    """What is no instance: `usage` without the region's prefix, `price` of one `unit` in us-east-1."""

    service: str
    family: str
    usage: str
    unit: str
    price: str
    attributes: tuple[tuple[str, str], ...]


def _ebs(name: str, suffix: str, price: str) -> Line:
    return Line("AmazonEC2", "Storage", f"EBS:VolumeUsage{suffix}", "GB-Mo", price, (("volumeApiName", name),))


def _balancer(word: str, price: str) -> Line:
    operation = f"LoadBalancing:{word}" if word else "LoadBalancing"
    return Line("AWSELB", "Load Balancer", "LoadBalancerUsage", "Hrs", price, (("operation", operation),))


_GP3 = (("volumeApiName", "gp3"),)
_LINES = (
    _ebs("gp2", ".gp2", "0.10"),
    _ebs("gp3", ".gp3", "0.08"),
    _ebs("io1", ".piops", "0.125"),
    _ebs("io2", ".io2", "0.125"),
    _ebs("st1", ".st1", "0.045"),
    _ebs("sc1", ".sc1", "0.015"),
    _ebs("standard", "", "0.05"),
    Line("AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "0.005", _GP3),
    Line("AmazonEC2", "Provisioned Throughput", "EBS:VolumeP-Throughput.gp3", "GiBps-mo", "40.96", _GP3),
    Line("AmazonEC2", "Storage Snapshot", "EBS:SnapshotUsage", "GB-Mo", "0.05", ()),
    Line("AmazonEC2", "Storage Snapshot", "EBS:SnapshotArchiveStorage", "GB-Mo", "0.0125", ()),
    Line("AmazonVPC", "VpcPublicIPv4", "PublicIPv4:IdleAddress", "Hrs", "0.005", (("group", "VPCPublicIPv4Address"),)),
    Line("AmazonVPC", "VpcPublicIPv4", "PublicIPv4:InUseAddress", "Hrs", "0.005", (("group", "VPCPublicIPv4Address"),)),
    _balancer("Application", "0.0225"),
    _balancer("Network", "0.0225"),
    _balancer("Gateway", "0.0125"),
    _balancer("", "0.025"),
    Line("AWSLambda", "Serverless", "Lambda-GB-Second", "Lambda-GB-Second", "0.0000166667", (("group", "AWS-Lambda-Duration"),)),
    Line(
        "AWSLambda",
        "Serverless",
        "Lambda-GB-Second-ARM",
        "Lambda-GB-Second",
        "0.0000133334",
        (("group", "AWS-Lambda-Duration-ARM"),),
    ),
    Line("AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", "GB-Mo", "0.03", ()),
)
# As usage types begin (Cost and Usage Report user guide); others are made up of the region's name.
_PREFIXES = {"us-east-2": "USE2", "us-west-2": "USW2", "eu-west-1": "EU", "eu-central-1": "EUC1"}


def get_products(arguments: dict[str, Any]) -> dict[str, Any]:
    """Lines of the list that pass every filter (TERM_MATCH), as JSON in strings, which is how AWS sends them."""
    service = str(arguments.get("ServiceCode"))
    if service not in {line.service for line in _LINES}:
        raise AwsError("NotFoundException", "Invalid Service Code")
    size, start = int(arguments.get("MaxResults", _PAGE)), _offset(arguments.get("NextToken"))
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidParameterException", "The maxResults must be between 1 and 100.")
    wanted = {each["Field"]: each["Value"] for each in arguments.get("Filters", ())}
    found = [item for item in _products(service) if _passes(item["product"], wanted)]
    more = {"NextToken": f"from-{start + size}"} if start + size < len(found) else {}
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in found[start : start + size]], **more}


def _passes(product: dict[str, Any], wanted: dict[str, str]) -> bool:
    told = {"productFamily": product["productFamily"], **product["attributes"]}
    return all(told.get(key) == wanted[key] for key in wanted)


def _products(service: str) -> Iterator[dict[str, Any]]:
    for region in DEFAULT_REGIONS:
        yield from (_line(region, line) for line in _LINES if line.service == service)
    if service == "AmazonEC2":
        yield from _instances()


def _line(region: str, line: Line) -> dict[str, Any]:
    """A line that is no instance: its usage type carries the region's prefix everywhere but in us-east-1."""
    prefix = _PREFIXES.get(region, region.replace("-", "").upper()[:5])
    usage = line.usage if region == "us-east-1" else f"{prefix}-{line.usage}"
    price = Decimal(line.price) * Decimal(_REGIONS.get(region, "1.2"))
    sku = hashlib.sha256(f"{region}:{line.service}:{usage}:{line.attributes}".encode()).hexdigest()[:16].upper()
    attributes = {"regionCode": region, "usagetype": usage, **dict(line.attributes)}
    return _item(line.service, line.family, sku, attributes, (line.unit, price))


def _instances() -> Iterator[dict[str, Any]]:
    for region in DEFAULT_REGIONS:
        for instance_type, base in _LINUX.items():
            for system, surcharge in _SURCHARGES.items():
                hourly = (Decimal(base) * Decimal(_REGIONS.get(region, "1.2"))).quantize(Decimal("0.0001"))
                yield _product(region, instance_type, system, hourly + surcharge * _vcpus(instance_type))


def _vcpus(instance_type: str) -> int:
    return _VCPUS[instance_type.partition(".")[2]]


def _product(region: str, instance_type: str, system: str, hourly: Decimal) -> dict[str, Any]:
    sku = hashlib.sha256(f"{region}:{instance_type}:{system}".encode()).hexdigest()[:16].upper()
    return _item("AmazonEC2", "Compute Instance", sku, _attributes(region, instance_type, system), ("Hrs", hourly))


def _item(service: str, family: str, sku: str, attributes: dict[str, str], price: tuple[str, Decimal]) -> dict[str, Any]:
    term, (unit, amount) = f"{sku}.JRTCKXETXF", price
    dimension = {
        "rateCode": f"{term}.6YS6EN2CT7",
        "unit": unit,
        "description": f"${amount} per {unit}",
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "pricePerUnit": {"USD": f"{amount:.10f}"},
    }
    return {
        "product": {"productFamily": family, "sku": sku, "attributes": attributes},
        "serviceCode": service,
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
