"""Which bucket somebody means who wants to look into it or change what is in it."""

from __future__ import annotations

from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Bucket


class BucketNotFound(CloudconsoleError):
    """The inventory knows none of that name, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "bucket_not_found"
    title = "Not found"


def bucket_for(user: User, name: str, permission: Perm, *, account: str = "") -> Bucket:
    """The bucket called `name`; the names of buckets are unique all over AWS, so `account` only narrows.

    Raises BucketNotFound, AccountNotFound, or NotAllowedHere when it may only be seen.
    """
    seen = Bucket.objects.present().visible_to(user, Perm.RESOURCES_VIEW).filter(name=name)
    if account:
        seen = seen.filter(account=aws_accounts.get_for(user, account, Perm.RESOURCES_VIEW))
    bucket = seen.select_related("account__hub").order_by("-observed_at").first()
    if bucket is None:
        raise BucketNotFound("There is no such bucket, or none that you may see. One made elsewhere appears with the next scan.")
    aws_accounts.require(user, bucket.account, permission)
    return bucket
