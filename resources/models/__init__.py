from resources.models.automation import Decision, Schedule, ScheduleState, Slot, SlotStatus
from resources.models.billed import Address, ListPrice, LoadBalancer, LogGroup, Snapshot, Volume
from resources.models.inventory import (
    Bucket,
    Function,
    Instance,
    InstancePrice,
    StateTransition,
    TransitionSource,
)
from resources.models.operations import Operation, OperationCall
from resources.models.quotas import ModelMinute, Quota, QuotaHour, QuotaIncrease, QuotaPlace, QuotaSample
from resources.models.saved_views import SavedView
from resources.models.scaling import ScalingRule
from resources.models.scans import (
    GLOBAL,
    SYNC_OPEN,
    WHAT_IS_BILLED,
    WHAT_RUNS,
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
    "WHAT_IS_BILLED",
    "WHAT_RUNS",
    "Address",
    "Bucket",
    "Decision",
    "Function",
    "Instance",
    "InstancePrice",
    "InventorySource",
    "InventorySync",
    "ListPrice",
    "LoadBalancer",
    "LogGroup",
    "ModelMinute",
    "Operation",
    "OperationCall",
    "Quota",
    "QuotaHour",
    "QuotaIncrease",
    "QuotaPlace",
    "QuotaSample",
    "SavedView",
    "ScalingRule",
    "Scan",
    "ScanStatus",
    "Schedule",
    "ScheduleState",
    "Service",
    "Slot",
    "SlotStatus",
    "Snapshot",
    "StateTransition",
    "SyncStatus",
    "SyncTrigger",
    "TransitionSource",
    "Volume",
]
