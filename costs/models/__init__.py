from costs.models.facts import METRICS, Amounts, CostFact, CostMonth, CostMonthSlice, CostRestatement, CostSlice, DimensionValue
from costs.models.reports import SavedReport
from costs.models.snapshots import (
    OPEN,
    REQUEST_PRICE,
    CostExplorerRequest,
    CostSnapshot,
    SnapshotStatus,
    SnapshotTrigger,
    SnapshotWindow,
    WindowStatus,
)
from costs.models.sources import FETCHED_BY_ITSELF, REFUSED, BillingScope, CostSource, SourceStatus
from costs.rules.cubes import Cube

__all__ = [
    "FETCHED_BY_ITSELF",
    "METRICS",
    "OPEN",
    "REFUSED",
    "REQUEST_PRICE",
    "Amounts",
    "BillingScope",
    "CostExplorerRequest",
    "CostFact",
    "CostMonth",
    "CostMonthSlice",
    "CostRestatement",
    "CostSlice",
    "CostSnapshot",
    "CostSource",
    "Cube",
    "DimensionValue",
    "SavedReport",
    "SnapshotStatus",
    "SnapshotTrigger",
    "SnapshotWindow",
    "SourceStatus",
    "WindowStatus",
]
