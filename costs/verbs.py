"""What happens to costs that the audit trail tells, beyond what it knows by itself."""

from __future__ import annotations

from audit.verbs import register

CAP_CHANGED = register("costs.cap_changed", "{actor} set the monthly cap of paid requests of {account} to {cap}")
REPORT_SAVED = register("costs.report_saved", "{actor} saved the cost report “{name}”")
REPORT_DELETED = register("costs.report_deleted", "{actor} deleted the cost report “{name}”")
