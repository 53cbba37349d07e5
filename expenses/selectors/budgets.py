"""Budgets for expenses, and how much of each is spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs.rules import budget_periods
from costs.rules.budget_periods import Every
from costs.rules.windows import DayRange
from expenses.models import Expense, ExpenseBudget, Workspace
from expenses.models.sums import CostSum
from expenses.rules.statuses import Status


class NoSuchBudget(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such budget"


@dataclass(frozen=True)
class Standing:
    """A budget in the period of a day. `percent` is of the amount, and grows beyond a hundred."""

    budget: ExpenseBudget
    days: DayRange
    spent: Decimal

    @property
    def left(self) -> Decimal:
        amount: Decimal = self.budget.amount
        return amount - self.spent

    @property
    def percent(self) -> int:
        return max(0, int(self.spent * 100 / self.budget.amount))

    @property
    def title(self) -> str:
        return budget_periods.title(Every(self.budget.every), self.days)

    @property
    def tone(self) -> str:
        if self.percent > 100:
            return "bad"
        return "warn" if any(self.percent >= one for one in self.budget.thresholds) else "ok"


def get_for(user: User, pk: int) -> ExpenseBudget:
    """Raises NoSuchBudget also for one in a workspace that `user` is not in."""
    seen = ExpenseBudget.objects.visible_to(user, Perm.SELF)
    found = seen.select_related("workspace", "category__parent").filter(pk=pk).first()
    if found is None:
        raise NoSuchBudget("There is no budget with this number.")
    return found


def listed(user: User, workspace: Workspace, today: date) -> list[Standing]:
    """Each with what is spent in the period of today, what is used up most first."""
    seen = ExpenseBudget.objects.visible_to(user, Perm.SELF).filter(workspace=workspace)
    found = list(seen.select_related("workspace", "category__parent"))
    sums = {every: _sums(workspace.pk, every, today) for every in {one.every for one in found}}
    return sorted((_standing(one, today, sums[one.every]) for one in found), key=lambda one: -one.percent)


def standing(budget: ExpenseBudget, day: date) -> Standing:
    """In the period of `day`."""
    return _standing(budget, day, _sums(budget.workspace_id, budget.every, day))


@dataclass(frozen=True)
class _Sum:
    """What was spent in a category (or in none), which is below `parent` (or at the top)."""

    category: int | None
    parent: int | None
    currency: str
    amount: Decimal

    def counts_for(self, budget: ExpenseBudget) -> bool:
        held = budget.category_id is None or budget.category_id in (self.category, self.parent)
        return held and self.currency == budget.currency


def _sums(workspace: int, every: str, day: date) -> list[_Sum]:
    """What was rejected is not spent by the workspace, and does not count."""
    days = budget_periods.period_of(Every(every), day)
    counted = Expense.objects.kept().filter(workspace=workspace, date__gte=days.start, date__lt=days.end)
    named = counted.exclude(status=Status.REJECTED).order_by().values_list("category", "category__parent", "currency")
    return [_Sum(*row) for row in named.annotate(amount=CostSum("cost"))]


def _standing(budget: ExpenseBudget, day: date, sums: list[_Sum]) -> Standing:
    spent = sum((one.amount for one in sums if one.counts_for(budget)), Decimal(0))
    return Standing(budget, budget_periods.period_of(Every(budget.every), day), spent)
