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
    """One service (or what else is stacked), an amount for each period; None where it is not known. `url`: more about it."""

    name: str
    amounts: tuple[Decimal | None, ...]
    slot: int
    url: str = ""

    @property
    def short(self) -> str:
        return series.short(self.name)

    @property
    def total(self) -> Decimal:
        return _sum(self.amounts)


@dataclass(frozen=True)
class Row:
    """One line of the table twin."""

    period: Period
    amounts: tuple[Decimal | None, ...]


@dataclass(frozen=True)
class StackedChart:
    name: str
    title: str
    currency: str
    periods: tuple[Period, ...]
    series: tuple[Series, ...]

    @cached_property
    def rows(self) -> list[Row]:
        """Newest first: the period people ask about is at the top."""
        rows = [Row(period, tuple(one.amounts[at] for one in self.series)) for at, period in enumerate(self.periods)]
        return rows[::-1]

    @cached_property
    def data(self) -> dict[str, Any]:
        """What `charts.js` draws."""
        return {
            "currency": self.currency,
            "periods": [self._period(period) for period in self.periods],
            "series": [self._series(one) for one in self.series],
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

    def _period(self, period: Period) -> dict[str, Any]:
        return {
            "label": period.label,
            "title": period.title,
            "state": period.state,
            "note": period.note,
            "total": None if period.total is None else figures.money(period.total, self.currency),
            "narrow": period.narrow,
        }

    def _series(self, one: Series) -> dict[str, Any]:
        return {
            "name": one.short,
            "slot": one.slot,
            "url": one.url,
            "amounts": [None if amount is None else str(amount) for amount in one.amounts],
            "texts": [figures.UNKNOWN if amount is None else figures.money(amount, self.currency) for amount in one.amounts],
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
