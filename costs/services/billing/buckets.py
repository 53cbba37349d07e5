"""Buckets into which AWS writes billing exports: added, looked into, removed. What is new or changed becomes an import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

import audit.services
from accounts.models import AwsAccount, User
from cloudconsole import realtime
from cloudconsole.aws import s3
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import BillingBucket, CostImport, Engine, ImportStatus
from costs.rules import manifests
from costs.services.billing import exports, imports

# AWS refreshes an export up to three times a day.
EVERY = timedelta(hours=1)
_MOST_PAGES = 200


class BucketTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "billing_bucket_taken"
    title = "The bucket is looked into already"


class NothingThere(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_manifest"
    title = "There is no export"
    remedy = "Name the folder that holds the export's data and metadata, as AWS Data Exports wrote them."


class NotConfirmed(CloudconsoleError):
    code = "confirmation_required"
    title = "Removing a bucket needs its name"


@dataclass(frozen=True, slots=True)
class NewBucket:
    """`database`, `table` and `workgroup` are Athena's."""

    account: AwsAccount
    bucket: str
    region: str
    prefix: str = ""
    engine: Engine = Engine.INSTALLATION
    by_itself: bool = True
    database: str = ""
    table: str = ""
    workgroup: str = ""


def add(*, new: NewBucket, by: User) -> BillingBucket:
    """Look into the bucket from now on. Raises BucketTaken."""
    prefix = new.prefix.strip().strip("/")
    try:
        with transaction.atomic():
            bucket = BillingBucket.objects.create(
                account=new.account,
                bucket=new.bucket,
                region=new.region,
                prefix=prefix,
                engine=new.engine,
                by_itself=new.by_itself,
                database=new.database,
                table=new.table,
                workgroup=new.workgroup,
                next_check_at=clock.now(),
                created_by=by,
            )
            jobs.enqueue("costs.billing_tick")
            detail: dict[str, str | int] = {"engine": new.engine.value, "by_itself": new.by_itself}
            audit.services.record(verbs.BUCKET_ADDED, actor=by, subject=str(bucket), account=new.account, detail=detail)
    except IntegrityError as error:
        raise BucketTaken(f"s3://{new.bucket}/{prefix} is looked into already.", attr="bucket") from error
    return bucket


@transaction.atomic
def remove(*, bucket: BillingBucket, confirm: str, by: User) -> None:
    """Look no more. What was stored from it stays. Raises NotConfirmed unless `confirm` is the bucket's name."""
    if confirm != bucket.bucket:
        raise NotConfirmed(f"Confirm with the name “{bucket.bucket}”.", attr="confirm")
    audit.services.record(verbs.BUCKET_REMOVED, actor=by, subject=str(bucket), account=bucket.account)
    bucket.delete()


@transaction.atomic
def soon(*, bucket: BillingBucket, by: User) -> None:
    """Look as soon as a worker can."""
    BillingBucket.objects.filter(pk=bucket.pk).update(next_check_at=clock.now())
    jobs.enqueue("costs.billing_tick")
    audit.services.record(verbs.BUCKET_LOOKED_INTO, actor=by, subject=str(bucket), account=bucket.account)


def due() -> list[BillingBucket]:
    connected = BillingBucket.objects.filter(account__deleted_at=None).select_related("account")
    return list(connected.filter(Q(next_check_at=None) | Q(next_check_at__lte=clock.now())).order_by("pk"))


def look(*, bucket: BillingBucket) -> int:
    """Take up manifests that are new or changed; how many. Whoever moves the next time looks, so two at once look once."""
    mine = BillingBucket.objects.filter(pk=bucket.pk, next_check_at=bucket.next_check_at)
    if not mine.update(next_check_at=clock.now() + EVERY):
        return 0
    try:
        found = list(_manifests(bucket))
        if not found:
            raise NothingThere(f"No manifest of an export lies in s3://{bucket.bucket}/{bucket.prefix}.")
    except CloudconsoleError as error:
        _say(bucket, error)
        return 0
    _say(bucket, None)
    return sum(_take_up(bucket, found_one) for found_one in found)


def _manifests(bucket: BillingBucket) -> Iterator[s3.ObjectFacts]:
    access = exports.access_of(bucket)
    prefix = f"{bucket.prefix}/" if bucket.prefix else ""
    token: str | None = None
    for _ in range(_MOST_PAGES):
        page = s3.objects(access, bucket.region, bucket.bucket, prefix=prefix, delimiter="", token=token)
        yield from (found for found in page.objects if manifests.period_of(found.key))
        token = page.next_token
        if token is None:
            return
    raise NothingThere("There are too many objects to look through. Name the export's own folder as the prefix.")


def _take_up(bucket: BillingBucket, found: s3.ObjectFacts) -> bool:
    with transaction.atomic():
        row, is_new = CostImport.objects.get_or_create(
            bucket=bucket,
            name=found.key,
            digest=found.etag[:64],
            defaults={"status": ImportStatus.RECEIVED, "size": found.size},
        )
        if is_new:
            realtime.publish("import", row.pk)
            jobs.enqueue(imports.RUN, import_id=row.pk)
    return is_new


def _say(bucket: BillingBucket, error: CloudconsoleError | None) -> None:
    BillingBucket.objects.filter(pk=bucket.pk).update(
        checked_at=clock.now(),
        error_code=error.code if error else "",
        error_detail=error.detail if error else "",
        error_remedy=getattr(error, "remedy", "") if error else "",
    )
