"""What changed between two spans: the drivers ranked by money, of complete days only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import total
from costs.rules import drivers, settle, spans
from costs.rules.cubes import Dimension
from costs.rules.drivers import Cell, Driver, Told
from costs.rules.spans import Pair
from costs.rules.windows import DayRange
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question

SHOWN = 500


class NothingComplete(CloudconsoleError):
    code = "no_complete_days"
    title = "These days are not complete yet"


@dataclass(frozen=True, slots=True)
class Changes:
    """`compared` are the complete days of `asked`. `residual` is the change that no driver tells: drivers and it add up to the
    change of `total`, which is None where nothing is stored. `is_whole`: both spans are known for every account.
    `has_regions`: False where AWS's answers do not tell regions for these accounts. `by`: what drivers tell beside their
    service, accounts or the values of a tag.
    """

    by: Dimension

    asked: Pair
    compared: Pair
    currency: str | None
    total: Cell | None
    drivers: tuple[Driver, ...]
    residual: Decimal | None
    is_whole: bool
    has_regions: bool
    labels: Mapping[str, str]

    @property
    def first_drivers(self) -> tuple[Driver, ...]:
        return self.drivers[:SHOWN]

    @property
    def others(self) -> Decimal:
        """The change of the drivers beyond the first."""
        return total(driver.cell.change for driver in self.drivers[SHOWN:])

    @property
    def is_cut(self) -> bool:
        return self.asked != self.compared


def changes(
    reader: Reader,
    asked: Pair,
    today: date,
    *,
    metric: Metric = Metric.UNBLENDED,
    currency: str | None = None,
    services: frozenset[str] = frozenset(),
    by: Dimension = Dimension.ACCOUNT,
) -> Changes:
    """Of all services, or of those in `services`; by account, or by the values of a tag.

    Raises NothingComplete, NotStored, MixedCurrencies, UnknownAccount, UnknownValue.
    """
    compared = spans.settled(asked, settle.last_complete_day(today))
    if compared is None:
        raise NothingComplete("AWS still adds to all of these days. They can be compared two days after they have ended.")
    question = Question(compared.after, Granularity.WHOLE, metric=metric, currency=currency, services=services)
    first = _Asked(reader, question, compared, by)
    if first.total is None:
        return Changes(by, asked, compared, None, None, (), None, is_whole=False, has_regions=False, labels={})
    has_regions = reader.tells({Dimension.SERVICE, Dimension.REGION})
    by_region = _Asked(reader, question, compared, Dimension.REGION).told if has_regions else None
    has_usage_types = reader.tells({Dimension.SERVICE, Dimension.USAGE_TYPE})
    by_usage_type = _Asked(reader, question, compared, Dimension.USAGE_TYPE).told if has_usage_types else None
    found = drivers.drivers(first.told, by_region, by_usage_type)
    return Changes(
        by=by,
        asked=asked,
        compared=compared,
        currency=first.after.currency,
        total=first.total,
        drivers=tuple(found),
        residual=drivers.rest(first.total, found),
        is_whole=first.is_whole,
        has_regions=has_regions,
        labels=first.labels,
    )


class _Asked:
    """Both spans by service and `dimension`."""

    def __init__(self, reader: Reader, question: Question, pair: Pair, dimension: Dimension) -> None:
        self.before = self._ask(reader, question, pair.before, dimension)
        self.after = self._ask(reader, question, pair.after, dimension)
        self.told = Told(self.before.amounts, self.after.amounts, dimension)

    @staticmethod
    def _ask(reader: Reader, question: Question, days: DayRange, dimension: Dimension) -> Answer:
        return reader.answer(
            Question(
                days,
                Granularity.WHOLE,
                (Dimension.SERVICE, dimension),
                metric=question.metric,
                currency=question.currency,
                services=question.services,
            )
        )

    @property
    def total(self) -> Cell | None:
        """None where one of the spans is not known at all."""
        if self.before.total is None or self.after.total is None:
            return None
        return Cell(self.before.total, self.after.total)

    @property
    def is_whole(self) -> bool:
        return all(period.complete for answer in (self.before, self.after) for period in answer.periods)

    @property
    def labels(self) -> dict[str, str]:
        return self.before.labels | self.after.labels
