"""Stacked charts as data: at most eight series and "Other", exact amounts as text, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from cloudconsole.core import figures, money, series

OTHER = "Other"
SERIES_SHOWN = 8


@dataclass(frozen=True)
class Period:
    """One bar. `state`: complete | estimated | incomplete | unknown; anything but complete is hatched and explained.

    `narrow`: the parameters that narrow a series' address to this bar.
    """

    label: str
    title: str
    state: str = "complete"
    note: str = ""
    total: Decimal | None = None
    narrow: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Series:
    """One service (or what else is stacked), an amount for each period; None where it is not known. `url`: more about it.

    `is_expected`: drawn lighter, because it is a forecast.
    """

    name: str
    amounts: tuple[Decimal | None, ...]
    slot: int
    url: str = ""
    is_expected: bool = False

    @property
    def short(self) -> str:
        return series.short(self.name)

    @property
    def total(self) -> Decimal:
        return _sum(self.amounts)


@dataclass(frozen=True)
class Band:
    """Between which amounts each period's total is expected; None where it is known, or nothing is expected."""

    name: str
    low: tuple[Decimal | None, ...]
    high: tuple[Decimal | None, ...]
    low_name: str = "At least"
    high_name: str = "At most"


@dataclass(frozen=True)
class Line:
    """What the bars are held against: a limit, a pace; an amount for each period, None where there is none.

    `tone`: "" for text, "warn" or "bad" for a limit that should not be reached.
    """

    name: str
    amounts: tuple[Decimal | None, ...]
    tone: str = ""
    is_dashed: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table twin."""

    period: Period
    amounts: tuple[Decimal | None, ...]
    low: Decimal | None = None
    high: Decimal | None = None
    against: tuple[Decimal | None, ...] = ()


@dataclass(frozen=True)
class StackedChart:
    """`table_url`: where the table twin is to be had once somebody wants to see it; empty where it comes with the page."""

    name: str
    title: str
    currency: str
    periods: tuple[Period, ...]
    series: tuple[Series, ...]
    band: Band | None = None
    lines: tuple[Line, ...] = ()
    unit: str = ""  # what is counted, where the amounts are no money
    table_url: str = ""

    @cached_property
    def rows(self) -> list[Row]:
        """Newest first: the period people ask about is at the top."""
        return [self._row(at, period) for at, period in enumerate(self.periods)][::-1]

    @cached_property
    def data(self) -> dict[str, Any]:
        """What `charts.js` draws."""
        return {
            "currency": self.currency,
            "unit": self.unit,
            "periods": [self._period(period) for period in self.periods],
            "series": [self._series(one) for one in self.series],
            "band": self._band(),
            "lines": [self._line(one) for one in self.lines],
        }

    @property
    def data_id(self) -> str:
        return f"{self.name}-data"

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        first, last = self.periods[0].title, self.periods[-1].title
        names = ", ".join(one.short for one in self.series[:3])
        return f"{self.title}, stacked bars from {first} to {last}. Largest: {names}. The table beside it holds every figure."

    def _row(self, at: int, period: Period) -> Row:
        amounts = tuple(one.amounts[at] for one in self.series)
        low, high = (self.band.low[at], self.band.high[at]) if self.band else (None, None)
        return Row(period, amounts, low, high, tuple(one.amounts[at] for one in self.lines))

    def _band(self) -> dict[str, Any] | None:
        if self.band is None:
            return None
        pairs = zip(self.band.low, self.band.high, strict=True)
        return {
            "name": self.band.name,
            "low": [None if low is None else str(low) for low in self.band.low],
            "high": [None if high is None else str(high) for high in self.band.high],
            "texts": [None if low is None else f"{self._money(low)} – {self._money(high)}" for low, high in pairs],
        }

    def _line(self, one: Line) -> dict[str, Any]:
        return {
            "name": one.name,
            "tone": one.tone,
            "dashed": one.is_dashed,
            "amounts": [None if amount is None else str(amount) for amount in one.amounts],
            "texts": [self._money(amount) for amount in one.amounts],
        }

    def _money(self, amount: Decimal | None) -> str:
        if amount is None:
            return figures.UNKNOWN
        return f"{figures.count(amount)} {self.unit}" if self.unit else figures.money(amount, self.currency)

    def _period(self, period: Period) -> dict[str, Any]:
        return {
            "label": period.label,
            "title": period.title,
            "state": period.state,
            "note": period.note,
            "total": None if period.total is None else self._money(period.total),
            "narrow": period.narrow,
        }

    def _series(self, one: Series) -> dict[str, Any]:
        return {
            "name": one.short,
            "slot": one.slot,
            "url": one.url,
            "expected": one.is_expected,
            "amounts": [None if amount is None else str(amount) for amount in one.amounts],
            "texts": [self._money(amount) for amount in one.amounts],
        }


def largest(amounts: Mapping[str, Sequence[Decimal | None]]) -> list[str]:
    """The names that get a series of their own, largest first."""
    names = (name for name in amounts if name != OTHER)
    return sorted(names, key=lambda name: (-abs(_sum(amounts[name])), name))[:SERIES_SHOWN]


def stacked(
    *,
    name: str,
    title: str,
    currency: str,
    periods: Sequence[Period],
    amounts: Mapping[str, Sequence[Decimal | None]],
    colours: Mapping[str, int],
    urls: Mapping[str, str] | None = None,
) -> StackedChart:
    """A chart of `amounts` (name → one amount per period). The largest eight are shown, the rest is summed as "Other".

    `urls`: where more is told about a name.
    """
    shown = largest(amounts)
    stack = [Series(one, tuple(amounts[one]), colours[one], (urls or {}).get(one, "")) for one in shown]
    if rest := [amounts[one] for one in amounts if one not in shown]:
        stack.append(Series(OTHER, _folded(rest), series.OTHER))
    return StackedChart(name, title, currency, tuple(periods), tuple(stack))


def _folded(rows: Sequence[Sequence[Decimal | None]]) -> tuple[Decimal | None, ...]:
    return tuple(None if all(amount is None for amount in column) else _sum(column) for column in zip(*rows, strict=True))


def _sum(amounts: Sequence[Decimal | None]) -> Decimal:
    return money.total(amount for amount in amounts if amount is not None)
