"""What an operation acts on."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import AwsAccount
from resources.models import Instance, Operation


@dataclass(frozen=True, slots=True)
class Target:
    """`id` is how AWS knows it, `name` what people call it."""

    account: AwsAccount
    region: str
    id: str
    name: str = ""


def instance_target(instance: Instance) -> Target:
    return Target(instance.account, instance.region, instance.instance_id, instance.name)


def target_of(operation: Operation) -> Target:
    return Target(operation.account, operation.region, operation.target, operation.target_name)
