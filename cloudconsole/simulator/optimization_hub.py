"""Cost Optimization Hub (API reference): the organization has enrolled, the sandbox and the acquired company have not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.ec2.instances import Instance, State
from cloudconsole.simulator.ec2.storage import Volume
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import ACQUIRED, DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING
from cloudconsole.simulator.wire import AwsError

NOT_ENROLLED = frozenset({SANDBOX, ACQUIRED})
_HOME = "us-east-1"
_REGIONS = ("us-east-1", "eu-central-1", "eu-west-1")
_LOOKBACK = 14


class OptimizationHub:
    """`instances` and `volumes` tell what there is in an account and region."""

    def __init__(
        self,
        clock: SimulatedClock,
        instances: Callable[[str, str], Iterable[Instance]],
        volumes: Callable[[str, str], Iterable[Volume]],
    ) -> None:
        self._clock = clock
        self._instances = instances
        self._volumes = volumes

    def answer(self, operation: str, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        """Raises AwsError; permission was decided before."""
        if identity.region != _HOME:
            raise AwsError("ValidationException", f"Cost Optimization Hub is not available in {identity.region}.")
        if operation == "ListEnrollmentStatuses":
            return self._statuses(identity)
        if operation == "ListRecommendations":
            return self._list(identity, arguments)
        if operation == "GetRecommendation":
            return self._one(identity, str(arguments.get("recommendationId", "")))
        raise AwsError("UnknownOperationException", f"The operation {operation} is not simulated.")

    def _statuses(self, identity: Identity) -> dict[str, Any]:
        enrolled = identity.account_id not in NOT_ENROLLED
        status = {"accountId": identity.account_id, "status": "Active" if enrolled else "Inactive"}
        return {"items": [status], "includeMemberAccounts": identity.account_id == MANAGEMENT}

    def _one(self, identity: Identity, number: str) -> dict[str, Any]:
        """With the costs of the days looked back, which the saving is a month's share of."""
        item = next((item for item in self._known(identity) if item["recommendationId"] == number), None)
        if item is None:
            raise AwsError("ResourceNotFoundException", "The recommendation does not exist.")
        saved = round(item["estimatedMonthlySavings"] * _LOOKBACK / 30, 2)
        kind = item["currentResourceType"]
        now = saved if item["actionType"] == "Delete" else round(2 * saved, 2)
        usage = {"usageType": f"{kind}Usage", "usageAmount": 24.0 * _LOOKBACK, "unit": "Hrs", "operation": "", "productCode": ""}
        member = kind[0].lower() + kind[1:]
        return {
            **{name: value for name, value in item.items() if not name.endswith("ResourceSummary")},
            "costCalculationLookbackPeriodInDays": _LOOKBACK,
            "estimatedSavingsPercentage": round(100 * saved / now, 1),
            "estimatedSavingsOverCostCalculationLookbackPeriod": saved,
            "currentResourceDetails": {member: {"costCalculation": {"usages": [usage], "pricing": _priced(now)}}},
            "recommendedResourceDetails": {
                member: {"costCalculation": {"usages": [], "pricing": _priced(round(now - saved, 2))}}
            },
        }

    def _known(self, identity: Identity) -> list[dict[str, Any]]:
        if identity.account_id in NOT_ENROLLED:
            raise AwsError("ValidationException", "The account is not enrolled in Cost Optimization Hub.")
        accounts = (PRODUCTION, STAGING, DEVELOPMENT) if identity.account_id == MANAGEMENT else (identity.account_id,)
        found = [item for account in accounts for region in _REGIONS for item in self._of(account, region)]
        return [*found, self._plan(identity.account_id)] if identity.account_id == MANAGEMENT else found

    def _list(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        found = self._known(identity)
        size, start = int(arguments.get("maxResults", 100)), int(arguments.get("nextToken", 0))
        if not 1 <= size <= 1000:
            raise AwsError("ValidationException", "maxResults must be between 0 and 1000.")
        more = {"nextToken": str(start + size)} if start + size < len(found) else {}
        return {"items": found[start : start + size], **more}

    def _of(self, account: str, region: str) -> Iterable[dict[str, Any]]:
        for instance in self._instances(account, region):
            kind = instance.kind
            if instance.state is State.RUNNING and kind.instance_type == "m6i.2xlarge":
                told = ("Rightsize", kind.instance_type, "m6i.xlarge", 138.24)
                yield self._item(account, region, kind.instance_id, "Ec2Instance", told)
        for volume in self._volumes(account, region):
            if not volume.instance_id and volume.size >= 400:
                told = ("Delete", f"{volume.kind} {volume.size} GiB", "", round(volume.size * 0.091, 2))
                yield self._item(account, region, volume.volume_id, "EbsVolume", told)

    def _plan(self, account: str) -> dict[str, Any]:
        told = ("PurchaseSavingsPlans", "", "Compute Savings Plan, 1 year, no upfront", 212.5)
        return self._item(account, "", "", "ComputeSavingsPlans", told)

    def _item(self, account: str, region: str, resource: str, kind: str, told: tuple[str, str, str, float]) -> dict[str, Any]:
        action, current, recommended, saving = told
        number = hashlib.sha256(f"{account}:{region}:{resource}:{action}".encode()).hexdigest()[:32]
        # Reckoned once a day, at midnight (UTC).
        refreshed = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "recommendationId": number,
            "accountId": account,
            **({"region": region, "resourceId": resource} if resource else {}),
            "currentResourceType": kind,
            "recommendedResourceType": kind,
            "estimatedMonthlySavings": saving,
            "currencyCode": "USD",
            "implementationEffort": "Low" if action == "Delete" else "Medium",
            "restartNeeded": action == "Rightsize",
            "actionType": action,
            "rollbackPossible": action == "Rightsize",
            "currentResourceSummary": current,
            "recommendedResourceSummary": recommended,
            "lastRefreshTimestamp": refreshed.timestamp(),
            "recommendationLookbackPeriodInDays": _LOOKBACK,
            "source": "ComputeOptimizer",
        }


def _priced(cost: float) -> dict[str, Any]:
    return {
        "estimatedCostBeforeDiscounts": cost,
        "estimatedNetUnusedAmortizedCommitments": 0.0,
        "estimatedDiscounts": {"savingsPlansDiscount": 0.0, "reservedInstancesDiscount": 0.0, "otherDiscount": 0.0},
        "estimatedCostAfterDiscounts": cost,
    }
