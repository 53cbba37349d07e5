"""What of the facts is summed over all sources, as one person's questions find it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import DateField, F, OuterRef, QuerySet, Subquery, Value

from costs.models import CostMonthSlice, CostSource, DimensionValue, RolledMonth, RollupMark
from costs.rules import rollups
from costs.rules.cubes import DIMENSIONS, Cube
from costs.rules.rollups import Cut
from costs.rules.windows import DayRange
from costs.selectors import plans
from costs.selectors.plans import Values

_NO_DAY = Value(date.min, output_field=DateField())
_Place = tuple[int, date]  # a cube and the first day of a month


@dataclass(frozen=True, slots=True)
class Rolled:
    """`builds`: how often a month of a cube was summed; `marks`: its days that changed since. `sources`: all that have costs.
    `since`: before this day nothing at all is stored.

    Two that are equal found the same facts and the same sums in the database.
    """

    builds: Mapping[_Place, int] = field(default_factory=dict)
    marks: Mapping[_Place, Sequence[tuple[int, DayRange]]] = field(default_factory=dict)
    sources: frozenset[int] = frozenset()
    since: date = date.min

    def days(self, cube: int, ranges: Sequence[DayRange]) -> Cut:
        return rollups.by_days(ranges, is_summed=lambda month: (cube, month) in self.builds, marked=self._marked(cube))

    def months(self, cube: int, months: DayRange | None) -> Cut:
        return rollups.by_months(months, is_summed=lambda month: (cube, month) in self.builds, marked=self._marked(cube))

    def _marked(self, cube: int) -> list[DayRange]:
        return [days for (of, _), marks in self.marks.items() if of == cube for _, days in marks]


NOTHING = Rolled()


def find() -> Rolled:
    """As it is now, in one query."""
    return _rolled(_summed().union(_marked(), _told(), all=True))


def look_up() -> tuple[Rolled, Values]:
    """The same, and the values that costs are told by, still in one query."""
    pieces = [piece.annotate(value=Value(""), label=Value("")) for piece in (_summed(), _marked(), _told())]
    rows = list(_values().union(*pieces, all=True))
    values = Values()
    for dimension, pk, *_, value, label in rows:
        if dimension in DIMENSIONS:
            values.add(pk, dimension, value, label)
    return _rolled(row[:-2] for row in rows if row[0] not in DIMENSIONS), values


def _rolled(rows: Iterable[tuple[Any, ...]]) -> Rolled:
    builds: dict[_Place, int] = {}
    marks: dict[_Place, list[tuple[int, DayRange]]] = {}
    sources: set[int] = set()
    first_months: list[date] = []
    for kind, number, cube, month, start, end in rows:
        match kind:
            case "summed":
                builds[cube, month] = number
            case "marked":
                marks.setdefault((cube, month), []).append((number, DayRange(start, end)))
            case _ if month:
                sources.add(number)
                first_months.append(month)
    if not builds:
        return NOTHING
    changed = {place: tuple(sorted(found)) for place, found in marks.items()}
    return Rolled(builds, changed, frozenset(sources), min(first_months, default=date.min))


def _values() -> QuerySet[Any, Any]:
    told = DimensionValue.objects.filter(plans.OF_FEW).annotate(none=Value(0), no_day=_NO_DAY)
    return told.values_list("dimension", "pk", "none", "no_day", F("no_day"), F("no_day"), "value", "label")


def _summed() -> QuerySet[Any, Any]:
    summed = RolledMonth.objects.filter(builds__gt=0).annotate(kind=Value("summed"))
    return summed.values_list("kind", "builds", "cube", "month", F("month"), F("month"))


def _marked() -> QuerySet[Any, Any]:
    marks = RollupMark.objects.annotate(kind=Value("marked"))
    return marks.values_list("kind", "pk", "cube", "month", "start", "end")


def _told() -> QuerySet[Any, Any]:
    """The sources, with the first month that they have costs of: nothing is stored of one without a control total."""
    months = CostMonthSlice.objects.filter(cube=Cube.TOTAL, source=OuterRef("pk")).order_by("month").values("month")[:1]
    told = CostSource.objects.annotate(kind=Value("told"), none=Value(0), first=Subquery(months), no_day=_NO_DAY)
    return told.order_by().values_list("kind", "pk", "none", "first", "no_day", F("no_day"))
