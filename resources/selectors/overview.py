"""What runs in a few figures, and what the search finds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, Min, QuerySet, Value

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import Bucket, Function, Instance, Scan, ScanStatus
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
    """The figures of `accounts`, of what `user` may see there, in one query."""
    found = {(row.kind, row.group): row for row in _tallies(user, accounts)}
    scans = {status: row for (kind, status), row in found.items() if kind == "scan"}
    instances = {state: row.number for (kind, state), row in found.items() if kind == "instance" and state != TERMINATED}
    return WhatRuns(
        asked=any(row.oldest for row in scans.values()),
        running=instances.get(RUNNING, 0),
        instances=sum(instances.values()),
        buckets=found.get(("bucket", ""), _NONE).number,
        functions=found.get(("function", ""), _NONE).number,
        failed=scans.get(ScanStatus.FAILED, _NONE).number,
        as_of=scans.get(ScanStatus.COMPLETE, _NONE).oldest,
    )


class _Tally(NamedTuple):
    """How many there are of one kind in one state, and when the longest unseen of them was seen."""

    kind: str
    group: str
    number: int
    oldest: datetime | None


_NONE = _Tally("", "", 0, None)


def _tallies(user: User, accounts: Sequence[AwsAccount]) -> list[_Tally]:
    kinds: tuple[tuple[str, QuerySet[Any], Any], ...] = (
        ("instance", Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), F("state")),
        ("bucket", Bucket.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), Value("")),
        ("function", Function.objects.visible_to(user, Perm.RESOURCES_VIEW).present(), Value("")),
        ("scan", Scan.objects.visible_to(user, Perm.RESOURCES_VIEW), F("status")),
    )
    first, *others = (
        rows.filter(account__in=accounts)
        .order_by()
        .annotate(kind=Value(kind), group=group)
        .values("kind", "group")
        .annotate(count=Count("pk"), oldest=Min("observed_at"))
        .values_list("kind", "group", "count", "oldest")
        for kind, rows, group in kinds
    )
    return [_Tally(*row) for row in first.union(*others, all=True)]


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
