"""Which regions an account has switched on, as the Account Management API and EC2 tell it (their API references)."""

from __future__ import annotations

from typing import Any

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import OPT_IN_REGIONS
from cloudconsole.simulator.wire import AwsError, element

# On from the beginning, in every account.
DEFAULT_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
)  # fmt: skip
_PAGE = 20
_STATES = ("ENABLED", "ENABLING", "DISABLING", "DISABLED", "ENABLED_BY_DEFAULT")


def list_regions(identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
    """account:ListRegions: every region with its state, filtered by `RegionOptStatusContains`, in pages."""
    wanted = arguments.get("RegionOptStatusContains") or _STATES
    if not set(wanted) <= set(_STATES):
        raise AwsError("ValidationException", "The input fails to satisfy the constraints.")
    found = [{"RegionName": name, "RegionOptStatus": state} for name, state in _states(identity) if state in wanted]
    size, token = int(arguments.get("MaxResults") or _PAGE), str(arguments.get("NextToken") or "0")
    if not token.isdigit():
        raise AwsError("ValidationException", "The NextToken is not valid.")
    start = int(token)
    following = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"Regions": found[start : start + size], **following}


def describe_regions(identity: Identity, form: dict[str, str]) -> str:
    """ec2:DescribeRegions: only enabled ones, unless AllRegions is asked for."""
    everything = form.get("AllRegions", "false") == "true"
    shown = [(name, state) for name, state in _states(identity) if everything or state.startswith("ENABLED")]
    return element_list("regionInfo", [_region(name, state) for name, state in shown])


def element_list(name: str, items: list[str]) -> str:
    return f"<{name}>" + "".join(f"<item>{item}</item>" for item in items) + f"</{name}>"


def _states(identity: Identity) -> list[tuple[str, str]]:
    opted_in = identity.account.opted_in_regions
    named = dict.fromkeys(DEFAULT_REGIONS, "ENABLED_BY_DEFAULT")
    named |= {name: "ENABLED" if name in opted_in else "DISABLED" for name in OPT_IN_REGIONS}
    return sorted(named.items())


def _region(name: str, state: str) -> str:
    words = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in"}
    return (
        element("regionName", name)
        + element("regionEndpoint", f"ec2.{name}.amazonaws.com")
        + element("optInStatus", words.get(state, "not-opted-in"))
    )
