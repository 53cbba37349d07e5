"""Office hours: when instances are to run, as moments in UTC. Local times follow the schedule's time zone.

A period runs from `begin` to `end` on its days; an end that is not after its begin lies on the next day. A time that a clock
change leaves out happens at the change; of one that happens twice, a period begins at the first and ends at the last, so that
it never runs shorter than its clock says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAME = re.compile(rf"({'|'.join(WEEKDAYS)})(?:#([1-5]|last))?|([1-9]|[12][0-9]|3[01]|last)")


class Deed(StrEnum):
    """What is done to instances at an edge."""

    START = "start"
    STOP = "stop"


class Mode(StrEnum):
    """How a schedule treats what people did by hand."""

    EDGES = "edges"  # acts at its edges only: what is started or stopped by hand stays so until the next one
    RETAIN = "retain"  # what ran already when a period began is not stopped at that period's end
    ENFORCED = "enforced"  # puts things right at every look


class Missed(StrEnum):
    """What becomes of an edge that nobody attended to in time."""

    SKIP = "skip"
    RUN_ONCE = "run_once"  # the newest one is made up for


class NotADay(ValueError):
    """The text names no day."""


@dataclass(frozen=True, slots=True)
class Days:
    """Which days: weekdays, nth weekdays ("mon#1", "fri#last") or days of the month ("15", "last"), as they are written."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.names:
            if _DAY_NAME.fullmatch(name) is None:
                raise NotADay(f"“{name}” is no day: write mon, mon#1, fri#last, 15 or last.")

    def hold(self, day: date) -> bool:
        return any(_is(name, day) for name in self.names)


def _is(name: str, day: date) -> bool:
    weekday, _, which = name.partition("#")
    if weekday not in WEEKDAYS:
        return _is_last(day, _DAY) if name == "last" else day.day == int(name)
    if WEEKDAYS[day.weekday()] != weekday:
        return False
    if which == "last":
        return _is_last(day, 7 * _DAY)
    return not which or (day.day - 1) // 7 + 1 == int(which)


def _is_last(day: date, step: timedelta) -> bool:
    """Whether one `step` later another month has begun."""
    return (day + step).month != day.month


@dataclass(frozen=True, slots=True)
class Period:
    """When things run. Without `begin` they are only stopped, without `end` only started."""

    days: Days
    begin: time | None
    end: time | None

    def __post_init__(self) -> None:
        if self.begin is None and self.end is None:
            raise ValueError("A period has a begin, an end, or both.")


@dataclass(frozen=True, slots=True)
class Hours:
    """A whole schedule. On `holidays`, days in its time zone, nothing is started."""

    zone: ZoneInfo
    periods: tuple[Period, ...]
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A moment (UTC) at which a schedule acts."""

    at: datetime
    deed: Deed


def edges(hours: Hours, start: datetime, end: datetime) -> list[Edge]:
    """What happens from `start` up to, without, `end`, in order. Periods that touch or overlap are one."""
    spans = _merged(_spans(hours, start, end))
    found = {Edge(begin, Deed.START) for begin, _ in spans} | {Edge(stop, Deed.STOP) for _, stop in spans}
    found |= {edge for edge in _points(hours, start, end) if not _inside(spans, edge)}
    return sorted(edge for edge in found if start <= edge.at < end)


def is_on(hours: Hours, moment: datetime) -> bool:
    """Whether `moment` lies within a period that has a begin and an end."""
    return any(begin <= moment < stop for begin, stop in _spans(hours, moment, moment + _SECOND))


def next_edge(hours: Hours, after: datetime, *, days: int = 400) -> Edge | None:
    """The first edge later than `after`, looked for in so many days."""
    step, at = 2 * _DAY, after + _SECOND
    while at < after + days * _DAY:
        if found := edges(hours, at, at + step):
            return found[0]
        at, step = at + step, min(2 * step, 60 * _DAY)  # most have one within days; the rare ones are far away
    return None


def _spans(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Periods that may reach into the range: those of two days before it as well, because a night may be long."""
    for day in _local_days(hours.zone, start - 2 * _DAY, end):
        for period in hours.periods:
            if period.begin is None or period.end is None or day in hours.holidays or not period.days.hold(day):
                continue
            begin = moment_of(day, period.begin, hours.zone, last=False)
            last_day = day if period.end > period.begin else day + _DAY
            stop = moment_of(last_day, period.end, hours.zone, last=True)
            if begin < stop:
                yield begin, stop


def _points(hours: Hours, start: datetime, end: datetime) -> Iterator[Edge]:
    for day in _local_days(hours.zone, start - _DAY, end):
        for period in hours.periods:
            if not period.days.hold(day):
                continue
            if period.end is None and period.begin is not None and day not in hours.holidays:
                yield Edge(moment_of(day, period.begin, hours.zone, last=False), Deed.START)
            if period.begin is None and period.end is not None:
                yield Edge(moment_of(day, period.end, hours.zone, last=True), Deed.STOP)


def _inside(spans: Sequence[tuple[datetime, datetime]], edge: Edge) -> bool:
    """A lone stop within a period would contradict it, and a lone start says nothing there."""
    return any(begin <= edge.at < stop for begin, stop in spans)


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for begin, stop in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((begin, stop))
    return found


def _local_days(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[date]:
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield day
        day += _DAY


def moment_of(day: date, at: time, zone: ZoneInfo, *, last: bool) -> datetime:
    """The UTC moment of a local time: of two the first or the `last`; the clock change where it is left out."""
    local = datetime.combine(day, at, zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:  # left out: the offset before the change makes it later than the one after
        return _change_between(second, first, zone)
    return second if last else first


def _change_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first second between the two at which the zone's offset is the later one."""
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
