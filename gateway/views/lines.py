"""Pictures of what was left of a window, and of calls by day, as plain coordinates: the page draws them without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.selectors.statistics import OfDay

WIDTH, HEIGHT = 160, 28
BARS_HEIGHT = 120
_GAP = 2


@dataclass(frozen=True, slots=True)
class Line:
    """`points` of a polyline in a box of WIDTH × HEIGHT; the bottom is nothing left."""

    points: str
    width: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: two rectangles on top of each other."""

    x: float
    width: float
    failed_y: float
    failed_height: float
    succeeded_y: float
    succeeded_height: float
    title: str


@dataclass(frozen=True, slots=True)
class Bars:
    bars: Sequence[Bar]
    width: int
    height: int
    most: int
    first: str
    last: str


def line(samples: Sequence[tuple[datetime, int]], limit: int | None) -> Line | None:
    """None for fewer than two samples."""
    if len(samples) < 2:
        return None
    top = max([limit or 0, *(left for _, left in samples)]) or 1
    start, end = samples[0][0], samples[-1][0]
    seconds = (end - start).total_seconds() or 1
    points = [
        f"{WIDTH * (at - start).total_seconds() / seconds:.1f},{(HEIGHT - 2) * (1 - left / top) + 1:.1f}" for at, left in samples
    ]
    label = f"From {samples[0][1]} at {start:%H:%M} to {samples[-1][1]} at {end:%H:%M} UTC"
    return Line(" ".join(points), WIDTH, HEIGHT, label)


def bars(days: Sequence[OfDay], width: int = 720) -> Bars:
    """Calls of each day, those that failed on top."""
    most = max((one.sums.calls for one in days), default=0)
    step = width / max(1, len(days))
    drawn = [_bar(one, number * step, max(1.0, step - _GAP), most or 1) for number, one in enumerate(days)]
    return Bars(drawn, width, BARS_HEIGHT, most, f"{days[0].day:%-d %b}", f"{days[-1].day:%-d %b}")


def _bar(one: OfDay, x: float, width: float, most: int) -> Bar:
    succeeded = BARS_HEIGHT * one.sums.succeeded / most
    failed = BARS_HEIGHT * one.sums.failed / most
    title = f"{one.day:%-d %b %Y}: {one.sums.succeeded} succeeded, {one.sums.failed} failed"
    return Bar(
        round(x, 1),
        round(width, 1),
        round(BARS_HEIGHT - succeeded - failed, 1),
        round(failed, 1),
        round(BARS_HEIGHT - succeeded, 1),
        round(succeeded, 1),
        title,
    )
