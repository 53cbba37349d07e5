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
