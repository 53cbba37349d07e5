"""What a budget decides: how far it should be by now, how it stands, and which thresholds its figures have reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import median

from cloudconsole.core.money import DECIMAL_PLACES, EXACT, ZERO, total
from costs.rules.amounts import plain
from costs.rules.windows import DayRange

_DAY = timedelta(days=1)
_HUNDRED = Decimal(100)
_SMALLEST = Decimal(1).scaleb(-DECIMAL_PLACES)
# So many weeks of complete days show how a week usually goes.
RHYTHM_WEEKS = 8
_LEAST_RHYTHM_DAYS = 14


class Kind(StrEnum):
    """Which figure a threshold watches."""

    ACTUAL = "actual"
    FORECAST = "forecast"


class Unit(StrEnum):
    """What a threshold's value is: percent of the budget's amount, or money."""

    PERCENT = "percent"
    MONEY = "money"


class Standing(StrEnum):
    """How a budget stands in its current period."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OVER = "over"
    UNKNOWN = "unknown"
    CANNOT = "cannot_be_evaluated"
    NOT_STARTED = "not_started"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold: `value` percent of the budget's amount, or that much money."""

    kind: Kind
    unit: Unit
    value: Decimal

    @property
    def key(self) -> str:
        """The same text for the same threshold, whatever else of the budget changes."""
        return f"{self.kind}:{self.unit}:{plain(self.value)}"

    def money(self, amount: Decimal) -> Decimal:
        """At which figure it is reached, for a period of this amount."""
        if self.unit is Unit.MONEY:
            return self.value
        return EXACT.divide(EXACT.multiply(amount, self.value), _HUNDRED)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a period. `actual` holds every known day, `settled` those that AWS adds nothing to, `expected` what
    those should have cost. `forecast` is of the whole period, None where there is none. Unknown is None.

    `is_whole`: no day and no account is missing. `is_sure`: the forecast rests on enough history to alert by.
    """

    amount: Decimal
    actual: Decimal | None
    settled: Decimal | None
    expected: Decimal | None
    forecast: Decimal | None
    is_whole: bool
    is_sure: bool

    @property
    def share(self) -> Decimal | None:
        """How much of the amount is used up: 1 is all of it."""
        return None if self.actual is None else EXACT.divide(self.actual, self.amount).quantize(Decimal("0.000001"))


def standing(figures: Figures) -> Standing:
    """Over is certain also where something is missing; that a budget is kept is only known when nothing is."""
    if figures.actual is not None and figures.actual > figures.amount:
        return Standing.OVER
    if figures.actual is None or not figures.is_whole:
        return Standing.UNKNOWN
    if figures.forecast is not None:
        return Standing.AT_RISK if figures.forecast > figures.amount else Standing.ON_TRACK
    if figures.settled is None or figures.expected is None:
        return Standing.ON_TRACK
    return Standing.AT_RISK if figures.settled > figures.expected else Standing.ON_TRACK


def reached(limits: Iterable[Limit], figures: Figures) -> list[Limit]:
    """The thresholds that the figures are at or above.

    A known actual that is above stays above when more arrives. A forecast counts only when it is sure and nothing is missing.
    """
    return [limit for limit in limits if is_reached(limit, figures)]


def is_reached(limit: Limit, figures: Figures) -> bool:
    figure = watched(limit, figures)
    return figure is not None and figure >= limit.money(figures.amount)


def watched(limit: Limit, figures: Figures) -> Decimal | None:
    """The figure that the threshold is compared with; None where there is none to go by."""
    if limit.kind is Kind.ACTUAL:
        return figures.actual
    return figures.forecast if figures.is_whole and figures.is_sure else None


# --- pace


def rhythm(days: Mapping[date, Decimal]) -> Sequence[Decimal]:
    """How much a Monday, a Tuesday … usually costs, from complete days; all alike where little is known or nothing is spent."""
    even = (Decimal(1),) * 7
    if len(days) < _LEAST_RHYTHM_DAYS:
        return even
    weights = [median([amount for day, amount in days.items() if day.weekday() == weekday] or [ZERO]) for weekday in range(7)]
    return even if min(weights) < 0 or max(weights) <= 0 else tuple(weights)


def pace(amount: Decimal, days: DayRange, weights: Sequence[Decimal], until: date) -> Decimal:
    """How much of `amount` should be used up when the days before `until` are over, to the places that money is kept with."""
    whole = _weight(days.start, days.end, weights)
    gone = _weight(days.start, max(days.start, min(until, days.end)), weights)
    if not whole:
        return pace(amount, days, (Decimal(1),) * 7, until)
    return EXACT.divide(EXACT.multiply(amount, gone), whole).quantize(_SMALLEST, context=EXACT)


def _weight(start: date, end: date, weights: Sequence[Decimal]) -> Decimal:
    weeks, rest = divmod((end - start).days, 7)
    whole = EXACT.multiply(total(weights), Decimal(weeks))
    return EXACT.add(whole, total(weights[(start.weekday() + number) % 7] for number in range(rest)))
