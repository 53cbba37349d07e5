"""The chart of an episode: what each day cost, what was expected, and from where on a day is unusual."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cloudconsole.core import charts, series
from cloudconsole.core.charts import Band, Series, StackedChart
from cloudconsole.core.money import EXACT
from costs.models import CostAnomaly, CostAnomalyDay

_ABOVE = 11  # the red of the series


def chart(anomaly: CostAnomaly, days: Sequence[CostAnomalyDay]) -> StackedChart | None:
    """None where AWS alone found it and tells no days."""
    if not days:
        return None
    slot = series.slots([anomaly.service])[anomaly.service]
    return StackedChart(
        name="episode",
        title="Day by day",
        currency=anomaly.currency,
        periods=tuple(_period(day) for day in days),
        series=(
            Series("As usual", tuple(_usual(day) for day in days), 9 if slot == _ABOVE else slot),
            Series("Above the expected", tuple(_above(day) for day in days), _ABOVE),
        ),
        band=Band(
            "From the expected to what is unusual",
            tuple(day.expected for day in days),
            tuple(day.limit for day in days),
            "Expected",
            "Unusual from",
        ),
    )


def _period(row: CostAnomalyDay) -> charts.Period:
    day = row.day
    note = "Unusual." if row.is_unusual else "" if row.expected is not None else "Too little was known for a verdict."
    return charts.Period(label=f"{day.day} {day:%b}", title=f"{day:%a} {day.day} {day:%B %Y}", note=note, total=row.actual)


def _usual(day: CostAnomalyDay) -> Decimal:
    shown: Decimal = day.actual if day.expected is None or not day.is_unusual else day.expected
    return shown


def _above(day: CostAnomalyDay) -> Decimal | None:
    return EXACT.subtract(day.actual, day.expected) if day.is_unusual and day.expected is not None else None
