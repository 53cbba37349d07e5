from costs.models.facts import METRICS, Amounts, CostFact, CostMonth, CostRestatement, CostSlice, Cube, DimensionValue
from costs.models.snapshots import (
    CostExplorerRequest,
    CostSnapshot,
    SnapshotStatus,
    SnapshotTrigger,
    SnapshotWindow,
    WindowStatus,
)
from costs.models.sources import BillingScope, CostSource, SourceStatus

__all__ = [
    "METRICS",
    "Amounts",
    "BillingScope",
    "CostExplorerRequest",
    "CostFact",
    "CostMonth",
    "CostRestatement",
    "CostSlice",
    "CostSnapshot",
    "CostSource",
    "Cube",
    "DimensionValue",
    "SnapshotStatus",
    "SnapshotTrigger",
    "SnapshotWindow",
    "SourceStatus",
    "WindowStatus",
]
