from resources.models.inventory import (
    Bucket,
    Function,
    Instance,
    InstancePrice,
    StateTransition,
    TransitionSource,
)
from resources.models.operations import Operation, OperationCall
from resources.models.saved_views import SavedView
from resources.models.scans import (
    GLOBAL,
    SYNC_OPEN,
    InventorySource,
    InventorySync,
    Scan,
    ScanStatus,
    Service,
    SyncStatus,
    SyncTrigger,
)

__all__ = [
    "GLOBAL",
    "SYNC_OPEN",
    "Bucket",
    "Function",
    "Instance",
    "InstancePrice",
    "InventorySource",
    "InventorySync",
    "Operation",
    "OperationCall",
    "SavedView",
    "Scan",
    "ScanStatus",
    "Service",
    "StateTransition",
    "SyncStatus",
    "SyncTrigger",
    "TransitionSource",
]
