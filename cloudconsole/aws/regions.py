"""Where the services without a region of their own are asked, for each AWS partition."""

from __future__ import annotations


def home(region: str) -> str:
    """The default-enabled region of the partition that `region` belongs to."""
    if region.startswith("cn-"):
        return "cn-north-1"
    if region.startswith("us-gov-"):
        return "us-gov-west-1"
    return "eusc-de-east-1" if region.startswith("eusc-") else "us-east-1"


def cost_explorer(region: str) -> str:
    """The one region of `region`'s partition that Cost Explorer answers in (botocore's endpoint rules for `ce`)."""
    return "cn-northwest-1" if region.startswith("cn-") else home(region)


def pricing(region: str) -> str:
    """The region of `region`'s partition that the price list is asked in (botocore's endpoint rules for `api.pricing`)."""
    if region.startswith("cn-"):
        return "cn-northwest-1"
    return "us-east-1" if home(region) == "us-gov-west-1" else home(region)
