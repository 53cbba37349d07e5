"""Writing down what AWS tells of S3 buckets: that they are there, how they are kept, and what CloudWatch measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import AwsAccount
from cloudconsole import realtime
from cloudconsole.aws.cloudwatch import BucketMeasure
from cloudconsole.aws.s3 import BucketDetails, BucketFacts
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Bucket
from resources.services.inventory import rows
from resources.services.inventory.instances import Asked
from resources.services.inventory.rows import Columns, Place

_COLUMNS = Columns(("region", "created_at"))
# Four questions for each bucket, and CloudWatch charges for its figures, which change once a day.
DETAILS_EVERY = timedelta(hours=1)
MEASURES_EVERY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one bucket beyond its being there. None: not asked; an error: could not be read."""

    name: str
    details: BucketDetails | CloudconsoleError | None = None
    measure: BucketMeasure | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """Names of buckets whose settings, and whose figures, are known well enough."""

    details: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()


@transaction.atomic
def observe(*, account: AwsAccount, facts: Sequence[BucketFacts], asked: Asked) -> int:
    """Store which buckets there are; the number of those that are new or changed."""
    found = [_row(account, one, asked) for one in facts]
    merged = rows.merge(Bucket, found, Place({"account": account}, "name"), _COLUMNS)
    if merged:
        realtime.publish("bucket", "", account.pk)
    return len(merged.new) + len(merged.changed)


@transaction.atomic
def mark_gone(*, account: AwsAccount, asked: Asked) -> int:
    """A complete list that was asked for at `asked.asked_at` no longer named these."""
    missing = Bucket.objects.present().filter(account=account, observed_at__lt=asked.asked_at)
    count = missing.update(gone_at=asked.answered_at)
    if count:
        realtime.publish("bucket", "", account.pk)
    return count


@transaction.atomic
def mark_deleted(*, account: AwsAccount, name: str, at: datetime) -> None:
    """AWS said at `at` that it deleted the bucket: no scan needs to miss it first."""
    Bucket.objects.present().filter(account=account, name=name, observed_at__lte=at).update(gone_at=at)
    realtime.publish("bucket", name, account.pk)


def fresh(account: AwsAccount, now: datetime) -> Fresh:
    """The buckets that need not be looked at again yet."""
    present = Bucket.objects.present().filter(account=account)
    details = present.filter(details_at__gte=now - DETAILS_EVERY).values_list("name", flat=True)
    figures = present.filter(measured_at__gte=now - MEASURES_EVERY).values_list("name", flat=True)
    return Fresh(frozenset(details), frozenset(figures))


@transaction.atomic
def look(*, account: AwsAccount, looks: Sequence[Look], asked: Asked) -> None:
    """Store settings and figures of buckets that are known. What could not be read says why and keeps its last value."""
    known = {
        row.name: row for row in Bucket.objects.select_for_update().filter(account=account, name__in=[x.name for x in looks])
    }
    for one in looks:
        if (row := known.get(one.name)) is not None:
            _apply(row, one, asked)
    Bucket.objects.bulk_update(known.values(), _LOOKED_AT, batch_size=100)
    if known:
        realtime.publish("bucket", "", account.pk)


_LOOKED_AT = (
    "public_access_blocked", "versioning", "encryption", "tags", "searched", "details_code", "details_at", "size_by_class",
    "size_bytes", "object_count", "measured_on", "measured_at",
)  # fmt: skip


def _apply(row: Bucket, found: Look, asked: Asked) -> None:
    if isinstance(found.details, CloudconsoleError):
        row.details_code, row.details_at = rows.text(Bucket, "details_code", found.details.code), asked.answered_at
    elif found.details is not None:
        _apply_details(row, found.details)
        row.details_code, row.details_at = "", asked.answered_at
    if found.measure is not None:
        row.measured_at = asked.answered_at
        if found.measure.measured_on is not None:
            _apply_measure(row, found.measure, found.measure.measured_on)


def _apply_details(row: Bucket, details: BucketDetails) -> None:
    row.public_access_blocked = details.public_access_blocked
    row.versioning = rows.text(Bucket, "versioning", details.versioning)
    row.encryption = rows.text(Bucket, "encryption", details.encryption)
    row.tags = rows.tags(details.tags or {})
    row.searched = rows.searched(row.name, tags=row.tags)


def _apply_measure(row: Bucket, measure: BucketMeasure, day: date) -> None:
    row.measured_on = day
    row.size_by_class = {name[:64]: size for name, size in sorted(measure.size_bytes_by_class.items())}
    # S3 tells no size of an empty bucket, only that it holds nothing.
    is_known = bool(row.size_by_class) or measure.object_count == 0
    row.size_bytes = sum(row.size_by_class.values()) if is_known else None
    row.object_count = measure.object_count


def _row(account: AwsAccount, facts: BucketFacts, asked: Asked) -> Bucket:
    name = rows.text(Bucket, "name", facts.name)
    return Bucket(
        account=account,
        region=rows.text(Bucket, "region", facts.region),
        name=name,
        created_at=facts.created_at,
        searched=rows.searched(name, tags={}),
        observed_at=asked.asked_at,
        first_seen_at=asked.asked_at,
    )
