"""The overview's charts, from the answers of the cost selectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cloudconsole.core import series
from cloudconsole.core.charts import OTHER, StackedChart, largest, stacked
from cloudconsole.core.money import ZERO
from costs.rules.spans import Preset
from costs.selectors import bars
from costs.selectors.questions import Answer, Granularity
from costs.selectors.reports import Report
from costs.views import addresses


@dataclass(frozen=True)
class Charts:
    """The same service has the same colour in both. None where nothing cost anything."""

    daily: StackedChart | None
    monthly: StackedChart | None


def charts(by_day: Answer, by_month: Answer, *, misses_accounts: bool, into: Callable[[str], Report]) -> Charts:
    """The charts of two answers that are grouped by service. `into`: the report of the explorer that a service leads to."""
    days, months = (amounts_of(answer, misses_accounts=misses_accounts) for answer in (by_day, by_month))
    colours = series.slots([*largest(months), *largest(days)])
    daily = stacked(
        name="daily",
        title="Daily cost by service",
        currency=by_day.currency or "",
        periods=[bars.of_day(one, misses_accounts=misses_accounts) for one in by_day.periods],
        amounts=days,
        colours=colours,
        urls=_urls(days, into),
    )
    title = "Thirteen months by service"
    urls = _urls(months, lambda name: replace(into(name), preset=Preset.MONTHS_13, granularity=Granularity.MONTHLY))
    drawn = monthly(by_month, name="monthly", title=title, colours=colours, misses_accounts=misses_accounts, urls=urls)
    return Charts(daily if days else None, drawn if months else None)


def _urls(names: Iterable[str], into: Callable[[str], Report]) -> dict[str, str]:
    return {name: addresses.of(into(name)) for name in names if name != OTHER}


def monthly(
    answer: Answer,
    *,
    name: str,
    title: str,
    colours: Mapping[str, int],
    misses_accounts: bool = False,
    urls: Mapping[str, str] | None = None,
) -> StackedChart:
    """The chart of an answer by month that is grouped by service. `urls`: where more is told about one."""
    return stacked(
        name=name,
        title=title,
        currency=answer.currency or "",
        periods=[bars.of_month(one, misses_accounts=misses_accounts) for one in answer.periods],
        amounts=amounts_of(answer, misses_accounts=misses_accounts),
        colours=colours,
        urls=urls,
    )


def by_first_key(answer: Answer) -> dict[str, list[Decimal | None]]:
    """Amounts by the first grouping, one for each period: 0 where the period is known and the name is absent from it."""
    names = dict.fromkeys(group.keys[0] for period in answer.periods for group in period.groups)
    amounts: dict[str, list[Decimal | None]] = {name: [] for name in names}
    for period in answer.periods:
        known = {group.keys[0]: group.amount for group in period.groups}
        for name, row in amounts.items():
            row.append(None if period.total is None else known.get(name, ZERO))
    return amounts


def amounts_of(answer: Answer, *, misses_accounts: bool = False) -> dict[str, list[Decimal | None]]:
    """Amounts by service for a chart. What AWS has not told yet of days that it still adds to is unknown, not zero."""
    settled = [bars.is_settled(period, misses_accounts=misses_accounts) for period in answer.periods]
    told = [{group.keys[0] for group in period.groups} for period in answer.periods]
    amounts = {
        name: [amount if name in told[at] or settled[at] else None for at, amount in enumerate(row)]
        for name, row in by_first_key(answer).items()
    }
    if any(period.residual for period in answer.periods):
        # AWS told it in total but not by service; hiding it would make the bars lie.
        amounts[OTHER] = [None if period.total is None else period.residual for period in answer.periods]
    return amounts
