"""Accounts that only billing files tell: of which days costs of them are to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max, Min

from cloudconsole.core import clock
from costs.models import CostMonthSlice, CostSource
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange, first_of_month

# A month's export is whole a few days after its end. Who has not brought one this long after the last month brings no more.
LATE = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Filed:
    """`spans`: by source, from its first month in a file on; to the end of its last one where no more files come.

    None where no file tells anything of it any more.
    """

    spans: Mapping[int, DayRange | None]
    ended: frozenset[int]

    def days(self, source: int, within: DayRange) -> int:
        """How many days of `within` this source should tell."""
        span = self.spans.get(source, within)
        if span is None:
            return 0
        return max(0, (min(span.end, within.end) - max(span.start, within.start)).days)


NOBODY = Filed({}, frozenset())


def among(sources: Iterable[CostSource]) -> Filed:
    """Those of `sources` that only files tell, as far as any does. All others tell every day, or it is missing."""
    only_files = [source.pk for source in sources if source.is_imported]
    if not only_files:
        return NOBODY
    months = CostMonthSlice.objects.filter(source__in=only_files, cube=Cube.TOTAL).order_by().values_list("source")
    spans: dict[int, DayRange | None] = dict.fromkeys(only_files)
    ended = set(only_files)
    for source, first, last in months.annotate(first=Min("month"), last=Max("month")):
        end = first_of_month(last, months=1)
        if end + LATE >= clock.today():
            end = date.max
            ended.discard(source)
        spans[source] = DayRange(first, end)
    return Filed(spans, frozenset(ended))
