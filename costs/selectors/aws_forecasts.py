"""AWS's own forecasts beside ours, of the same days of the same bills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import EXACT, total
from cloudconsole.core.permissions import Perm
from costs.models import AwsForecast, CostSource, ForecastStatus
from costs.rules.windows import DayRange
from costs.selectors import forecasts
from costs.selectors.costs import Reader
from costs.selectors.forecasts import Outlook
from costs.selectors.questions import Question


class ForecastNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such forecast"


@dataclass(frozen=True, slots=True)
class Compared:
    """One bill: what AWS was asked last, and what the console's own model expects of the same days."""

    source: CostSource
    asked: AwsForecast | None
    own: Outlook | None

    @property
    def low(self) -> Decimal | None:
        """The sum of the months' own bounds, which is wider than that of their sum: AWS does not tell another."""
        return _sum([point.low for point in self.asked.points.all()]) if self.asked else None

    @property
    def high(self) -> Decimal | None:
        return _sum([point.high for point in self.asked.points.all()]) if self.asked else None

    @property
    def difference(self) -> Decimal | None:
        """AWS's amount beyond ours."""
        if self.asked is None or self.asked.amount is None or self.own is None or self.own.amount is None:
            return None
        return EXACT.subtract(self.asked.amount, self.own.amount)


def _sum(bounds: Sequence[Decimal | None]) -> Decimal | None:
    known = [bound for bound in bounds if bound is not None]
    return total(known) if known and len(known) == len(bounds) else None


def compared(user: User, sources: Iterable[CostSource], metric: Metric, until: date) -> list[Compared]:
    """Each bill that is asked by itself, with the newest forecast that AWS gave, or is giving, until then."""
    asked = AwsForecast.objects.visible_to(user, Perm.COSTS_VIEW).filter(metric=metric.value, end=until)
    newest: dict[int, AwsForecast] = {}
    for one in asked.prefetch_related("points").order_by("pk"):
        newest[one.source_id] = one
    return [_compared(user, source, newest.get(source.pk), metric) for source in sources if source.covered_by_id is None]


def _compared(user: User, source: CostSource, asked: AwsForecast | None, metric: Metric) -> Compared:
    if asked is None or asked.status != ForecastStatus.SUCCEEDED:
        return Compared(source, asked, None)
    reader = Reader(user, sources=[source])
    question = Question(DayRange(asked.start, asked.end), metric=metric, currency=asked.currency)
    return Compared(source, asked, forecasts.expected(reader, question))


def forecast_for(user: User, pk: int) -> AwsForecast:
    """Raises ForecastNotFound, also for what the reader may not see."""
    found = AwsForecast.objects.visible_to(user, Perm.COSTS_VIEW).select_related("source__account").filter(pk=pk).first()
    if found is None:
        raise ForecastNotFound(f"There is no forecast {pk} that you may see.")
    return found
