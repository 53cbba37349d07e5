"""Log groups of CloudWatch Logs (API reference): what Lambda made for its functions, and what people keep for ever."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import DEVELOPMENT, PRODUCTION, STAGING
from cloudconsole.simulator.wire import AwsError

US, EU = "us-east-1", "eu-central-1"
_CREATED_MS = 1_738_579_267_000  # 3 February 2025
_GIB = 2**30
_RETENTIONS = frozenset((1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653))


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    region: str
    gib: int
    retention: int | None = None


_STORY: dict[str, tuple[Row, ...]] = {
    PRODUCTION: (
        Row("/aws/lambda/resize-images", US, 410),
        Row("/ecs/shop", US, 1900),
        Row("/ecs/payments", EU, 620, 365),
        Row("vpc-flow-logs", EU, 2750),
    ),
    STAGING: (Row("/ecs/shop", EU, 140), Row("load-tests", US, 12, 14)),
    DEVELOPMENT: (Row("/aws/codebuild/build", EU, 85), Row("/aws/lambda/greet", EU, 2, 30)),
}


class LogGroups:
    """The log groups of all accounts. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._retentions: dict[tuple[str, str, str], int] = {}

    def answer(self, operation: str, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        """Raises AwsError; permission was decided before."""
        with self._lock:
            if operation == "DescribeLogGroups":
                return self._describe(identity, arguments)
            if operation == "PutRetentionPolicy":
                return self._keep(identity, arguments)
        raise AwsError("UnknownOperationException", f"The operation {operation} is not simulated.")

    def _describe(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        size, start = int(arguments.get("limit", 50)), int(arguments.get("nextToken", 0))
        if not 1 <= size <= 50:
            raise AwsError("InvalidParameterException", "1 validation error detected: limit must be between 1 and 50")
        prefix = arguments.get("logGroupNamePrefix", "")
        found = [row for row in _rows(identity) if row.name.startswith(prefix)]
        more = {"nextToken": str(start + size)} if start + size < len(found) else {}
        return {"logGroups": [self._shown(identity, row) for row in found[start : start + size]], **more}

    def _keep(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        name, days = str(arguments.get("logGroupName", "")), arguments.get("retentionInDays")
        if name not in {row.name for row in _rows(identity)}:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        if days not in _RETENTIONS:
            raise AwsError("InvalidParameterException", "The retention is none of the values that are allowed.")
        self._retentions[identity.account_id, identity.region, name] = int(days)
        return {}

    def _shown(self, identity: Identity, row: Row) -> dict[str, Any]:
        days = self._retentions.get((identity.account_id, identity.region, row.name), row.retention)
        return {
            "logGroupName": row.name,
            "creationTime": _CREATED_MS,
            "storedBytes": row.gib * _GIB,
            "logGroupClass": "STANDARD",
            "metricFilterCount": 0,
            "arn": f"arn:aws:logs:{identity.region}:{identity.account_id}:log-group:{row.name}:*",
            **({"retentionInDays": days} if days else {}),
        }


def _rows(identity: Identity) -> list[Row]:
    found = (row for row in _STORY.get(identity.account_id, ()) if row.region == identity.region)
    return sorted(found, key=lambda row: row.name)
