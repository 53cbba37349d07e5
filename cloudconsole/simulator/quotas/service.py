"""Service Quotas (API reference): lists, single quotas, and requests for more, which somebody has to answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.quotas.story import BEDROCK_REGIONS, ROWS, US, Row
from cloudconsole.simulator.wire import AwsError

_MOST_OPEN = 20
_OPEN = frozenset({"PENDING", "CASE_OPENED"})
Place = tuple[str, str]


@dataclass(slots=True)
class _Wish:
    wish_id: str
    place: Place
    row: Row
    desired: float
    status: str
    requester: str
    created: datetime
    updated: datetime


class ServiceQuotas:
    """The quotas of all accounts. Safe to use from many threads."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._rows = list(ROWS)
            self._applied: dict[tuple[str, str, str], float | None] = {}
            self._wishes: list[_Wish] = []
            self.page = 100

    # --- what a test arranges

    def add(self, row: Row) -> None:
        with self._lock:
            self._rows = [*self._without(row.service, row.code), row]

    def remove(self, service: str, code: str) -> None:
        with self._lock:
            self._rows = self._without(service, code)

    def _without(self, service: str, code: str) -> list[Row]:
        return [row for row in self._rows if (row.service, row.code) != (service, code)]

    def apply(self, account: str, region: str, code: str, value: float | None) -> None:
        """Set what AWS applies in a place; None: nothing of its own, so that the list misses it."""
        with self._lock:
            self._applied[account, region, code] = value

    def decide(self, account: str, code: str, status: str) -> None:
        """Answer the open requests for a quota; APPROVED raises it."""
        with self._lock:
            for wish in self._wishes:
                if wish.place[0] == account and wish.row.code == code and wish.status in _OPEN:
                    wish.status, wish.updated = status, self._clock.now()
                    if status == "APPROVED":
                        self._applied[(*wish.place, code)] = wish.desired

    # --- the service

    def answer(self, operation: str, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        """Raises AwsError; permission was decided before."""
        serve = {
            "ListServices": self._list_services,
            "ListServiceQuotas": self._list,
            "ListAWSDefaultServiceQuotas": self._list_defaults,
            "GetServiceQuota": self._get,
            "RequestServiceQuotaIncrease": self._request,
            "ListRequestedServiceQuotaChangeHistory": self._history,
        }.get(operation)
        if serve is None:
            raise AwsError("UnknownOperationException", f"The operation {operation} is not simulated.")
        with self._lock:
            return serve(identity, arguments)

    def _list_services(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        """Services without a region of their own are listed where they are managed, and nowhere else."""
        there = {row.service: row.service_name for row in self._rows if _is_there(row, identity.region)}
        told = [{"ServiceCode": code, "ServiceName": name} for code, name in sorted(there.items())]
        return self._paged("Services", told, arguments)

    def _list(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        place = identity.account_id, identity.region
        found = [(row, self._value(place, row)) for row in self._of_service(identity, arguments)]
        shown = [_shown(row, value, place) for row, value in found if value is not None]
        return self._paged("Quotas", shown, arguments)

    def _list_defaults(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        place = identity.account_id, identity.region
        return self._paged(
            "Quotas", [_shown(row, row.default, place) for row in self._of_service(identity, arguments)], arguments
        )

    def _get(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        place = identity.account_id, identity.region
        row = self._row(identity, arguments)
        value = self._value(place, row)
        if value is None:
            raise AwsError("NoSuchResourceException", "The request failed because the specified quota has no applied value.")
        return {"Quota": _shown(row, value, place)}

    def _request(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        place = identity.account_id, identity.region
        row = self._row(identity, arguments)
        desired = float(arguments.get("DesiredValue", 0))
        in_force = self._value(place, row)
        if not row.adjustable:
            raise AwsError("IllegalArgumentException", "The quota is not adjustable.")
        if desired <= (row.default if in_force is None else in_force):
            raise AwsError("IllegalArgumentException", "You must provide a quota value greater than the current quota value.")
        mine = [wish for wish in self._wishes if wish.place[0] == place[0] and wish.status in _OPEN]
        if any(wish.place == place and wish.row.code == row.code for wish in mine):
            raise AwsError("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota.")
        if len(mine) >= _MOST_OPEN:
            raise AwsError("QuotaExceededException", f"You can have up to {_MOST_OPEN} open requests.")
        now = self._clock.now()
        wish = _Wish(uuid.uuid4().hex, place, row, desired, "PENDING", identity.arn, now, now)
        self._wishes.append(wish)
        return {"RequestedQuota": _told(wish)}

    def _history(self, identity: Identity, arguments: dict[str, Any]) -> dict[str, Any]:
        service, status = arguments.get("ServiceCode"), arguments.get("Status")
        mine = [
            _told(wish)
            for wish in self._wishes
            if wish.place == (identity.account_id, identity.region)
            and service in (None, wish.row.service)
            and status in (None, wish.status)
        ]
        return self._paged("RequestedQuotas", mine[::-1], arguments)

    def _of_service(self, identity: Identity, arguments: dict[str, Any]) -> Sequence[Row]:
        service = arguments.get("ServiceCode", "")
        rows = [row for row in self._rows if row.service == service and _is_there(row, identity.region)]
        if not rows:
            raise AwsError("NoSuchResourceException", "The request failed because the specified service does not exist.")
        return rows

    def _row(self, identity: Identity, arguments: dict[str, Any]) -> Row:
        code = arguments.get("QuotaCode")
        found = [row for row in self._of_service(identity, arguments) if row.code == code]
        if not found:
            raise AwsError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        return found[0]

    def _value(self, place: Place, row: Row) -> float | None:
        if (*place, row.code) in self._applied:
            return self._applied[(*place, row.code)]
        if row.only_default:
            return None
        return row.applied.get(place[0], row.default)

    def _paged(self, name: str, items: Sequence[dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
        size = int(arguments.get("MaxResults", 100))
        if not 1 <= size <= 100:
            raise AwsError("IllegalArgumentException", "MaxResults must be between 1 and 100.")
        token = str(arguments.get("NextToken", "0"))
        if not token.isdecimal():
            raise AwsError("InvalidPaginationTokenException", "Invalid input was provided.")
        start, size = int(token), min(size, self.page)
        more = {"NextToken": str(start + size)} if start + size < len(items) else {}
        return {name: list(items[start : start + size]), **more}


def _is_there(row: Row, region: str) -> bool:
    if row.is_global:
        return region == US
    return row.service != "bedrock" or region in BEDROCK_REGIONS


def _shown(row: Row, value: float, place: Place) -> dict[str, Any]:
    account, region = place
    told: dict[str, Any] = {
        "ServiceCode": row.service,
        "ServiceName": row.service_name,
        "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{row.service}/{row.code}",
        "QuotaCode": row.code,
        "QuotaName": row.name,
        "Value": value,
        "Unit": row.unit,
        "Adjustable": row.adjustable,
        "GlobalQuota": row.is_global,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
    if row.metric:
        namespace, name, dimensions, statistic = row.metric
        told["UsageMetric"] = {
            "MetricNamespace": namespace,
            "MetricName": name,
            "MetricDimensions": dict(dimensions),
            "MetricStatisticRecommendation": statistic,
        }
    if row.period:
        told["Period"] = {"PeriodValue": row.period[0], "PeriodUnit": row.period[1]}
    return told


def _told(wish: _Wish) -> dict[str, Any]:
    row = wish.row
    case = {"CaseId": wish.wish_id[:12]} if wish.status == "CASE_OPENED" else {}
    return {
        "Id": wish.wish_id,
        "ServiceCode": row.service,
        "ServiceName": row.service_name,
        "QuotaCode": row.code,
        "QuotaName": row.name,
        "DesiredValue": wish.desired,
        "Status": wish.status,
        "Created": wish.created.timestamp(),
        "LastUpdated": wish.updated.timestamp(),
        "Requester": f'{{"accountId":"{wish.place[0]}","callerArn":"{wish.requester}"}}',
        "GlobalQuota": row.is_global,
        "Unit": row.unit,
        **case,
    }
