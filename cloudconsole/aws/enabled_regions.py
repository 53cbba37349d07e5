"""Which regions are enabled for an account: found by asking, never listed by hand."""

from __future__ import annotations

from cloudconsole.aws import calls, regions
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind

# ENABLING and DISABLING regions do not answer reliably (Account Management API reference, ListRegions).
_ON = ["ENABLED", "ENABLED_BY_DEFAULT"]


def enabled(access: Access) -> tuple[str, ...]:
    """The names of the enabled regions, sorted. Asks account:ListRegions, and EC2 where that one is denied.

    Raises AwsError: the first refusal when both are denied.
    """
    region = regions.home(access.region)
    try:
        return calls.call(access, "account", "ListRegions", region, lambda: _by_account(region))
    except AwsError as refusal:
        if refusal.cause is not AwsErrorKind.ACCESS_DENIED:
            raise
        denied = refusal
    try:
        return calls.call(access, "ec2", "DescribeRegions", region, lambda: _by_ec2(region))
    except AwsError as also:
        raise denied from also


def _by_account(region: str) -> tuple[str, ...]:
    pages = client("account", region).get_paginator("list_regions").paginate(RegionOptStatusContains=_ON)
    return tuple(sorted(str(found["RegionName"]) for page in pages for found in page["Regions"]))


def _by_ec2(region: str) -> tuple[str, ...]:
    # Without AllRegions the answer holds only what is enabled (EC2 API reference, DescribeRegions).
    found = client("ec2", region).describe_regions()["Regions"]
    return tuple(sorted(str(one["RegionName"]) for one in found))
