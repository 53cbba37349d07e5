"""What runs in a few figures, and what the search finds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, Q, Value

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import Bucket, Function, Instance, Scan, ScanStatus
from resources.models.inventory import ResourceQuerySet
from resources.rules.uptime import RUNNING, TERMINATED


@dataclass(frozen=True, slots=True)
class WhatRuns:
    """Counts of what the inventory holds. `asked` False: nothing was ever read, so zeros mean nothing.

    `failed`: places whose last scan failed, so that their part of the counts is old or missing.
    """

    asked: bool
    running: int
    instances: int
    buckets: int
    functions: int
    failed: int
    as_of: datetime | None


def what_runs(user: User, accounts: Sequence[AwsAccount]) -> WhatRuns:
    """The figures of `accounts`, of what `user` may see there."""
    scans = Scan.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(account__in=accounts)
    asked = scans.aggregate(
        complete=Count("pk", filter=Q(observed_at__isnull=False)),
        failed=Count("pk", filter=Q(status=ScanStatus.FAILED)),
        as_of=Min("observed_at", filter=Q(status=ScanStatus.COMPLETE)),
    )
    counts = _counts(user, accounts)
    instances = {state: count for (kind, state), count in counts.items() if kind == "instance" and state != TERMINATED}
    return WhatRuns(
        asked=bool(asked["complete"]),
        running=instances.get(RUNNING, 0),
        instances=sum(instances.values()),
        buckets=counts.get(("bucket", ""), 0),
        functions=counts.get(("function", ""), 0),
        failed=asked["failed"],
        as_of=asked["as_of"],
    )


def _counts(user: User, accounts: Sequence[AwsAccount]) -> dict[tuple[str, str], int]:
    """How many there are by kind and state, in one query."""
    kinds: tuple[tuple[str, ResourceQuerySet[Any], Any], ...] = (
        ("instance", Instance.objects.all(), F("state")),
        ("bucket", Bucket.objects.all(), Value("")),
        ("function", Function.objects.all(), Value("")),
    )
    parts = [
        rows.visible_to(user, Perm.RESOURCES_VIEW)
        .present()
        .filter(account__in=accounts)
        .order_by()
        .annotate(kind=Value(kind), group=group)
        .values("kind", "group")
        .annotate(count=Count("pk"))
        .values_list("kind", "group", "count")
        for kind, rows, group in kinds
    ]
    return {(kind, group): count for kind, group, count in parts[0].union(*parts[1:], all=True)}


def instances_like(user: User, words: Sequence[str], limit: int) -> list[Instance]:
    return _like(Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), words, limit)


def buckets_like(user: User, words: Sequence[str], limit: int) -> list[Bucket]:
    return _like(Bucket.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), words, limit)


def functions_like(user: User, words: Sequence[str], limit: int) -> list[Function]:
    return _like(Function.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), words, limit)


def _like(rows: Any, words: Sequence[str], limit: int) -> list[Any]:
    """Those in which all the words occur, by name."""
    for word in words:
        rows = rows.filter(searched__contains=word)
    return list(rows.select_related("account").order_by("name", "pk")[:limit])
