"""Thresholds that were reached: noted once in each period of each revision, and told to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from accounts.alerts import Severity
from accounts.models import AwsAccount
from accounts.services import notifications
from cloudconsole.core import figures
from costs import alerts
from costs.models import Budget, BudgetAlert, BudgetThreshold
from costs.rules import budget_periods, budgets
from costs.rules.amounts import plain
from costs.rules.budgets import Figures, Kind, Limit, Standing, Unit
from costs.rules.windows import DayRange
from costs.selectors.budget_figures import Reading


@dataclass
class Look:
    """What was found of one budget. `periods`: days with their figures; none where `standing` says why."""

    budget: Budget
    standing: Standing
    reason: str = ""
    reading: Reading | None = None
    accounts: Sequence[AwsAccount] = ()
    periods: list[tuple[DayRange, Figures]] = field(default_factory=list)


def raise_all(looks: Sequence[Look], now: datetime) -> None:
    """In the transaction that wrote the looks, whose budgets are locked in it."""
    fired = _fired(looks)
    for look in looks:
        moving = set(budget_periods.moving(look.budget.period, now.date()))
        for days, found in look.periods:
            if days not in moving:
                continue
            for threshold in look.budget.thresholds.all():
                told = fired.get((look.budget.pk, look.budget.revision, days.start, threshold.limit.key))
                if told is not None:
                    _note_below(told, threshold.limit, found, now)
                elif budgets.is_reached(threshold.limit, found):
                    _fire(look, threshold, days, found, now)


def _fired(looks: Sequence[Look]) -> dict[tuple[int, int, date, str], BudgetAlert]:
    starts = {days.start for look in looks for days, _ in look.periods}
    rows = BudgetAlert.objects.filter(budget__in=[look.budget.pk for look in looks], period_start__in=starts)
    return {(row.budget_id, row.revision, row.period_start, row.threshold): row for row in rows}


def _note_below(told: BudgetAlert, limit: Limit, found: Figures, now: datetime) -> None:
    """A restatement brought the figure below again, or above once more: said of the alert, which is not repeated."""
    figure = budgets.watched(limit, found)
    if figure is None:
        return
    below = figure < limit.money(found.amount)
    if below != (told.below_since is not None):
        BudgetAlert.objects.filter(pk=told.pk).update(below_since=now if below else None)


def _fire(look: Look, threshold: BudgetThreshold, days: DayRange, found: Figures, now: datetime) -> None:
    budget, limit = look.budget, threshold.limit
    figure = budgets.watched(limit, found)
    if figure is None:
        return
    made = BudgetAlert(
        budget=budget,
        revision=budget.revision,
        period_start=days.start,
        period_end=days.end,
        threshold=limit.key,
        kind=limit.kind.value,
        unit=limit.unit.value,
        value=limit.value,
        severity=threshold.severity,
        figure=figure,
        amount=found.amount,
        as_of=look.reading.as_of if look.reading else None,
        reached_at=now,
    )
    made.save(force_insert=True)
    if not budget.is_muted(now) and look.accounts:
        made.alert = notifications.announce(
            kind=alerts.BUDGET_THRESHOLD,
            severity=Severity(threshold.severity),
            key=f"{alerts.BUDGET_THRESHOLD.name}:{budget.pk}:{budget.revision}:{days.start}:{limit.key}",
            title=_title(budget, limit),
            lines=_lines(budget, days, found),
            path=f"/budgets/{budget.pk}",
            accounts=AwsAccount.objects.filter(budgets=budget),
        )
        made.save(update_fields=["alert"])


def _title(budget: Budget, limit: Limit) -> str:
    level = words_of(limit, budget.currency)
    return f"{budget.name}: {level} of the budget {'reached' if limit.kind is Kind.ACTUAL else 'expected'}"


def words_of(limit: Limit, currency: str) -> str:
    """A threshold's level: "80 %" or "$500.00"."""
    if limit.unit is Unit.PERCENT:
        return f"{plain(limit.value)} %"
    return figures.money(limit.value, currency)


def _lines(budget: Budget, days: DayRange, found: Figures) -> list[str]:
    def told(amount: Decimal | None) -> str:
        return "an unknown amount" if amount is None else figures.money(amount, budget.currency)

    lines = [f"{budget_periods.title(budget.period, days)}: {told(found.actual)} of {told(found.amount)} so far."]
    if found.settled is not None and found.expected is not None:
        lines.append(f"Complete days cost {told(found.settled)}; at this point {told(found.expected)} would be on pace.")
    if found.forecast is not None:
        lines.append(f"The whole period is expected to cost {told(found.forecast)}.")
    return lines
