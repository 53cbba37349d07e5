"""What happens to resources that the audit trail tells, beyond what it knows by itself."""

from __future__ import annotations

from audit.verbs import register

INVENTORY_REFRESHED = register("inventory.refreshed", "{actor} had AWS asked what runs in {accounts}")
INVENTORY_INTERVAL_CHANGED = register(
    "inventory.interval_changed", "{actor} has AWS asked every {seconds} seconds what runs in {account}"
)
VIEW_SAVED = register("saved_view.saved", "{actor} saved the view “{subject}” of a list")
VIEW_DELETED = register("saved_view.deleted", "{actor} deleted the saved view “{subject}”")

# buckets and what is in them
OBJECT_LINKED = register("object.linked", "{actor} made a link that downloads {target} from the bucket {subject} of {account}")

OPERATION_REQUESTED = register("operation.requested", "{actor} asked to {what} {name} in {account}")
OPERATION_APPROVED = register("operation.approved", "{actor} approved the wish to {what} {name} in {account}")
OPERATION_REJECTED = register("operation.rejected", "{actor} rejected the wish to {what} {name} in {account}")
OPERATION_CANCELLED = register("operation.cancelled", "{actor} took back the wish to {what} {name} in {account}")
OPERATION_EXPIRED = register("operation.expired", "Nobody attended in time to the wish to {what} {name} in {account}")
OPERATION_DROPPED = register(
    "operation.dropped", "The wish to {what} {name} in {account} was dropped: the account was disconnected"
)
OPERATION_SENT = register("operation.sent", "AWS was asked to {what} {name} in {account}, for {actor}")
OPERATION_FINISHED = register("operation.finished", "{title} {name} in {account}, for {actor}: {status}")
OPERATION_REFUSED = register("operation.refused", "{actor} was refused to {what} {name} in {account}: {code}")

# automation
SCHEDULE_CREATED = register("schedule.created", "{actor} made the schedule “{name}”")
SCHEDULE_CHANGED = register("schedule.changed", "{actor} changed the schedule “{name}”, and owns it now")
SCHEDULE_ARMED = register("schedule.armed", "{actor} armed the schedule “{name}”")
SCHEDULE_TRIED = register("schedule.tried", "{actor} put the schedule “{name}” on trial")
SCHEDULE_TRIAL_OVER = register("schedule.trial_over", "The trial of the schedule “{name}” ended: it is armed")
SCHEDULE_PAUSED = register("schedule.paused", "{actor} paused the schedule “{name}”")
SCHEDULE_GAVE_UP = register("schedule.gave_up", "The schedule “{name}” is paused: {reason}")
SCHEDULE_OVERRIDDEN = register("schedule.overridden", "{actor} set the schedule “{name}” to {what}")
SCALING_RULE_CREATED = register("scaling_rule.created", "{actor} made the scaling rule “{name}”")
SCALING_RULE_CHANGED = register("scaling_rule.changed", "{actor} changed the scaling rule “{name}”, and owns it now")
SCALING_RULE_ARMED = register("scaling_rule.armed", "{actor} armed the scaling rule “{name}”")
SCALING_RULE_TRIED = register("scaling_rule.tried", "{actor} put the scaling rule “{name}” on trial")
SCALING_RULE_TRIAL_OVER = register("scaling_rule.trial_over", "The trial of the scaling rule “{name}” ended: it is armed")
SCALING_RULE_PAUSED = register("scaling_rule.paused", "{actor} paused the scaling rule “{name}”")
SCALING_RULE_GAVE_UP = register("scaling_rule.gave_up", "The scaling rule “{name}” is paused: {reason}")
SCALING_RULE_DELETED = register("scaling_rule.deleted", "{actor} deleted the scaling rule “{name}”")
SCHEDULE_DELETED = register("schedule.deleted", "{actor} deleted the schedule “{name}”")

# quotas
QUOTA_THRESHOLDS_SET = register(
    "quota.thresholds_set",
    "{actor} has the quota “{name}” of {account} warn from {warning} % and be critical from {critical} % on",
)
