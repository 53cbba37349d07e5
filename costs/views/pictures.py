"""The chart of a report: its largest groups by day or month, the others, and what AWS told in no group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from cloudconsole.core import charts, money, series
from cloudconsole.core.charts import SERIES_SHOWN, Series, StackedChart
from cloudconsole.core.money import ZERO
from costs.selectors import bars
from costs.selectors.explorer import Exploration
from costs.selectors.questions import Granularity, Period
from costs.views import names
from costs.views.names import Names

_GRANULARITIES = {Granularity.DAILY: "Daily cost", Granularity.MONTHLY: "Monthly cost"}


def chart(found: Exploration, called: Names, url_of: Callable[[str], str], *, misses_accounts: bool) -> StackedChart | None:
    """None where nothing is known. `url_of`: the address that tells more about one value of the first grouping."""
    if found.by_period.total is None:
        return None
    report, first = found.report, found.report.group_by[:1]
    title = _GRANULARITIES[report.granularity] + "".join(f" by {names.in_sentence(one)}" for one in first)
    return StackedChart(
        name="costs",
        title=title,
        currency=found.by_period.currency or "",
        periods=tuple(_bar(period, report.granularity, misses_accounts) for period in found.by_period.periods),
        series=tuple(_grouped(found, called, url_of)) if first else (_whole(found),),
    )


def _bar(period: Period, granularity: Granularity, misses_accounts: bool) -> charts.Period:
    if granularity is Granularity.DAILY:
        return bars.of_day(period, misses_accounts=misses_accounts)
    return bars.of_month(period, misses_accounts=misses_accounts)


def _whole(found: Exploration) -> Series:
    return Series("Total", tuple(_known(period, period.total or ZERO) for period in found.by_period.periods), 1)


def _grouped(found: Exploration, called: Names, url_of: Callable[[str], str]) -> Iterable[Series]:
    dimension = found.report.group_by[0]
    amounts = [{group.keys[0]: group.amount for group in period.groups} for period in found.by_period.periods]
    drawn = found.shown[:SERIES_SHOWN]
    colours = series.slots(drawn)
    for key in drawn:
        name = called.of_value(dimension, key)
        yield Series(name, _row(found, amounts, [key]), colours[key], url_of(key))
    if rest := {key for groups in amounts for key in groups} - set(drawn):
        yield Series(names.OTHER, _row(found, amounts, rest), series.OTHER)
    if any(period.residual for period in found.by_period.periods):
        yield Series(names.RESIDUAL, tuple(_known(period, period.residual) for period in found.by_period.periods), series.OTHER)


def _row(found: Exploration, amounts: list[dict[str, Decimal]], keys: Iterable[str]) -> tuple[Decimal | None, ...]:
    wanted = list(keys)
    return tuple(
        _known(period, money.total(groups.get(key, ZERO) for key in wanted))
        for period, groups in zip(found.by_period.periods, amounts, strict=True)
    )


def _known(period: Period, amount: Decimal) -> Decimal | None:
    return None if bars.is_untold(period) else amount


def colours_of(found: Exploration) -> Mapping[str, int]:
    """The colour of each group that the chart draws on its own."""
    return series.slots(found.shown[:SERIES_SHOWN])
