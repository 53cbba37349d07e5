"""Monthly rates: out of a central bank's days, and from one currency into another. A rate that is missing stays missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from expenses.rules import currencies

EURO = "EUR"
PLACES = Decimal("0.0000000001")
_EXACT = Context(prec=50)


@dataclass(frozen=True, slots=True)
class Average:
    """How much of `currency` a euro was worth in the month that starts with `month`: the mean of `days` days."""

    currency: str
    month: date
    per_euro: Decimal
    days: int


def averages(lines: Iterable[str]) -> Iterator[Average]:
    """Of each currency and whole month in the central bank's table: a header "Date,USD,JPY,…", then days, newest first.

    A month is whole when no weekday of it comes after the newest day in the table.
    """
    rows = (line.strip().rstrip(",").split(",") for line in lines if line.strip())
    titles = [title.strip() for title in next(rows)[1:]]
    found: dict[tuple[str, date], list[Decimal]] = defaultdict(list)
    newest = date.min
    for day_text, *values in rows:
        day = date.fromisoformat(day_text)
        newest = max(newest, day)
        for currency, value in zip(titles, values, strict=False):
            if value and value != "N/A":
                found[currency, day.replace(day=1)].append(Decimal(value))
    for (currency, month), rates in found.items():
        if _is_over(month, newest):
            yield Average(currency, month, _mean(rates), len(rates))


def _is_over(month: date, newest: date) -> bool:
    days = (newest + timedelta(days=number) for number in range(1, 8))
    return month < newest.replace(day=1) or not any(day.month == newest.month and day.weekday() < 5 for day in days)


def _mean(rates: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for rate in rates:
        total = _EXACT.add(total, rate)
    return _EXACT.divide(total, Decimal(len(rates))).quantize(PLACES, ROUND_HALF_EVEN)


class RateMissing(LookupError):
    """There is no rate of `currency` for `month`: nothing is assumed in its place."""

    def __init__(self, currency: str, month: date) -> None:
        super().__init__(f"There is no rate of {currency} for {month:%B %Y}.")
        self.currency = currency
        self.month = month


@dataclass(frozen=True, slots=True)
class Rates:
    """(currency, first day of a month) → how much of it a euro was worth."""

    per_euro: Mapping[tuple[str, date], Decimal]

    def convert(self, amount: Decimal, currency: str, into: str, month: date) -> Decimal:
        """Exact to ten places of the rate, rounded to what exists in `into`. Raises RateMissing."""
        if currency == into:
            return amount
        euros = _EXACT.divide(amount, self._of(currency, month))
        return currencies.rounded(_EXACT.multiply(euros, self._of(into, month)), into)

    def _of(self, currency: str, month: date) -> Decimal:
        if currency == EURO:
            return Decimal(1)
        try:
            return self.per_euro[currency, month]
        except KeyError:
            raise RateMissing(currency, month) from None


@dataclass(frozen=True, slots=True)
class Converted:
    """`amount` is None where a rate is missing; then `missing` says which."""

    amount: Decimal | None
    missing: tuple[tuple[str, date], ...] = ()


def converted(amounts: Mapping[str, Decimal], into: str, month: date, rates: Rates) -> Converted:
    """Amounts of one month in several currencies (currency → amount) as one, or the rates that are missing for it."""
    total, missing = Decimal(0), []
    for currency, amount in amounts.items():
        try:
            total = _EXACT.add(total, rates.convert(amount, currency, into, month))
        except RateMissing as error:
            missing.append((error.currency, error.month))
    return Converted(None, tuple(dict.fromkeys(missing))) if missing else Converted(total)
