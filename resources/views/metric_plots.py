"""A metric over time as a drawing: the line with its gaps, the thresholds, and the moments at which something was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from resources.models import ScalingRule
from resources.rules.metrics import in_words
from resources.rules.scaling import Point
from resources.rules.schedules import Deed

WIDTH, HEIGHT = 720, 140
_HEADROOM = 1.08


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line across the drawing."""

    y: float
    deed: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which something was, or would have been, started or stopped."""

    x: float
    deed: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`lines`: corners of each stretch without a gap, as SVG writes them; `dots`: points that have no neighbour."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    thresholds: tuple[Threshold, ...]
    marks: tuple[Mark, ...]
    top: str
    first: datetime
    last: datetime
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def drawn(rule: ScalingRule, points: Sequence[Point], marks: Iterable[tuple[datetime, str]] = ()) -> Plot | None:
    """None where there is nothing to draw."""
    values = [point.value for point in points if point.value is not None]
    if len(points) < 2 or not values:
        return None
    first, last = points[0].at, points[-1].at
    span = (last - first).total_seconds()
    top = _top(rule, values)

    def x(at: datetime) -> float:
        return round((at - first).total_seconds() / span * WIDTH, 1)

    def y(value: float) -> float:
        return round(HEIGHT - value / top * HEIGHT, 1)

    stretches = [[(x(point.at), y(value)) for point, value in stretch] for stretch in _stretches(points)]
    thresholds = ((rule.start_above, Deed.START), (rule.stop_below, Deed.STOP))
    return Plot(
        lines=tuple(" ".join(f"{a},{b}" for a, b in corners) for corners in stretches if len(corners) > 1),
        dots=tuple(corners[0] for corners in stretches if len(corners) == 1),
        thresholds=tuple(Threshold(y(value), deed.value) for value, deed in thresholds if value is not None),
        marks=tuple(Mark(x(at), deed) for at, deed in marks if first <= at <= last),
        top=in_words(top, rule.measure.unit),
        first=first,
        last=last,
        summary=_summary(rule, values, first, last),
    )


def _top(rule: ScalingRule, values: Sequence[float]) -> float:
    """What the upper edge means: all of a scale that ends somewhere, else a bit more than the highest."""
    if rule.measure.most is not None:
        return rule.measure.most
    highest = max([*values, *(value for value in (rule.start_above, rule.stop_below) if value is not None)])
    return float(f"{(highest or 1) * _HEADROOM:.2g}")


def _stretches(points: Sequence[Point]) -> Iterator[list[tuple[Point, float]]]:
    stretch: list[tuple[Point, float]] = []
    for point in points:
        if point.value is not None:
            stretch.append((point, point.value))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _summary(rule: ScalingRule, values: Sequence[float], first: datetime, last: datetime) -> str:
    low, high = (in_words(value, rule.measure.unit) for value in (min(values), max(values)))
    return f"{rule.measure.title} of {rule.watched_label} from {first:%d %b %H:%M} to {last:%d %b %H:%M} UTC: {low} to {high}."
