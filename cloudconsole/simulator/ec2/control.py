"""EC2's part of the control API: what somebody else, or AWS itself, does to instances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cloudconsole.simulator.ec2.instances import Instance, Reason, State
from cloudconsole.simulator.ec2.service import Ec2, Pace


def make(ec2: Ec2, body: Any) -> dict[str, Any]:
    """`count` further running instances in an account and region."""
    return {"instance_ids": ec2.make(str(body["account"]), str(body["region"]), int(body["count"]))}


def show(ec2: Ec2, body: Any) -> dict[str, Any]:
    """The instances of an account and region as they are now."""
    return {"instances": [_shown(instance) for instance in ec2.list(str(body["account"]), str(body["region"]))]}


def change(ec2: Ec2, body: Any) -> dict[str, Any]:
    """Put an instance into a state as AWS does by itself; `code` and `message` say why."""
    reason = Reason(str(body.get("code", "")), str(body.get("message", "")), str(body.get("transition", "")))
    ec2.change_state(*_place(body), State(body["state"]), reason)
    return {}


def arrange(ec2: Ec2, body: Any) -> dict[str, Any]:
    """`termination`, `stop` (protections), `trouble` (no_capacity, falls_back or null), `tags`."""
    ec2.arrange(*_place(body), body)
    return {}


def set_pace(ec2: Ec2, body: Any) -> dict[str, Any]:
    """`transition`, `lag`: seconds that passing states take, and that descriptions lag behind a change."""
    ec2.pace = Pace(timedelta(seconds=float(body.get("transition", 2))), timedelta(seconds=float(body.get("lag", 0))))
    return {}


def _place(body: Any) -> tuple[str, str, str]:
    return str(body["account"]), str(body["region"]), str(body["instance_id"])


def _shown(instance: Instance) -> dict[str, Any]:
    return {
        "instance_id": instance.kind.instance_id,
        "name": instance.tags.get("Name", ""),
        "state": str(instance.state),
        "zone": instance.kind.zone,
        "instance_type": instance.kind.instance_type,
        "tags": instance.tags,
    }


ACTIONS: dict[tuple[str, str], Callable[[Ec2, Any], dict[str, Any]]] = {
    ("POST", "ec2/make"): make,
    ("POST", "ec2/show"): show,
    ("POST", "ec2/change"): change,
    ("POST", "ec2/arrange"): arrange,
    ("POST", "ec2/pace"): set_pace,
}
