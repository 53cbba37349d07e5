from __future__ import annotations

from cloudconsole.simulator.process import SimulatorHandle
from costs.models import CostFact, CostSlice, CostSource, SnapshotStatus, SnapshotTrigger
from costs.services import runs, snapshots


def test_a_first_fetch_stores_every_day_of_thirteen_months_and_the_current_one(
    aws: SimulatorHandle, payer: CostSource, admin: object
) -> None:
    requested = snapshots.request(source=payer, trigger=SnapshotTrigger.MANUAL, by=None)
    runs.run(snapshot_id=requested.snapshot.pk)

    requested.snapshot.refresh_from_db()
    print(requested.snapshot.__dict__)
    print(list(requested.snapshot.windows.values()))
    assert requested.snapshot.status == SnapshotStatus.SUCCEEDED
    print(CostFact.objects.count(), CostSlice.objects.count())
