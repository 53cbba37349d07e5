"""Making, emptying and deleting buckets, and deleting what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from accounts.models import AwsAccount, User
from cloudconsole.aws import names
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Bucket, Operation
from resources.rules.actions import ACTIONS
from resources.rules.operations import Status, needs_approval
from resources.services import operations, places
from resources.services.operations import Target
from resources.services.operations.refusals import NotConfirmed

MAX_OBJECTS = 1_000  # what one request to S3 deletes
_CREATED_WITHIN = timedelta(seconds=20)


class InvalidBucketName(CloudconsoleError):
    code = "bucket_name_invalid"
    title = "S3 does not take the name"


class InvalidSelection(CloudconsoleError):
    code = "selection_invalid"
    title = "These objects cannot be deleted at once"


class BucketNotMade(CloudconsoleError):
    """AWS was asked, and it did not come to the bucket that was wanted."""

    kind = Kind.CONFLICT
    code = "bucket_not_made"
    title = "The bucket was not made as it was wanted"

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.outcome_detail)
        self.code = operation.outcome_code or self.code
        self.remedy = operation.outcome_remedy


@dataclass(frozen=True, slots=True)
class Made:
    """A new bucket; while AWS is still at work there is only the operation."""

    operation: Operation
    bucket: Bucket | None


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object, or one version of it."""

    key: str
    version_id: str = ""


def create(*, account: AwsAccount, name: str, region: str, versioning: bool, by: User) -> Made:
    """A bucket of the account: private, encrypted by default.

    Raises InvalidBucketName, UnknownRegion, BucketNameTaken, BucketNotMade, AwsError, and what `operations.request` raises.
    """
    if fault := names.fault_of_new_bucket(name):
        raise InvalidBucketName(fault, attr="name")
    operation = operations.request(
        action="s3.create",
        target=Target(account, places.region_in(account, region), name, name),
        by=by,
        parameters={"versioning": versioning},
    )
    operation = operations.perform(operation, within=_CREATED_WITHIN)
    if operation.is_open:
        return Made(operation, None)
    if operation.status != Status.SUCCEEDED:
        raise BucketNotMade(operation)
    return Made(operation, Bucket.objects.select_related("account").get(account=account, name=name))


def empty(*, bucket: Bucket, confirm: str, by: User, reason: str = "") -> Operation:
    """Ask for everything in it to be deleted. Raises what `operations.request` raises."""
    return operations.request(action="s3.empty", target=_target(bucket), by=by, confirm=confirm, reason=reason)


def delete(*, bucket: Bucket, confirm: str, and_empty: bool, by: User, reason: str = "") -> Operation:
    """Ask for it to be deleted, emptied before where that is wished. Raises BucketNotEmpty, what `operations.request` raises."""
    return operations.request(
        action="s3.delete",
        target=_target(bucket),
        by=by,
        confirm=confirm,
        parameters={"empty": and_empty},
        reason=reason,
    )


def delete_objects(*, bucket: Bucket, objects: Sequence[ObjectRef], by: User, confirm: str = "", reason: str = "") -> Operation:
    """Ask for objects or versions of them to be deleted; more than one want the bucket's name typed.

    Raises InvalidSelection, NotConfirmed, and what `operations.request` raises.
    """
    chosen = list(dict.fromkeys(objects))
    if not 0 < len(chosen) <= MAX_OBJECTS or any(not one.key for one in chosen):
        raise InvalidSelection(f"Choose 1 to {MAX_OBJECTS:,} objects.", attr="key")
    label = chosen[0].key if len(chosen) == 1 else f"({len(chosen)})"
    target = Target(bucket.account, bucket.region, bucket.name, f"{label} in {bucket.name}")
    if len(chosen) > 1 and confirm.strip() != bucket.name:
        operations.note_refusal("s3.delete_objects", target, by=by, code=NotConfirmed.code)
        raise NotConfirmed(f"Confirm by typing “{bucket.name}”.", attr="confirm")
    return operations.request(
        action="s3.delete_objects",
        target=target,
        by=by,
        parameters={"objects": [[one.key, one.version_id or None] for one in chosen]},
        reason=reason,
    )


def waits_for_approval(bucket: Bucket, action: str) -> bool:
    """Whether a second person has to agree before it happens."""
    account = bucket.account
    return needs_approval(ACTIONS[action], environment=account.environment, policy=account.approval)


def _target(bucket: Bucket) -> Target:
    return Target(bucket.account, bucket.region, bucket.name, bucket.name)
