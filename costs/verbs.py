"""What happens to costs that the audit trail tells."""

from __future__ import annotations

from audit.verbs import register

CAP_CHANGED = register("costs.cap_changed", "{actor} set the monthly cap of paid requests of {account} to {cap}")
SNAPSHOT_REQUESTED = register("snapshot.requested", "{actor} asked for the costs of {account}")
SNAPSHOT_FINISHED = register("snapshot.finished", "Fetching the costs of {account} ended")
SNAPSHOT_CANCELLED = register("snapshot.cancelled", "{actor} cancelled fetching the costs of {account}")
REPORT_SAVED = register("costs.report_saved", "{actor} saved the cost report “{name}”")
REPORT_DELETED = register("costs.report_deleted", "{actor} deleted the cost report “{name}”")
