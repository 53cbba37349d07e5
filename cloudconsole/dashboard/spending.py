"""The overview's charts, from the answers of the cost selectors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cloudconsole.core import clock, series
from cloudconsole.core.charts import OTHER, Period, StackedChart, largest, stacked
from cloudconsole.core.money import ZERO
from costs.rules import settle
from costs.selectors import questions
from costs.selectors.questions import Answer

_DAY = timedelta(days=1)
_OPEN = "Not final yet: AWS still adds to it."
_WITHOUT = "Without the accounts whose costs cannot be read."
_ESTIMATED = "Estimated: AWS has not closed the month."


@dataclass(frozen=True)
class Charts:
    """The same service has the same colour in both. None where nothing cost anything."""

    daily: StackedChart | None
    monthly: StackedChart | None


def charts(by_day: Answer, by_month: Answer, *, misses_accounts: bool) -> Charts:
    """The charts of two answers that are grouped by service."""
    days, months = _amounts(by_day), _amounts(by_month)
    colours = series.slots([*largest(months), *largest(days)])
    daily = stacked(
        name="daily",
        title="Daily cost by service",
        currency=by_day.currency or "",
        periods=[_bar(one, *_day(one.start), misses_accounts=misses_accounts) for one in by_day.periods],
        amounts=days,
        colours=colours,
    )
    monthly = stacked(
        name="monthly",
        title="Thirteen months by service",
        currency=by_month.currency or "",
        periods=[_bar(one, *_month(one.start), misses_accounts=misses_accounts) for one in by_month.periods],
        amounts=months,
        colours=colours,
    )
    return Charts(daily if days else None, monthly if months else None)


def by_first_key(answer: Answer) -> dict[str, list[Decimal | None]]:
    """Amounts by the first grouping, one for each period: 0 where the period is known and the name is absent from it."""
    names = dict.fromkeys(group.keys[0] for period in answer.periods for group in period.groups)
    amounts: dict[str, list[Decimal | None]] = {name: [] for name in names}
    for period in answer.periods:
        known = {group.keys[0]: group.amount for group in period.groups}
        for name, row in amounts.items():
            row.append(None if period.total is None else known.get(name, ZERO))
    return amounts


def _amounts(answer: Answer) -> dict[str, list[Decimal | None]]:
    amounts = by_first_key(answer)
    if any(period.residual for period in answer.periods):
        # AWS told it in total but not by service; hiding it would make the bars lie.
        amounts[OTHER] = [None if period.total is None else period.residual for period in answer.periods]
    return amounts


def is_settled(period: questions.Period, *, misses_accounts: bool) -> bool:
    """Whether AWS adds nothing to the period any more, as far as it was fetched.

    An account from which nothing was ever fetched leaves every period incomplete; that is told once, by a notice, and
    does not make what is known of the others provisional.
    """
    if period.complete or not misses_accounts:
        return period.complete
    return period.end <= settle.last_complete_day(clock.today()) + _DAY


def _day(day: date) -> tuple[str, str]:
    """Its short and its full name."""
    return f"{day.day} {day:%b}", f"{day:%a} {day.day} {day:%B %Y}"


def _month(month: date) -> tuple[str, str]:
    return f"{month:%b} ’{month:%y}", f"{month:%B %Y}"


def _bar(period: questions.Period, label: str, title: str, *, misses_accounts: bool) -> Period:
    state, note = _state(period, misses_accounts)
    return Period(label=label, title=title, state=state, note=note, total=period.total)


def _state(period: questions.Period, misses_accounts: bool) -> tuple[str, str]:
    if period.total is None:
        return "unknown", "Not fetched yet."
    if not is_settled(period, misses_accounts=misses_accounts):
        return "incomplete", _OPEN
    if not period.complete:
        return "complete", _WITHOUT
    return "complete", _ESTIMATED if period.estimated else ""
