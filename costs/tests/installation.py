"""An installation of its own in other processes, which a test may kill. Commands: prepare, work, resume, tell."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import time_machine
from django.db.models import F

from accounts.models import AuthMethod, AwsAccount
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from costs.models import CostExplorerRequest, CostFact, CostMonth, CostSlice, CostSnapshot, CostSource
from costs.rules.cubes import Cube
from costs.services import runs, ticks
from costs.services.leases import LEASE


def main(command: str, given: dict[str, str]) -> None:
    moment = datetime.fromisoformat(given["now"])
    with time_machine.travel(moment, tick=True):
        {"prepare": _prepare, "work": _work, "resume": _resume, "tell": _tell}[command](given)


def _prepare(given: dict[str, str]) -> None:
    account = AwsAccount.objects.create(
        alias="management", account_id=given["account"], auth_method=AuthMethod.ACCESS_KEY, capabilities=["costs"], status="ok"
    )
    credentials.store(account=account, key=KeyInput(given["key"], given["secret"]))
    CostSource.objects.create(account=account, scope="payer", backfilled_from="2025-10-01")
    ticks.tick()


def _work(given: dict[str, str]) -> None:
    runs.run(snapshot_id=CostSnapshot.objects.get().pk)


def _resume(given: dict[str, str]) -> None:
    """What beat and a new worker do once the dead one's lease is over."""
    with time_machine.travel(datetime.fromisoformat(given["now"]) + LEASE + timedelta(minutes=1), tick=True):
        ticks.tick()
        _work(given)


def _tell(given: dict[str, str]) -> None:
    snapshot = CostSnapshot.objects.get()

    def total(rows: object) -> str:
        return str(sum((row.unblended for row in rows), Decimal(0)).normalize())  # type: ignore[attr-defined]

    print(  # noqa: T201 - the parent reads it
        json.dumps(
            {
                "status": snapshot.status,
                "windows": list(snapshot.windows.values_list("status", flat=True)),
                "requests": snapshot.requests,
                "sent": CostExplorerRequest.objects.filter(outcome="sent").count(),
                "facts": CostFact.objects.count(),
                "total": total(CostSlice.objects.filter(cube=Cube.TOTAL)),
                "fact_total": total(CostFact.objects.filter(cube=Cube.SERVICE_RECORD_TYPE)),
                "month_total": total(CostMonth.objects.filter(cube=Cube.SERVICE_RECORD_TYPE)),
                "slices_twice": CostSlice.objects.filter(snapshot__lt=F("snapshot")).count(),
            }
        )
    )
