"""Periods of an answer as bars of a chart: their names, and whether their figures can still change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from cloudconsole.core import charts, clock
from cloudconsole.core.money import ZERO
from costs.rules import settle
from costs.selectors.questions import Period

_DAY = timedelta(days=1)
_OPEN = "Not final yet: AWS still adds to it."
_UNTOLD = "AWS has told nothing of it yet."
_WITHOUT = "Without the accounts whose costs cannot be read."
_ESTIMATED = "Estimated: AWS has not closed the month."


def of_day(period: Period, *, misses_accounts: bool) -> charts.Period:
    day = period.start
    return _bar(period, f"{day.day} {day:%b}", f"{day:%a} {day.day} {day:%B %Y}", misses_accounts, None)


def of_month(period: Period, *, misses_accounts: bool) -> charts.Period:
    """Whoever drills down from a month looks at its days."""
    narrow = {"range": "custom", "start": period.start.isoformat(), "end": period.end.isoformat(), "granularity": "daily"}
    return _bar(period, f"{period.start:%b} ’{period.start:%y}", f"{period.start:%B %Y}", misses_accounts, narrow)


def is_settled(period: Period, *, misses_accounts: bool) -> bool:
    """Whether AWS adds nothing to the period any more, as far as it was fetched.

    An account from which nothing was ever fetched leaves every period incomplete; that is told once, by a notice, and
    does not make what is known of the others provisional.
    """
    if period.complete or not misses_accounts:
        return period.complete
    return period.end <= settle.last_complete_day(clock.today()) + _DAY


def _bar(period: Period, label: str, title: str, misses_accounts: bool, narrow: Mapping[str, str] | None) -> charts.Period:
    state, note = _state(period, misses_accounts)
    total = None if is_untold(period) else period.total
    return charts.Period(label=label, title=title, state=state, note=note, total=total, narrow=narrow)


def is_untold(period: Period) -> bool:
    """Nothing is known of it: of a day that has only begun, AWS answers with a zero before it knows anything."""
    return period.total is None or (not period.complete and period.total == ZERO and not period.groups)


def _state(period: Period, misses_accounts: bool) -> tuple[str, str]:
    if period.total is None:
        return "unknown", "Not fetched yet."
    if not is_settled(period, misses_accounts=misses_accounts):
        return "incomplete", _UNTOLD if is_untold(period) else _OPEN
    if not period.complete:
        return "complete", _WITHOUT
    return "complete", _ESTIMATED if period.estimated else ""
