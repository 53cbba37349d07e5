"""Quotas as pictures: the bar of a row, and the course of one against its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudconsole.core.charts import Line, Period, Series, StackedChart
from resources.models import Quota
from resources.rules.quota_names import Measure
from resources.rules.quotas import State
from resources.selectors.quotas import Point, Span

_TONES = {State.OK.value: "ok", State.WARNING.value: "warn", State.CRITICAL.value: "bad"}
_UNITS = {
    Measure.TOKENS_PER_MINUTE.value: "tokens a minute",
    Measure.REQUESTS_PER_MINUTE.value: "requests a minute",
    Measure.TOKENS_PER_DAY.value: "tokens a day",
}
_SLOT = 4  # the colour of Bedrock on every page


@dataclass(frozen=True, slots=True)
class Bar:
    """Percent of the limit, drawn up to 100: `used` now, `peak` in the last 24 hours."""

    used: float
    peak: float | None
    warning: float
    tone: str
    label: str


def bar(quota: Quota) -> Bar | None:
    """None where the use or the limit is not known."""
    limit = quota.limit
    if limit is None or limit <= 0 or quota.usage is None:
        return None
    used = float(quota.usage / limit * 100)
    peak = None if quota.peak_24h is None else float(quota.peak_24h / limit * 100)
    words = f"{used:.0f} % used" + ("" if peak is None else f", at most {peak:.0f} % in the last 24 hours")
    return Bar(
        used=min(100.0, used),
        peak=None if peak is None else min(99.5, peak),
        warning=min(100.0, quota.warning_percent),
        tone=_TONES.get(quota.state, ""),
        label=words,
    )


def unit_of(quota: Quota) -> str:
    return _UNITS.get(quota.measure, quota.unit.lower())


def chart(quota: Quota, span: Span, points: Sequence[Point]) -> StackedChart | None:
    """The highest use of each step against the limit; None where nothing is known yet."""
    if not any(point.usage is not None for point in points):
        return None
    amounts = tuple(point.usage for point in points)
    periods = tuple(_period(span, point) for point in points)
    lines = []
    if quota.limit:
        lines = [
            Line("Limit", (quota.limit,) * len(points), "bad"),
            Line("Warning", (quota.limit * quota.warning_percent / 100,) * len(points), "warn", is_dashed=True),
        ]
    name = _series_of(quota, span)
    series = (Series(name, amounts, _SLOT),)
    return StackedChart(
        "quota", f"{name}, {span.title}", "", periods, series, lines=tuple(lines), unit=unit_of(quota) or "in use"
    )


def _series_of(quota: Quota, span: Span) -> str:
    if quota.measure == Measure.TOKENS_PER_DAY:
        return "Sum of the last 24 hours"
    return "Highest use" if span.step.total_seconds() > 60 else "Use"


def _period(span: Span, point: Point) -> Period:
    label = f"{point.at.day} {point.at:%b}" if span.name == "30d" else f"{point.at:%H:%M}"
    note = "Not known"
    state = "unknown" if point.usage is None else "complete"
    title = _title(point.at)
    if point.throttles:
        title += f" · {point.throttles:,} refused"
    return Period(label, title, state, note if state == "unknown" else "", point.usage)


def _title(at: datetime) -> str:
    return f"{at.day} {at:%b %Y %H:%M} UTC"
