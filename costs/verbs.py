"""What happens to costs that the audit trail tells, beyond what it knows by itself."""

from __future__ import annotations

from audit.verbs import register

CAP_CHANGED = register("costs.cap_changed", "{actor} set the monthly cap of paid requests of {account} to {cap}")
