"""Keeping the sums over all sources: what is replaced is marked in the same transaction, and summed again soon after.

A sum that waits is never wrong: readers take marked days from the facts. Summing takes one month of one cube at a time, so it can
be stopped anywhere, and is also how an installation gets the first sums of facts that it already has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Count, F, OuterRef, Q, Sum, Value

from cloudconsole.core.money import ExactSum
from costs.models import (
    METRICS,
    CostFact,
    CostMonth,
    CostMonthSlice,
    CostRollup,
    CostRollupSlice,
    CostSlice,
    Kept,
    RolledMonth,
    RollupMark,
)
from costs.rules.cubes import ASIDE, Dimension
from costs.rules.windows import first_of_month
from costs.services import copying

RUN = "costs.roll_up"

_DAY = timedelta(days=1)
_COLUMNS: dict[Kept, tuple[str, ...]] = {
    Kept.NONE: (),
    Kept.FIRST: ("first_id",),
    Kept.SECOND: ("second_id",),
    Kept.BOTH: ("first_id", "second_id"),
}


def mark(*, cube: int, days: Collection[date]) -> None:
    """Say that the facts of these days are others now. Call in the transaction that replaces them."""
    if cube >= ASIDE:  # on the shelf, where nobody asks
        return
    by_month: dict[date, list[date]] = defaultdict(list)
    for day in days:
        by_month[first_of_month(day)].append(day)
    RollupMark.objects.bulk_create(
        RollupMark(cube=cube, month=month, start=min(inside), end=max(inside) + _DAY) for month, inside in by_month.items()
    )


def forget() -> None:
    """Nothing that was summed holds any more; everything is read from the facts until it has been summed again."""
    RolledMonth.objects.all().delete()


def forget_on_delete(**_: object) -> None:
    """For the signal that a source's row is being deleted, and all its facts with it."""
    forget()


def is_behind() -> bool:
    """Whether there is anything to sum."""
    return RollupMark.objects.exists() or _new_months().exists()


def catch_up() -> None:
    """Sum what is marked or new, the newest months first. Two workers at once do no harm: they take turns at each month."""
    waiting = {*RollupMark.objects.values_list("month", "cube"), *_new_months().values_list("month", "cube")}
    for month, cube in sorted(waiting, reverse=True):
        RolledMonth.objects.get_or_create(cube=cube, month=month)
        _sum(cube, month)


def _new_months() -> models.QuerySet[Any]:
    """Months of cubes that have never been summed."""
    summed = RolledMonth.objects.filter(cube=OuterRef("cube"), month=OuterRef("month"), builds__gt=0)
    return CostMonthSlice.objects.filter(~models.Exists(summed), cube__lt=ASIDE).order_by().distinct()


@transaction.atomic
def _sum(cube: int, month: date) -> None:
    # Whoever sums the same month waits here, and then sees what was marked meanwhile.
    summed = RolledMonth.objects.select_for_update().filter(cube=cube, month=month).first()
    marks = list(RollupMark.objects.filter(cube=cube, month=month))
    if summed is None or (summed.builds and not marks):
        return
    next_month = first_of_month(month, months=1)
    start = min(mark.start for mark in marks) if summed.builds else month
    end = max(mark.end for mark in marks) if summed.builds else next_month
    _sum_days(cube, start, end)
    _sum_month(cube, month)
    # Facts that were replaced since then are marked again: these marks alone have been seen to.
    RollupMark.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    RolledMonth.objects.filter(pk=summed.pk).update(builds=F("builds") + 1)


def _sum_days(cube: int, start: date, end: date) -> None:
    inside = {"cube": cube, "day__gte": start, "day__lt": end}
    CostRollup.objects.filter(is_month=False, **inside).delete()
    CostRollupSlice.objects.filter(is_month=False, **inside).delete()
    for kept in _kept(cube, first_of_month(start)):
        _roll_up(CostFact.objects.filter(**inside), "day", kept)
    complete, estimated = Count("pk", filter=Q(complete=True)), Count("pk", filter=Q(estimated=True))
    counts = {"c_days": Count("pk"), "c_complete": complete, "c_estimated": estimated}
    _roll_up_slices(CostSlice.objects.filter(**inside), "day", counts)


def _sum_month(cube: int, month: date) -> None:
    CostRollup.objects.filter(is_month=True, cube=cube, day=month).delete()
    CostRollupSlice.objects.filter(is_month=True, cube=cube, day=month).delete()
    for kept in _kept(cube, month):
        _roll_up(CostMonth.objects.filter(cube=cube, month=month), "month", kept)
    counts = {"c_days": Sum("days"), "c_complete": Sum("complete_days"), "c_estimated": Sum("estimated_days")}
    _roll_up_slices(CostMonthSlice.objects.filter(cube=cube, month=month), "month", counts)


def _kept(cube: int, month: date) -> Iterable[Kept]:
    """Pairs with accounts are as many as there are facts: nothing would be gained by summing those."""
    account = Q(first__dimension=Dimension.ACCOUNT) | Q(second__dimension=Dimension.ACCOUNT)
    has_accounts = CostMonth.objects.filter(account, cube=cube, month=month).exists()
    return [kept for kept in Kept if kept is not Kept.BOTH or not has_accounts]


def _roll_up(rows: models.QuerySet[Any], column: str, kept: Kept) -> None:
    columns = _COLUMNS[kept]
    keys = ("cube", column, *columns, "currency")
    sums = {f"{metric}_sum": ExactSum(metric) for metric in METRICS}
    grouped = rows.order_by(column, *columns).values(*keys).annotate(**sums, fact_count=Count("*"))
    constants = {"kept_as": Value(int(kept)), "of_month": Value(column == "month", output_field=models.BooleanField())}
    zeros = {name: Value(0) for name in ("none_1", "none_2")[len(columns) :]}
    told = grouped.annotate(**constants, **zeros).values_list(*keys, *sums, "fact_count", *constants, *zeros)
    missing = [name for name in ("first_id", "second_id") if name not in columns]
    targets = ("cube", "day", *columns, "currency", *METRICS, "facts", "kept", "is_month", *missing)
    copying.insert_from(CostRollup, targets, told)


def _roll_up_slices(rows: models.QuerySet[Any], column: str, counts: dict[str, Any]) -> None:
    sums = {f"{metric}_sum": ExactSum(metric) for metric in METRICS}
    keys = ("cube", column, "currency")
    grouped = rows.order_by(column).values(*keys).annotate(**counts, **sums)
    of_month = Value(column == "month", output_field=models.BooleanField())
    told = grouped.annotate(of_month=of_month).values_list(*keys, *counts, *sums, "of_month")
    targets = ("cube", "day", "currency", "days", "complete_days", "estimated_days", *METRICS, "is_month")
    copying.insert_from(CostRollupSlice, targets, told)
