"""When a metric calls for more instances or for fewer, and which ones a rule then starts or stops. Pure; times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from resources.rules.automation import Machine, Reason, why_left
from resources.rules.metrics import in_words
from resources.rules.schedules import Deed

_HOUR = timedelta(hours=1)


class Stops(StrEnum):
    """What low values stop."""

    STARTED = "started"  # only what the rule started itself
    ANY = "any"  # whatever of its instances runs


@dataclass(frozen=True, slots=True)
class Point:
    """A value for the period that begins at `at`; None where CloudWatch has none, which is not 0."""

    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Start when `needed` of the last `window` points are above, stop when as many are below. None: never."""

    start_above: float | None
    stop_below: float | None
    needed: int
    window: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the points call for, and why, for people."""

    deed: Deed | None
    why: str


def judge(terms: Terms, points: Sequence[Point]) -> Verdict:
    """A point that is missing is neither above nor below. Where both would hold, starting is the safer mistake."""
    values = [point.value for point in points if point.value is not None]
    above = _count(values, terms.start_above, Deed.START)
    below = _count(values, terms.stop_below, Deed.STOP)
    if terms.start_above is not None and above >= terms.needed:
        return Verdict(Deed.START, f"{above} of {terms.window} points above {in_words(terms.start_above, terms.unit)}")
    if terms.stop_below is not None and below >= terms.needed:
        return Verdict(Deed.STOP, f"{below} of {terms.window} points below {in_words(terms.stop_below, terms.unit)}")
    return Verdict(None, _too_few(terms, above, below, len(points) - len(values)))


def _count(values: Sequence[float], threshold: float | None, deed: Deed) -> int:
    """Being at a threshold is not beyond it."""
    if threshold is None:
        return 0
    return sum(value > threshold if deed is Deed.START else value < threshold for value in values)


def _too_few(terms: Terms, above: int, below: int, missing: int) -> str:
    if missing == terms.window:
        return "CloudWatch has no data, which is no reason to act"
    told = [f"{above} above"] if terms.start_above is not None else []
    told += [f"{below} below"] if terms.stop_below is not None else []
    told += [f"{missing} missing"] if missing else []
    return f"Of {terms.window} points {', '.join(told)}; {terms.needed} have to be"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a rule does: nothing within `cooldown` of what it did last, `starts_per_hour` in any hour, `at_once` each time."""

    cooldown: timedelta
    starts_per_hour: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Past:
    """What a rule did: when last, the starts of the last hour, and whether something of it is under way."""

    acted_at: datetime | None = None
    starts: tuple[datetime, ...] = ()
    is_busy: bool = False


def held_back(deed: Deed, limits: Limits, past: Past, now: datetime) -> str:
    """Why nothing is done although the points call for it; "" where it may be done."""
    if past.is_busy:
        return "what it asked for last is still under way"
    if past.acted_at is not None and now < past.acted_at + limits.cooldown:
        return f"it acted {_minutes(now - past.acted_at)} ago and waits {_minutes(limits.cooldown)}"
    if deed is Deed.START and not _starts_left(limits, past, now):
        return f"it started {limits.starts_per_hour} within an hour, and that is its most"
    return ""


def _starts_left(limits: Limits, past: Past, now: datetime) -> int:
    return max(0, limits.starts_per_hour - sum(now - _HOUR < at <= now for at in past.starts))


