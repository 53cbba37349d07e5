"""Load balancers of both generations (Elastic Load Balancing API references, versions 2012-06-01 and 2015-12-01)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.load import BalancerFigures
from cloudconsole.simulator.organization import DEVELOPMENT, PRODUCTION, STAGING
from cloudconsole.simulator.wire import AwsError, element

US, EU = "us-east-1", "eu-central-1"
FIRST = "2012-06-01"
_CREATED = "2025-04-14T08:20:00.000Z"

Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A load balancer of the story. `states`: of its targets, one group; None for one that only redirects."""

    name: str
    region: str
    kind: str
    states: tuple[str, ...] | None


_STORY: dict[str, tuple[Row, ...]] = {
    PRODUCTION: (
        Row("shop", US, "application", ("healthy", "healthy", "healthy")),
        Row("shop-eu", EU, "application", ("healthy", "unhealthy")),
        Row("shop-2024", US, "application", ()),
        Row("redirects", US, "application", None),
        Row("partner-feed", EU, "network", ("unhealthy", "unhealthy")),
        Row("legacy-api", US, "classic", ()),
    ),
    STAGING: (Row("shop", EU, "application", ("healthy",)), Row("preview", EU, "application", ())),
    DEVELOPMENT: (Row("demo", EU, "application", ()), Row("workshop", EU, "classic", ("InService",))),
}


def figures(account_id: str, region: str) -> list[BalancerFigures]:
    """What CloudWatch measures of the application load balancers that have targets."""
    return [
        BalancerFigures(
            f"app/{row.name}/{_digest(account_id, row)}",
            f"targetgroup/{row.name}/{_digest(account_id, row)}",
            row.states.count("healthy"),
        )
        for row in _STORY.get(account_id, ())
        if row.region == region and row.kind == "application" and row.states
    ]


def answer(operation: str, identity: Identity, form: Form) -> str:
    """The inside of an answer of either version. Raises AwsError."""
    rows = [row for row in _STORY.get(identity.account_id, ()) if row.region == identity.region]
    serve = (_OF_FIRST if form.get("Version") == FIRST else _OF_SECOND).get(operation)
    if serve is None:
        raise AwsError("InvalidAction", f"Could not find operation {operation} for version {form.get('Version', '')}")
    return serve(identity, rows, form)


def _describe_second(identity: Identity, rows: list[Row], form: Form) -> str:
    items = [_balancer(identity, row) for row in rows if row.kind != "classic"]
    return _listed("LoadBalancers", form, items)


def _describe_groups(identity: Identity, rows: list[Row], form: Form) -> str:
    with_group = [row for row in rows if row.kind != "classic" and row.states is not None]
    return _listed("TargetGroups", form, [_group(identity, row) for row in with_group])


def _describe_health(identity: Identity, rows: list[Row], form: Form) -> str:
    wanted = form.get("TargetGroupArn", "")
    row = next((row for row in rows if row.kind != "classic" and _group_arn(identity, row) == wanted), None)
    if row is None or row.states is None:
        raise AwsError("TargetGroupNotFound", f"Target groups '{wanted}' not found")
    targets = "".join(
        f"<member><Target>{element('Id', f'i-{at:017x}')}<Port>80</Port></Target>"
        f"<TargetHealth>{element('State', state)}</TargetHealth></member>"
        for at, state in enumerate(row.states)
    )
    return f"<TargetHealthDescriptions>{targets}</TargetHealthDescriptions>"


def _describe_first(identity: Identity, rows: list[Row], form: Form) -> str:
    items = [
        f"<member>{element('LoadBalancerName', row.name)}{element('CreatedTime', _CREATED)}<Instances>"
        + "".join(f"<member>{element('InstanceId', f'i-{at:017x}')}</member>" for at, _ in enumerate(row.states or ()))
        + "</Instances></member>"
        for row in rows
        if row.kind == "classic"
    ]
    return _listed("LoadBalancerDescriptions", form, items)


def _describe_states(identity: Identity, rows: list[Row], form: Form) -> str:
    wanted = form.get("LoadBalancerName", "")
    row = next((row for row in rows if row.kind == "classic" and row.name == wanted), None)
    if row is None:
        raise AwsError("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{wanted}'")
    states = "".join(
        f"<member>{element('InstanceId', f'i-{at:017x}')}{element('State', state)}</member>"
        for at, state in enumerate(row.states or ())
    )
    return f"<InstanceStates>{states}</InstanceStates>"


_Serve = Callable[[Identity, list[Row], Form], str]
_OF_SECOND: dict[str, _Serve] = {
    "DescribeLoadBalancers": _describe_second,
    "DescribeTargetGroups": _describe_groups,
    "DescribeTargetHealth": _describe_health,
}
_OF_FIRST: dict[str, _Serve] = {"DescribeLoadBalancers": _describe_first, "DescribeInstanceHealth": _describe_states}


def _listed(name: str, form: Form, items: list[str]) -> str:
    start = int(form.get("Marker", "0"))
    end = start + int(form.get("PageSize", "400"))
    more = element("NextMarker", end) if end < len(items) else ""
    return f"<{name}>{''.join(items[start:end])}</{name}>{more}"


def _balancer(identity: Identity, row: Row) -> str:
    return (
        f"<member>{element('LoadBalancerArn', _arn(identity, row))}{element('LoadBalancerName', row.name)}"
        f"{element('CreatedTime', _CREATED)}{element('Type', row.kind)}<Scheme>internet-facing</Scheme>"
        f"<State><Code>active</Code></State></member>"
    )


def _group(identity: Identity, row: Row) -> str:
    return (
        f"<member>{element('TargetGroupArn', _group_arn(identity, row))}{element('TargetGroupName', row.name)}"
        f"<LoadBalancerArns><member>{_arn(identity, row)}</member></LoadBalancerArns></member>"
    )


def _arn(identity: Identity, row: Row) -> str:
    letters = {"application": "app", "network": "net", "gateway": "gwy"}[row.kind]
    return f"{_prefix(identity)}:loadbalancer/{letters}/{row.name}/{_digest(identity.account_id, row)}"


def _group_arn(identity: Identity, row: Row) -> str:
    return f"{_prefix(identity)}:targetgroup/{row.name}/{_digest(identity.account_id, row)}"


def _prefix(identity: Identity) -> str:
    return f"arn:aws:elasticloadbalancing:{identity.region}:{identity.account_id}"


def _digest(account_id: str, row: Row) -> str:
    return hashlib.sha256(f"{account_id}:{row.region}:{row.name}:{row.kind}".encode()).hexdigest()[:16]
