"""What of the facts is summed over all sources, as one person's questions find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Value

from costs.models import CostMonthSlice, CostSource, RolledMonth, RollupMark
from costs.rules import rollups
from costs.rules.cubes import Cube
from costs.rules.rollups import Cut
from costs.rules.windows import DayRange

_Place = tuple[int, date]  # a cube and the first day of a month


@dataclass(frozen=True, slots=True)
class Rolled:
    """`builds`: how often a month of a cube was summed; `marks`: its days that changed since. `sources`: all that have costs.

    Two that are equal found the same facts and the same sums in the database.
    """

    builds: Mapping[_Place, int] = field(default_factory=dict)
    marks: Mapping[_Place, Sequence[tuple[int, DayRange]]] = field(default_factory=dict)
    sources: frozenset[int] = frozenset()

    def days(self, cube: int, ranges: Sequence[DayRange]) -> Cut:
        return rollups.by_days(ranges, is_summed=lambda month: (cube, month) in self.builds, marked=self._marked(cube))

    def months(self, cube: int, months: DayRange | None) -> Cut:
        return rollups.by_months(months, is_summed=lambda month: (cube, month) in self.builds, marked=self._marked(cube))

    def _marked(self, cube: int) -> list[DayRange]:
        return [days for (of, _), marks in self.marks.items() if of == cube for _, days in marks]


NOTHING = Rolled()


def find() -> Rolled:
    """As it is now, in one query."""
    builds: dict[_Place, int] = {}
    marks: dict[_Place, list[tuple[int, DayRange]]] = {}
    sources: set[int] = set()
    for kind, number, cube, month, start, end in _summed().union(_marked(), _told(), all=True):
        match kind:
            case "summed":
                builds[cube, month] = number
            case "marked":
                marks.setdefault((cube, month), []).append((number, DayRange(start, end)))
            case _:
                sources.add(number)
    return (
        Rolled(builds, {place: tuple(sorted(found)) for place, found in marks.items()}, frozenset(sources)) if builds else NOTHING
    )


def _summed() -> QuerySet[Any, Any]:
    summed = RolledMonth.objects.filter(builds__gt=0).annotate(kind=Value("summed"))
    return summed.values_list("kind", "builds", "cube", "month", F("month"), F("month"))


def _marked() -> QuerySet[Any, Any]:
    marks = RollupMark.objects.annotate(kind=Value("marked"))
    return marks.values_list("kind", "pk", "cube", "month", "start", "end")


def _told() -> QuerySet[Any, Any]:
    """The sources that have costs: nothing is stored of one without a control total. One row of each is enough to know."""
    first = CostMonthSlice.objects.filter(cube=Cube.TOTAL, source=OuterRef("pk")).order_by().values("month")[:1]
    told = CostSource.objects.annotate(kind=Value("told"), none=Value(0), any=Subquery(first)).filter(any__isnull=False)
    return told.order_by().values_list("kind", "pk", "none", "any", F("any"), F("any"))
