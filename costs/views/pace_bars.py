"""A budget's figures as a bar: what is used up, where it should be by now, and where it is expected to end."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from costs.models import Budget, BudgetEvaluation

# The bar ends at this share of the amount, so that being over shows.
_END = Decimal("1.25")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PaceBar:
    """Positions in percent of the bar's width, as text for its drawing; None where nothing is known."""

    used: str
    expected: str | None
    forecast: str | None
    limit: str
    tone: str
    label: str


def of(row: BudgetEvaluation) -> PaceBar | None:
    """None where nothing is known."""
    if row.share is None or row.actual is None:
        return None
    return PaceBar(
        used=_place(row.actual, row.amount),
        expected=None if row.expected is None else _place(row.expected, row.amount),
        forecast=None if row.forecast is None else _place(row.forecast, row.amount),
        limit=_place(row.amount, row.amount),
        tone={"over": "bad", "at_risk": "warn", "on_track": "ok"}.get(row.standing, ""),
        label=f"{percent(row.share)} used up",
    )


def _place(amount: Decimal, of_amount: Decimal) -> str:
    share = max(Decimal(0), min(amount / of_amount, _END)) / _END
    return f"{share * _HUNDRED:.2f}"


def percent(share: Decimal) -> str:
    return f"{share * _HUNDRED:,.1f} %"


@dataclass(frozen=True, slots=True)
class Line:
    """One budget of a list."""

    budget: Budget
    row: BudgetEvaluation | None
    bar: PaceBar | None

    @property
    def percent(self) -> str:
        return "" if self.row is None or self.row.share is None else percent(self.row.share)


def line(budget: Budget) -> Line:
    row = None if budget.is_hidden else budget.current
    return Line(budget, row, of(row) if row else None)
