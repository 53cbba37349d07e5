"""Looking at budgets: what each has used up goes into rows, and thresholds that are reached become alerts, each once.

A worker claims what is due, reads costs, and writes what it found where the claim is still its own. Whatever changes a budget or
stores costs takes the claim away, so figures that are out of date are never written.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from costs.models import Budget, BudgetAccount, BudgetEvaluation
from costs.rules import budget_periods, budgets
from costs.rules.budgets import Figures, Standing
from costs.rules.windows import DayRange
from costs.selectors import budget_figures
from costs.selectors import budgets as selectors
from costs.selectors.budget_figures import Readers, Reading
from costs.services import budget_alerts
from costs.services.budget_alerts import Look

EVERY = timedelta(hours=6)
# A claim whose worker died is over after this long.
LEASE = timedelta(minutes=5)
BATCH = 50
# One ring looks at so many at most; the next goes on.
MOST = 1_000
_DAY = timedelta(days=1)
_HISTORY = {
    budget_periods.Every.DAILY: 30,
    budget_periods.Every.MONTHLY: 12,
    budget_periods.Every.QUARTERLY: 4,
    budget_periods.Every.YEARLY: 1,
}


def evaluate_due() -> int:
    """Look at what is due; how many that were."""
    readers, done = Readers(), 0
    while done < MOST and (claimed := _claim(clock.now(), BATCH)):
        done += _evaluate(claimed, readers)
    return done


def evaluate(*, pk: int) -> None:
    """Look at one budget now."""
    claim = uuid.uuid4()
    Budget.objects.kept().filter(pk=pk).update(claim=claim, next_evaluation_at=clock.now() + LEASE)
    _evaluate(_claimed(claim), Readers())


@transaction.atomic
def look_again() -> None:
    """New costs are stored: everything is due, in the transaction that says so."""
    # In the order in which evaluations lock them, so that neither waits for the other.
    found = list(Budget.objects.kept().select_for_update().order_by("pk").values_list("pk", flat=True))
    Budget.objects.filter(pk__in=found).update(next_evaluation_at=clock.now(), claim=None)


def _claim(now: datetime, count: int) -> list[Budget]:
    due = Q(next_evaluation_at=None) | Q(next_evaluation_at__lte=now)
    found = list(Budget.objects.kept().filter(due).order_by("pk").values_list("pk", flat=True)[:count])
    if not found:
        return []
    claim = uuid.uuid4()
    Budget.objects.filter(due, pk__in=found).update(claim=claim, next_evaluation_at=now + LEASE)
    return _claimed(claim)


def _claimed(claim: uuid.UUID) -> list[Budget]:
    found = Budget.objects.filter(claim=claim).select_related("owner").order_by("pk")
    return list(found.prefetch_related("thresholds", "planned", "accounts"))


def _evaluate(claimed: Sequence[Budget], readers: Readers) -> int:
    begun = _begun(claimed)
    looks = [_look(budget, readers, has_history=(budget.pk, budget.revision) in begun) for budget in claimed]
    with transaction.atomic():
        claims = {budget.pk: budget.claim for budget in claimed}
        kept = Budget.objects.select_for_update().filter(pk__in=claims, archived_at=None).order_by("pk")
        mine = {budget.pk for budget in kept if budget.claim == claims[budget.pk]}
        _write([look for look in looks if look.budget.pk in mine])
    return len(claimed)


def _begun(claimed: Sequence[Budget]) -> set[tuple[int, int]]:
    """The budgets that were looked at in their present revision."""
    rows = BudgetEvaluation.objects.filter(budget__in=[budget.pk for budget in claimed]).order_by()
    return set(rows.values_list("budget", "revision").distinct())


def _look(budget: Budget, readers: Readers, *, has_history: bool) -> Look:
    today, owner = clock.today(), budget.owner
    if owner is None or not owner.is_active:
        return Look(budget, Standing.CANNOT, f"It counts with the rights of {budget.owner_name}, who has left.")
    if budget.end is not None and not any(budget.covers(days) for days in budget_periods.moving(budget.period, today)):
        return Look(budget, Standing.ENDED)
    if today < budget_periods.period_of(budget.period, budget.start).start:
        return Look(budget, Standing.NOT_STARTED)
    report = selectors.report_of(budget)
    try:
        reader = readers.of(owner, report)
        covered = budget_figures.accounts_of(reader)
        if lost := _lost(budget, owner):
            names = ", ".join(lost)
            return Look(budget, Standing.CANNOT, f"{budget.owner_name} may not see the costs of {names} any more.")
        periods = _periods(budget, today, has_history=has_history)
        reading = budget_figures.read(reader, report, budget.period, since=min(days.start for days in periods))
    except CloudconsoleError as error:
        return Look(budget, Standing.CANNOT, error.detail)
    found = [(days, reading.figures(days, budget.amount_of(days))) for days in periods]
    return _looked(budget, reading, covered, found, today)


def _looked(
    budget: Budget, reading: Reading, covered: Sequence[AwsAccount], found: list[tuple[DayRange, Figures]], today: date
) -> Look:
    now = next(((days, one) for days, one in found if days.start <= today < days.end), None)
    if now is None:
        return Look(budget, Standing.ENDED, "", reading, covered, found)
    return Look(budget, budgets.standing(now[1]), reading.reason(*now), reading, covered, found)


def _lost(budget: Budget, owner: User) -> list[str]:
    """The connected accounts that its figures held and whose costs its owner may not see now.

    One that is read from its payer by now, or has moved to another environment, is not lost.
    """
    may = set(AwsAccount.objects.visible_to(owner, Perm.COSTS_VIEW).values_list("pk", flat=True))
    return sorted(one.alias for one in budget.accounts.all() if one.deleted_at is None and one.pk not in may)


def _periods(budget: Budget, today: date, *, has_history: bool) -> list[DayRange]:
    """Those that still move; the first time those before them too, so that there is something to compare with."""
    moving = budget_periods.moving(budget.period, today)
    if not has_history:
        moving += budget_periods.before(budget.period, moving[-1], _HISTORY[budget.period])
    return [days for days in moving if budget.covers(days)]


# --- writing


def _write(looks: Sequence[Look]) -> None:
    now = clock.now()
    _cover(looks)
    rows = [row for look in looks for row in _rows(look, now)]
    BudgetEvaluation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=_FOUND,
    )
    current = _current(looks, clock.today())
    for look in looks:
        _settle(look, current.get(look.budget.pk), now)
    Budget.objects.bulk_update(
        [look.budget for look in looks],
        ["standing", "reason", "share", "current", "evaluated_at", "next_evaluation_at", "claim"],
    )
    budget_alerts.raise_all(looks, now)


def _settle(look: Look, current: BudgetEvaluation | None, now: datetime) -> None:
    budget = look.budget
    budget.standing, budget.reason = look.standing.value, look.reason
    budget.current = current
    budget.share = current.share if current else None
    budget.evaluated_at, budget.next_evaluation_at, budget.claim = now, now + EVERY, None


def _cover(looks: Iterable[Look]) -> None:
    """Accounts that came since: whoever sees the figures has to see them too."""
    BudgetAccount.objects.bulk_create(
        (BudgetAccount(budget=look.budget, account=account) for look in looks for account in look.accounts),
        ignore_conflicts=True,
    )


_KEY = ("budget", "period_start", "day", "revision")
_FOUND = (
    "period_end",
    "amount",
    "actual",
    "settled",
    "expected",
    "forecast",
    "low",
    "high",
    "method",
    "share",
    "standing",
    "reason",
    "complete_until",
    "missing_days",
    "misses_accounts",
    "as_of",
    "evaluated_at",
)


def _rows(look: Look, now: datetime) -> Iterable[BudgetEvaluation]:
    if look.reading is None:
        return
    moving = set(budget_periods.moving(look.budget.period, now.date()))
    for days, found in look.periods:
        row = _row(look.budget, look.reading, days, found)
        row.day, row.evaluated_at = now.date() if days in moving else days.end - _DAY, now
        yield row


def _row(budget: Budget, reading: Reading, days: DayRange, found: Figures) -> BudgetEvaluation:
    outlook = reading.outlook if found.forecast is not None else None
    return BudgetEvaluation(
        budget=budget,
        revision=budget.revision,
        period_start=days.start,
        period_end=days.end,
        amount=found.amount,
        actual=found.actual,
        settled=found.settled,
        expected=found.expected,
        forecast=found.forecast,
        low=outlook.low if outlook else None,
        high=outlook.high if outlook else None,
        method=outlook.method if outlook else "",
        share=found.share,
        standing=budgets.standing(found).value,
        reason=reading.reason(days, found),
        complete_until=reading.complete_until,
        missing_days=reading.missing_days(days),
        misses_accounts=reading.misses_accounts,
        as_of=reading.as_of,
    )


def _current(looks: Sequence[Look], today: date) -> Mapping[int, BudgetEvaluation]:
    """The row of today's period; rows that were there already keep their keys, so they are read again."""
    found = [look.budget for look in looks if look.reading is not None]
    rows = BudgetEvaluation.objects.filter(budget__in=found, day=today, period_start__lte=today, period_end__gt=today)
    revisions = {budget.pk: budget.revision for budget in found}
    return {row.budget_id: row for row in rows if row.revision == revisions[row.budget_id]}
