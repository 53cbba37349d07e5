"""The simulator's own API under /_simulator/: for tests and the demo set-up, and only from this machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from cloudconsole.simulator import organization
from cloudconsole.simulator.app import SimulatedAws
from cloudconsole.simulator.clock import middle_of
from cloudconsole.simulator.ec2 import control as ec2_control
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.lambda_ import control as lambda_control
from cloudconsole.simulator.levels import Level
from cloudconsole.simulator.organization import ACCOUNTS, HUB, OLD_EXTERNAL_ID, SUSPENDED, WITHOUT_ROLE, Role
from cloudconsole.simulator.policies import Statement
from cloudconsole.simulator.quotas import control as quota_control
from cloudconsole.simulator.s3 import control as s3_control
from cloudconsole.simulator.wire import Request, Response

PREFIX = "/_simulator/"


class BadControl(Exception):
    """A control request that makes no sense; its text says why."""


def handle(aws: SimulatedAws, request: Request) -> Response:
    name = request.path.removeprefix(PREFIX).rstrip("/")
    action = _action(aws, request.method, name)
    if action is None:
        return _answer({"error": f"there is no {request.method} {request.path}"}, 404)
    try:
        return _answer(action(json.loads(request.body or b"null")), 200)
    except (BadControl, ValueError, TypeError, KeyError) as error:
        return _answer({"error": f"{type(error).__name__}: {error}"}, 400)


def _action(aws: SimulatedAws, method: str, name: str) -> Callable[[Any], Any] | None:
    asked = (method, name)
    if asked in _ACTIONS:
        return partial(_ACTIONS[asked], aws)
    if asked in ec2_control.ACTIONS:
        return partial(ec2_control.ACTIONS[asked], aws.ec2)
    if asked in s3_control.ACTIONS:
        return partial(s3_control.ACTIONS[asked], aws.s3)
    if asked in quota_control.ACTIONS:
        return partial(quota_control.ACTIONS[asked], (aws.quotas, aws.models, aws.usage))
    return partial(lambda_control.ACTIONS[asked], aws.functions) if asked in lambda_control.ACTIONS else None


def _show_organization(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    return {
        "seed": aws.seed,
        "origin": aws.origin.isoformat(),
        "now": aws.clock.now().isoformat(),
        "management_account_id": organization.MANAGEMENT,
        "organization_id": organization.ORGANIZATION_ID,
        "accounts": [_account(account) for account in _accounts(aws)],
        "hub_role_arn": f"arn:aws:iam::{organization.MANAGEMENT}:role/{organization.HUB_ROLE_NAME}",
        "roles": [_role(role) for role in aws.directory.member_roles()],
        "keys": {name: _plain(key) for name, key in aws.directory.demo_keys.items()},
    }


def _account(account: organization.Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "email": account.email,
        "in_organization": account.in_organization,
        "is_payer": account.is_payer,
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        "account_id": role.account_id,
        "role_arn": role.arn,
        "external_id": role.external_id,
        "trusted_principal": role.trusted_principal,
        "max_session_s": role.max_session_s,
    }


def _plain(key: organization.DemoKey) -> dict[str, Any]:
    found = dataclasses.asdict(key)
    found["expires_at"] = key.expires_at.isoformat() if key.expires_at else None
    return found


def _put_role(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """Create or replace a role; without `external_id` its trust forgets the condition.

    Its policy is the one of its account, or with `may_operate` one that lets it change things or only look.
    """
    parts = str(body["role_arn"]).split(":")
    if len(parts) != 6 or parts[4] not in {account.account_id for account in _accounts(aws)} or not parts[5].startswith("role/"):
        raise BadControl(f"not a role of the simulated accounts: {body['role_arn']}")
    role = Role(
        account_id=parts[4],
        name=parts[5].removeprefix("role/"),
        policy=_policy(parts[4], body.get("may_operate")),
        trusted_principal=body.get("trusted_principal", HUB.arn),
        external_id=body.get("external_id"),
        max_session_s=int(body.get("max_session_s", 3600)),
    )
    aws.put_role(role)
    return _role(role)


def _policy(account_id: str, may_operate: bool | None) -> tuple[Statement, ...]:
    if may_operate is None:
        return organization.policy_of(account_id)
    return organization.READ_AND_OPERATE if may_operate else organization.READ_ONLY


def _accounts(aws: SimulatedAws) -> list[organization.Account]:
    outside = [account for account in ACCOUNTS.values() if not account.in_organization]
    return aws.directory.members() + outside


def _set_organization(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """`size`: how many accounts it has (the named ones at least); `delegated`: who else may read it."""
    aws.directory.size = int(body.get("size", 0))
    aws.directory.delegated_administrators = frozenset(str(number) for number in body.get("delegated", ()))
    return {"accounts": [account.account_id for account in aws.directory.members()]}


def _deploy_stack_set(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """The role of a StackSet in every account of `external_ids`; in a large organization it goes wrong in two of them."""
    further = {at: organization.further_account(at).account_id for at in (SUSPENDED, WITHOUT_ROLE, OLD_EXTERNAL_ID)}
    deployed = []
    for number, external_id in body["external_ids"].items():
        if number in (further[SUSPENDED], further[WITHOUT_ROLE]):
            continue
        kept = "an-earlier-external-id" if number == further[OLD_EXTERNAL_ID] else external_id
        deployed.append(_put_role(aws, {"role_arn": f"arn:aws:iam::{number}:role/{body['role_name']}", "external_id": kept}))
    return {"roles": deployed}


def _add_faults(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    plans = [Fault(**{**plan, "fault": FaultKind(plan["fault"])}) for plan in body]
    aws.faults.add(plans)
    return {"added": len(plans)}


def _clear_faults(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    aws.faults.clear()
    return {}


def _reset(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    aws.reset()
    return {}


def _list_calls(aws: SimulatedAws, body: Any) -> list[dict[str, Any]]:
    return [dataclasses.asdict(call) for call in aws.calls.all()]


def _clear_calls(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    aws.calls.clear()
    return {}


def _move_clock(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """`today` (its midday), `now` (a moment), or neither for real time."""
    body = body or {}
    if "today" in body:
        aws.clock.move(middle_of(date.fromisoformat(body["today"])))
    elif "now" in body:
        moment = datetime.fromisoformat(body["now"])
        aws.clock.move(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    else:
        aws.clock.move(None)
    return {"now": aws.clock.now().isoformat()}


def _set_page_size(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """`groups`: how many groups Cost Explorer puts on a page."""
    size = int(body["groups"])
    if size < 1:
        raise BadControl("a page holds at least one group")
    aws.cost_explorer.page_size = size
    return {"groups": size}


def _set_metrics(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """`points`: how many data points CloudWatch puts on a page."""
    aws.cloudwatch.points_on_a_page = int(body["points"])
    return {}


def _put_metric(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    """From now on each minute of the series has `value`; null: it gets no data."""
    name = (str(body["namespace"]), str(body["metric"]), frozenset((str(k), str(v)) for k, v in body["dimensions"].items()))
    value = None if body["value"] is None else float(body["value"])
    since = datetime.fromisoformat(body["since"]) if body.get("since") else aws.clock.now()
    aws.cloudwatch.levels.put(str(body["account"]), str(body["region"]), name, Level(since, value))
    return {}


def _health(aws: SimulatedAws, body: Any) -> dict[str, Any]:
    return {"status": "ok"}


_ACTIONS: dict[tuple[str, str], Callable[[SimulatedAws, Any], Any]] = {
    ("GET", "organization"): _show_organization,
    ("POST", "organization"): _set_organization,
    ("POST", "stack-set"): _deploy_stack_set,
    ("POST", "roles"): _put_role,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("GET", "calls"): _list_calls,
    ("DELETE", "calls"): _clear_calls,
    ("POST", "clock"): _move_clock,
    ("POST", "page-size"): _set_page_size,
    ("POST", "metrics"): _set_metrics,
    ("POST", "metrics/put"): _put_metric,
    ("GET", "health"): _health,
}


def _answer(payload: Any, status: int) -> Response:
    return Response(status, json.dumps(payload).encode(), "application/json")
