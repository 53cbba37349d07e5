"""The overview's charts, from the answers of the cost selectors."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cloudconsole.core import series
from cloudconsole.core.charts import OTHER, StackedChart, largest, stacked
from cloudconsole.core.money import ZERO
from costs.selectors import bars
from costs.selectors.questions import Answer


@dataclass(frozen=True)
class Charts:
    """The same service has the same colour in both. None where nothing cost anything."""

    daily: StackedChart | None
    monthly: StackedChart | None


def charts(by_day: Answer, by_month: Answer, *, misses_accounts: bool) -> Charts:
    """The charts of two answers that are grouped by service."""
    days, months = _amounts(by_day), _amounts(by_month)
    colours = series.slots([*largest(months), *largest(days)])
    daily = stacked(
        name="daily",
        title="Daily cost by service",
        currency=by_day.currency or "",
        periods=[bars.of_day(one, misses_accounts=misses_accounts) for one in by_day.periods],
        amounts=days,
        colours=colours,
    )
    monthly = stacked(
        name="monthly",
        title="Thirteen months by service",
        currency=by_month.currency or "",
        periods=[bars.of_month(one, misses_accounts=misses_accounts) for one in by_month.periods],
        amounts=months,
        colours=colours,
    )
    return Charts(daily if days else None, monthly if months else None)


def by_first_key(answer: Answer) -> dict[str, list[Decimal | None]]:
    """Amounts by the first grouping, one for each period: 0 where the period is known and the name is absent from it."""
    names = dict.fromkeys(group.keys[0] for period in answer.periods for group in period.groups)
    amounts: dict[str, list[Decimal | None]] = {name: [] for name in names}
    for period in answer.periods:
        known = {group.keys[0]: group.amount for group in period.groups}
        for name, row in amounts.items():
            row.append(None if period.total is None else known.get(name, ZERO))
    return amounts


def _amounts(answer: Answer) -> dict[str, list[Decimal | None]]:
    amounts = by_first_key(answer)
    if any(period.residual for period in answer.periods):
        # AWS told it in total but not by service; hiding it would make the bars lie.
        amounts[OTHER] = [None if period.total is None else period.residual for period in answer.periods]
    return amounts
