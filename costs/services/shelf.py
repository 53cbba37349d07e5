"""Months that a billing file tells: what Cost Explorer said of them is kept beside, so that the choice can be taken back.

Kept figures stand in the same tables under their cube's number plus `ASIDE`, which no question reads.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import F, QuerySet

from costs.models import CostFact, CostMonth, CostMonthSlice, CostSlice, CostSource, ImportedPeriod
from costs.rules.cubes import ASIDE, Cube
from costs.rules.windows import first_of_month, month_of
from costs.services import closes, rollups

_DAY = timedelta(days=1)


def place_of(cube: Cube) -> int:
    return cube + ASIDE


def months_of_files(*, source: CostSource) -> frozenset[date]:
    """The months that files tell, which nobody changes until the transaction ends: call inside one."""
    CostSource.objects.select_for_update().only("pk").get(pk=source.pk)
    return frozenset(ImportedPeriod.objects.owning().filter(source=source).values_list("month", flat=True))


def shelve(*, source: CostSource, month: date) -> None:
    """Put the month's figures aside. Those of an earlier time aside are replaced; where there are none, nothing is."""
    shown = [rows.filter(cube__lt=ASIDE) for rows in _rows(source, month)]
    if not any(rows.exists() for rows in shown):
        return
    for rows in _rows(source, month):
        rows.filter(cube__gte=ASIDE).delete()
    _mark(source, month)
    for rows in shown:
        rows.update(cube=F("cube") + ASIDE)


def unshelve(*, source: CostSource, month: date) -> bool:
    """Take the month's figures from the shelf in the place of what is shown; False where there are none."""
    clear(source=source, month=month)
    moved = [rows.filter(cube__gte=ASIDE).update(cube=F("cube") - ASIDE) for rows in _rows(source, month)]
    _mark(source, month)
    closes.look_again(source=source, months=[month])
    return any(moved)


def clear(*, source: CostSource, month: date) -> None:
    """Remove what is shown of the month, and leave the shelf as it is."""
    _mark(source, month)
    for rows in _rows(source, month):
        rows.filter(cube__lt=ASIDE).delete()


def _mark(source: CostSource, month: date) -> None:
    """What is shown of the month now is about to change, or has just come."""
    whole = month_of(month)
    shown = CostMonthSlice.objects.filter(source=source, month=month, cube__lt=ASIDE).order_by()
    for cube in shown.values_list("cube", flat=True).distinct():
        rollups.mark(cube=cube, days=[whole.start, whole.end - _DAY])


def _rows(
    source: CostSource, month: date
) -> list[QuerySet[CostFact] | QuerySet[CostSlice] | QuerySet[CostMonth] | QuerySet[CostMonthSlice]]:
    days = {"source": source, "day__gte": month, "day__lt": first_of_month(month, months=1)}
    months = {"source": source, "month": month}
    return [
        CostFact.objects.filter(**days),
        CostSlice.objects.filter(**days),
        CostMonth.objects.filter(**months),
        CostMonthSlice.objects.filter(**months),
    ]
