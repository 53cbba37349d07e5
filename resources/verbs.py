"""What happens to resources that the audit trail tells, beyond what it knows by itself."""

from __future__ import annotations

from audit.verbs import register

INVENTORY_REFRESHED = register("inventory.refreshed", "{actor} had AWS asked what runs in {accounts}")

# buckets and what is in them
OBJECT_LINKED = register("object.linked", "{actor} made a link that downloads {target} from the bucket {subject} of {account}")
