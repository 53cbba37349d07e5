"""Buckets as their page shows them."""

from __future__ import annotations

from accounts.models import User
from cloudconsole.core.permissions import Perm
from resources.models import Bucket
from resources.selectors.objects import BucketNotFound


def at(user: User, account_id: int, name: str) -> Bucket:
    """The bucket of an account, gone or not. Raises BucketNotFound."""
    seen = Bucket.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account__hub")
    row = seen.filter(account_id=account_id, name=name).first()
    if row is None:
        raise BucketNotFound("There is no such bucket, or none that you may see.")
    return row


def size_by_class(row: Bucket) -> list[tuple[str, int]]:
    """Bytes by storage class, the largest first."""
    return sorted(row.size_by_class.items(), key=lambda pair: (-pair[1], pair[0]))
