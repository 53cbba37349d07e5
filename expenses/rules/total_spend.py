"""What is spent in total: what the cloud bills and what people spend, month by month, in one currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cloudconsole.core.money import total
from expenses.rules import rates
from expenses.rules.rates import Converted, Rates

# Currency → amount; None: that this month's costs are not known.
Amounts = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Month:
    """`cloud` and `expenses` are None where they cannot be told in the currency, or are not known at all.

    `is_settled` is False where the cloud's costs may still change.
    """

    start: date
    cloud: Decimal | None
    expenses: Decimal | None
    is_settled: bool
    is_known: bool
    missing: tuple[tuple[str, date], ...]

    @property
    def whole(self) -> Decimal | None:
        """Of the two together; None where one of them is missing."""
        return None if self.cloud is None or self.expenses is None else total((self.cloud, self.expenses))


@dataclass(frozen=True, slots=True)
class Course:
    """Months in their order, in one currency. `missing`: rates without which some months cannot be told."""

    currency: str
    months: tuple[Month, ...]

    @property
    def missing(self) -> tuple[tuple[str, date], ...]:
        return tuple(dict.fromkeys(one for month in self.months for one in month.missing))

    def sum_of(self, part: str) -> Decimal | None:
        """Of "cloud", "expenses" or "whole" over all months; None where a month is missing."""
        amounts = [getattr(month, part) for month in self.months]
        return None if None in amounts else total(amounts)


@dataclass(frozen=True, slots=True)
class CloudMonth:
    """What the cloud billed in a month, by currency; None where nothing is stored of it."""

    amounts: Amounts | None
    is_settled: bool = True


def course(
    months: Iterable[date], cloud: Mapping[date, CloudMonth], spent: Mapping[date, Amounts], currency: str, known: Rates
) -> Course:
    """A month without expenses is zero; a month of which no costs are stored is not known."""
    return Course(currency, tuple(_month(start, cloud.get(start), spent.get(start, {}), currency, known) for start in months))


def _month(start: date, billed: CloudMonth | None, spent: Amounts, currency: str, known: Rates) -> Month:
    costs = rates.converted(billed.amounts, currency, start, known) if billed and billed.amounts is not None else Converted(None)
    others = rates.converted(spent, currency, start, known)
    missing = tuple(dict.fromkeys((*costs.missing, *others.missing)))
    is_known = billed is not None and billed.amounts is not None
    return Month(start, costs.amount, others.amount, billed.is_settled if billed else True, is_known, missing)
