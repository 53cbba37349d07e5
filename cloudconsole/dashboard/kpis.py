"""The four figures at the top of the overview, in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cloudconsole.core import figures, series
from cloudconsole.core.money import EXACT
from costs.rules.windows import DayRange
from costs.selectors.summary import Span, Summary


@dataclass(frozen=True)
class Kpi:
    """One figure. `now` against `before` is the delta, where there is something to compare."""

    label: str
    amount: Decimal | None
    currency: str
    aside: str = ""
    note: str = ""
    now: Decimal | None = None
    before: Decimal | None = None
    why: str = "Not fetched yet"


@dataclass(frozen=True)
class Mover:
    """A service that cost noticeably more or less than before."""

    name: str
    before: Decimal
    now: Decimal
    change: Decimal
    currency: str

    @property
    def short(self) -> str:
        return series.short(self.name)


def kpis(summary: Summary) -> list[Kpi]:
    return [_month_to_date(summary), _outlook(summary), _given_back(summary), _last_month(summary)]


def movers(summary: Summary) -> list[Mover]:
    currency = summary.currency or ""
    return [Mover(one.service, one.before, one.after, one.change, currency) for one in summary.movers]


def days_in_words(days: DayRange) -> str:
    """`2026-10-01` up to `2026-10-21` → "1–20 October"."""
    last = days.end - (days.end - days.start) / days.days
    return f"{days.start.day}–{last.day} {last:%B}" if days.days > 1 else f"{days.start.day} {days.start:%B}"


def _month_to_date(summary: Summary) -> Kpi:
    before = summary.same_span_last_month
    return Kpi(
        label="Month to date",
        amount=summary.month_to_date.amount,
        currency=summary.currency or "",
        aside=summary.currency or "",
        note=compared(summary.settled, before),
        now=summary.settled.amount if summary.settled else None,
        before=before.amount if before and before.amount else None,
    )


def compared(settled: Span | None, before: Span | None) -> str:
    if settled is None or before is None:
        return "Too early in the month to compare"
    days = days_in_words(before.days)
    return f"in {days_in_words(settled.days)} than in {days}" if before.amount else f"Nothing known of {days} to compare with"


def _outlook(summary: Summary) -> Kpi:
    outlook, currency = summary.outlook, summary.currency or ""
    label = f"Forecast, {summary.month_to_date.days.start:%B}"
    if outlook.amount is None:
        return Kpi(label, None, currency, note=outlook.reason, why=outlook.reason)
    if outlook.low is None or outlook.high is None:
        return Kpi(label, outlook.amount, currency)
    half = EXACT.divide(EXACT.subtract(outlook.high, outlook.low), Decimal(2))
    between = f"{figures.money(outlook.low, currency, places=0)} and {figures.money(outlook.high, currency, places=0)}"
    return Kpi(label, outlook.amount, currency, f"± {half:,.0f}", f"{outlook.level} % likely between {between}")


def _given_back(summary: Summary) -> Kpi:
    currency = summary.currency or ""
    notes = []
    if summary.gross is not None:
        notes.append(f"{figures.money(summary.gross, currency)} before them")
    if summary.tax is not None:
        notes.append(f"{figures.money(summary.tax, currency)} of it tax")
    return Kpi("Credits and refunds", summary.credits, currency, note=", ".join(notes))


def _last_month(summary: Summary) -> Kpi:
    span = summary.full_last_month
    return Kpi(f"{span.days.start:%B %Y}", span.amount, summary.currency or "", note="the whole month")