def _minutes(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


@dataclass(frozen=True, slots=True)
class Choice:
    """The instances that are acted on, in order, and those that are not."""

    acts: tuple[Machine, ...]
    left: tuple[tuple[Machine, Reason], ...]

    @property
    def possible(self) -> int:
        """How many could be acted on if there were no most."""
        return len(self.acts) + sum(reason is Reason.ENOUGH for _, reason in self.left)

    @property
    def why_none(self) -> str:
        """In words, what kept all of them from being acted on."""
        counts: dict[Reason, int] = {}
        for _, reason in self.left:
            counts[reason] = counts.get(reason, 0) + 1
        return "; ".join(f"{count} × {reason.lower()}" for reason, count in counts.items()) or "no instance fits"


def choose(deed: Deed, machines: Sequence[Machine], most: int, *, started: frozenset[int] | None, watched: str) -> Choice:
    """Of `machines`, at most `most` to act on: the first by name are started first and stopped last.

    `started`: those that the rule itself started, where it stops no other. `watched` is an instance's id, which a rule never
    acts on: stopping what is measured would blind it.
    """
    acts: list[Machine] = []
    left: list[tuple[Machine, Reason]] = []
    for machine in sorted(machines, key=_order, reverse=deed is Deed.STOP):
        reason = _why_not(deed, machine, started, watched)
        if reason is None and len(acts) >= most:
            reason = Reason.ENOUGH
        if reason is None:
            acts.append(machine)
        else:
            left.append((machine, reason))
    return Choice(tuple(acts), tuple(left))


def _order(machine: Machine) -> tuple[str, str]:
    return machine.name, machine.instance_id


def _why_not(deed: Deed, machine: Machine, started: frozenset[int] | None, watched: str) -> Reason | None:
    if machine.instance_id == watched:
        return Reason.WATCHED
    reason = why_left(deed, machine, retained=False)
    if reason is None and deed is Deed.STOP and started is not None and machine.pk not in started:
        return Reason.NOT_STARTED_HERE
    return reason


def most_now(deed: Deed, limits: Limits, past: Past, now: datetime) -> int:
    """How many may be acted on now."""
    return limits.at_once if deed is Deed.STOP else min(limits.at_once, _starts_left(limits, past, now))


# --- time


def settles(period: timedelta) -> timedelta:
    """How long after a period's end CloudWatch is given to write it down."""
    return timedelta(minutes=1) if period <= timedelta(minutes=1) else timedelta(minutes=2)


def latest_end(now: datetime, period: timedelta) -> datetime:
    """The end of the newest period that is written down."""
    seconds = int(period.total_seconds())
    return datetime.fromtimestamp(int((now - settles(period)).timestamp()) // seconds * seconds, UTC)


def next_time(now: datetime, period: timedelta) -> datetime:
    """When the period after that one will be."""
    return latest_end(now, period) + period + settles(period)


def window_before(end: datetime, period: timedelta, window: int, values: Mapping[datetime, float]) -> tuple[Point, ...]:
    """The last `window` periods before `end`, oldest first; `values` by the moment at which each begins."""
    begins = (end - number * period for number in range(window, 0, -1))
    return tuple(Point(at, values.get(at)) for at in begins)


# --- trying a rule on the past


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule would have done at a moment, to how many instances, and why."""

    at: datetime
    deed: Deed
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class Spares:
    """How many instances could be started, and how many stopped, at the beginning."""

    startable: int
    stoppable: int


def replay(terms: Terms, limits: Limits, points: Sequence[Point], period: timedelta, spares: Spares) -> list[Moment]:
    """What the rule would have done over `points`, which follow each other without a gap, oldest first.

    As if each start and stop had worked at once, and had not changed the metric.
    """
    past, found = Past(), list[Moment]()
    for end in range(terms.window, len(points) + 1):
        verdict, now = judge(terms, points[end - terms.window : end]), points[end - 1].at + period
        if verdict.deed is None or held_back(verdict.deed, limits, past, now):
            continue
        free = spares.startable if verdict.deed is Deed.START else spares.stoppable
        count = min(free, most_now(verdict.deed, limits, past, now))
        if count:
            found.append(Moment(now, verdict.deed, count, verdict.why))
            spares = _moved(spares, verdict.deed, count)
            starts = (*past.starts, *((now,) * count)) if verdict.deed is Deed.START else past.starts
            past = Past(now, starts)
    return found


def _moved(spares: Spares, deed: Deed, count: int) -> Spares:
    started = count if deed is Deed.START else -count
    return Spares(spares.startable - started, spares.stoppable + started)
