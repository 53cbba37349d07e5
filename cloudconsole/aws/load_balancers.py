"""Load balancers of both generations, and how many targets they have (Elastic Load Balancing API references)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudconsole.aws import calls
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.fanout import DEFAULT_RATE
from cloudconsole.aws.pages import Listing, pages
from cloudconsole.aws.rates import bucket_for

_PAGE = 400


@dataclass(frozen=True, slots=True)
class BalancerFacts:
    """A load balancer. `kind`: application, network, gateway or classic; `groups` is 0 for one that only redirects.

    `name` is unique in a region for each generation; `targets` are all registered ones, `healthy` those that get requests.
    """

    balancer_id: str  # the ARN; of a classic one, "classic/" and its name
    name: str
    kind: str
    state: str
    created_at: datetime | None
    groups: int
    targets: int
    healthy: int


def balancers(access: Access, region: str) -> Iterator[list[BalancerFacts]]:
    """All load balancers of a region with their targets, a page at a time. Raises AwsError."""
    found = [balancer for page in _of_second(access, region) for balancer in page]
    if found:
        groups, targets, healthy = _targets(access, region)
        yield [_second(one, groups, targets, healthy) for one in found]
    for page in _of_first(access, region):
        yield [_first(access, region, one) for one in page]


def _of_second(access: Access, region: str) -> Iterator[list[Mapping[str, Any]]]:
    def ask(token: str) -> tuple[list[Mapping[str, Any]], str]:
        answer = client("elbv2", region).describe_load_balancers(PageSize=_PAGE, **_from(token))
        return list(answer["LoadBalancers"]), answer.get("NextMarker", "")

    return pages(Listing(access, "elbv2", "DescribeLoadBalancers", region), ask)


def _targets(access: Access, region: str) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Target groups, targets and healthy targets of each load balancer, by ARN."""

    def ask(token: str) -> tuple[list[Mapping[str, Any]], str]:
        answer = client("elbv2", region).describe_target_groups(PageSize=_PAGE, **_from(token))
        return list(answer["TargetGroups"]), answer.get("NextMarker", "")

    groups, targets, healthy = Counter[str](), Counter[str](), Counter[str]()
    for page in pages(Listing(access, "elbv2", "DescribeTargetGroups", region), ask):
        for group in page:
            owners = group.get("LoadBalancerArns", ())
            states = _states(access, region, group["TargetGroupArn"]) if owners else []
            for owner in owners:
                groups[owner] += 1
                targets[owner] += len(states)
                healthy[owner] += states.count("healthy")
    return groups, targets, healthy


def _states(access: Access, region: str, group: str) -> list[str]:
    def ask() -> list[str]:
        answer = client("elbv2", region).describe_target_health(TargetGroupArn=group)
        return [found["TargetHealth"]["State"] for found in answer["TargetHealthDescriptions"]]

    bucket_for(("elbv2", access.key, region), DEFAULT_RATE).wait()
    return calls.call(access, "elbv2", "DescribeTargetHealth", region, ask)


def _second(found: Mapping[str, Any], groups: Counter[str], targets: Counter[str], healthy: Counter[str]) -> BalancerFacts:
    arn = found["LoadBalancerArn"]
    return BalancerFacts(
        balancer_id=arn,
        name=found["LoadBalancerName"],
        kind=found.get("Type", "application"),
        state=found.get("State", {}).get("Code", ""),
        created_at=_in_utc(found.get("CreatedTime")),
        groups=groups[arn],
        targets=targets[arn],
        healthy=healthy[arn],
    )


def _of_first(access: Access, region: str) -> Iterator[list[Mapping[str, Any]]]:
    def ask(token: str) -> tuple[list[Mapping[str, Any]], str]:
        answer = client("elb", region).describe_load_balancers(PageSize=_PAGE, **_from(token))
        return list(answer["LoadBalancerDescriptions"]), answer.get("NextMarker", "")

    return pages(Listing(access, "elb", "DescribeLoadBalancers", region), ask)


def _first(access: Access, region: str, found: Mapping[str, Any]) -> BalancerFacts:
    registered = len(found.get("Instances", ()))
    return BalancerFacts(
        balancer_id=f"classic/{found['LoadBalancerName']}",
        name=found["LoadBalancerName"],
        kind="classic",
        state="active",
        created_at=_in_utc(found.get("CreatedTime")),
        groups=1,
        targets=registered,
        healthy=_in_service(access, region, found["LoadBalancerName"]) if registered else 0,
    )


def _in_service(access: Access, region: str, name: str) -> int:
    def ask() -> int:
        answer = client("elb", region).describe_instance_health(LoadBalancerName=name)
        return sum(found["State"] == "InService" for found in answer["InstanceStates"])

    bucket_for(("elb", access.key, region), DEFAULT_RATE).wait()
    return calls.call(access, "elb", "DescribeInstanceHealth", region, ask)


def _from(token: str) -> dict[str, Any]:
    return {"Marker": token} if token else {}


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
