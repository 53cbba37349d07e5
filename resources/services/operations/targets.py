"""What an operation acts on."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import AwsAccount
from resources.models import Operation


@dataclass(frozen=True, slots=True)
class Target:
    """`id` is how AWS knows it, `name` what people call it."""

    account: AwsAccount
    region: str
    id: str
    name: str = ""


def target_of(operation: Operation) -> Target:
    return Target(operation.account, operation.region, operation.target, operation.target_name)
