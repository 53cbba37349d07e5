"""Budgets for expenses: keeping them, and telling people of a threshold once in each period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

import audit.services
from accounts.alerts import Severity
from accounts.models import User
from accounts.services import notifications
from audit.verbs import Verb
from cloudconsole.core import clock, figures
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs.rules.budget_periods import Every
from expenses import alerts, verbs
from expenses.models import Category, ExpenseBudget, ExpenseBudgetAlert, Workspace
from expenses.models.plans import PERIODS
from expenses.rules import currencies
from expenses.rules.currencies import NotAnAmount
from expenses.rules.statuses import MemberRole
from expenses.selectors import budgets as selectors
from expenses.selectors import workspaces
from expenses.selectors.budgets import Standing

DEFAULT_THRESHOLDS: Final = (80, 100)


class BudgetRefused(CloudconsoleError):
    code = "expense_budget_refused"
    title = "The budget cannot be like that"


class BudgetExists(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "expense_budget_exists"
    title = "There is such a budget"


@dataclass(frozen=True)
class BudgetInput:
    """`category` None: the whole workspace. `thresholds` are per cent of the amount.

    `on_channels`: what is reached is also sent to the installation's channels, whose readers need not be in the workspace.
    """

    amount: Decimal
    currency: str
    category: Category | None = None
    every: Every = Every.MONTHLY
    thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS
    on_channels: bool = False


def create(*, workspace: Workspace, given: BudgetInput, by: User) -> ExpenseBudget:
    """Make one and look at it for the first time. Raises NotAllowed, BudgetRefused, BudgetExists."""
    workspaces.require(by, workspace, MemberRole.APPROVER)
    budget = ExpenseBudget(workspace=workspace, created_by=by)
    with transaction.atomic():
        _write(budget, given)
        _record(verbs.BUDGET_MADE, budget, by)
    evaluate(pk=budget.pk)
    return budget


def change(*, budget: ExpenseBudget, given: BudgetInput, by: User) -> ExpenseBudget:
    """Another amount, or other expenses, arm the thresholds again. Raises what `create` raises."""
    workspaces.require(by, budget.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        kept = ExpenseBudget.objects.select_for_update().get(pk=budget.pk)
        counted = (kept.amount, kept.currency, kept.category_id, kept.every)
        _write(kept, given)
        if counted != (kept.amount, kept.currency, kept.category_id, kept.every):
            kept.revision += 1
            kept.save(update_fields=["revision"])
        _record(verbs.BUDGET_CHANGED, kept, by)
    evaluate(pk=kept.pk)
    return kept


def delete(*, budget: ExpenseBudget, by: User) -> None:
    """Raises NotAllowed."""
    workspaces.require(by, budget.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        _record(verbs.BUDGET_DELETED, budget, by)
        ExpenseBudget.objects.filter(pk=budget.pk).delete()


def tick() -> None:
    """Look at every budget: expenses come in by many ways, and late ones count in the period of today as well."""
    for pk in list(ExpenseBudget.objects.values_list("pk", flat=True)):
        evaluate(pk=pk)


def evaluate(*, pk: int) -> None:
    """Tell everybody in the workspace of thresholds that are reached in the period of today, each once by its unique row."""
    budget = ExpenseBudget.objects.select_related("workspace", "category__parent").filter(pk=pk).first()
    if budget is None:
        return
    standing = selectors.standing(budget, clock.today())
    reached = {one for one in budget.thresholds if standing.percent >= one}
    told = ExpenseBudgetAlert.objects.filter(budget=budget, revision=budget.revision, period_start=standing.days.start)
    for threshold in sorted(reached - set(told.values_list("threshold", flat=True))):
        _tell(standing, threshold)


def _tell(standing: Standing, threshold: int) -> None:
    budget = standing.budget
    try:
        with transaction.atomic():
            ExpenseBudgetAlert.objects.create(
                budget=budget,
                revision=budget.revision,
                period_start=standing.days.start,
                threshold=threshold,
                figure=standing.spent,  # type: ignore[misc]  # the stubs take the field for one of whole numbers
                reached_at=clock.now(),
            )
            for number, person in enumerate(budget.workspace.members.filter(is_active=True).order_by("pk")):
                _announce(standing, threshold, person, on_channels=budget.on_channels and number == 0)
    except IntegrityError:
        return  # another worker told of it at this moment


def _announce(standing: Standing, threshold: int, person: User, *, on_channels: bool) -> None:
    budget = standing.budget
    spent, amount = (figures.money(one, budget.currency) for one in (standing.spent, budget.amount))
    notifications.announce(
        kind=alerts.BUDGET_THRESHOLD,
        severity=Severity.CRITICAL if threshold >= 100 else Severity.WARNING,
        key=f"expenses.budget/{budget.pk}/{budget.revision}/{standing.days.start}/{threshold}/{person.pk}",
        title=f"{name_of(budget)}: {threshold} % of the budget is spent",
        lines=[f"{spent} of {amount} in {standing.title}."],
        path=f"/expenses/budgets?workspace={budget.workspace_id}",
        person=person,
        on_channels=on_channels,
    )


def name_of(budget: ExpenseBudget) -> str:
    return str(budget.category) if budget.category else f"All expenses of {budget.workspace.name}"


def _write(budget: ExpenseBudget, given: BudgetInput) -> None:
    if given.every.value not in dict(PERIODS):
        raise BudgetRefused(f"One of: {', '.join(dict(PERIODS))}.", attr="every")
    if given.category is not None and given.category.workspace_id != budget.workspace_id:
        raise BudgetRefused("The category is one of another workspace.", attr="category")
    budget.amount, budget.thresholds = _amount(given), _thresholds(given.thresholds)
    budget.currency, budget.category, budget.every = given.currency, given.category, given.every.value
    budget.on_channels = given.on_channels
    try:
        with transaction.atomic():
            budget.save()
    except IntegrityError as error:
        raise BudgetExists("There is a budget for this category, currency and period: change that one.") from error


def _amount(given: BudgetInput) -> Decimal:
    try:
        amount = currencies.amount_of(given.amount, given.currency)
    except NotAnAmount as error:
        raise BudgetRefused(str(error), attr="amount") from error
    if amount <= 0:
        raise BudgetRefused("A budget is more than nothing.", attr="amount")
    return amount


def _thresholds(given: Collection[int]) -> list[int]:
    if len(given) > 10 or any(not 1 <= one <= 1000 for one in given):
        raise BudgetRefused("At most ten thresholds, each from 1 to 1000 per cent.", attr="thresholds")
    return sorted(set(given))


def _record(verb: Verb, budget: ExpenseBudget, by: User) -> None:
    detail: dict[str, str | int | None] = {
        "workspace": budget.workspace.name,
        "on_channels": "yes" if budget.on_channels else "no",
    }
    audit.services.record(verb, actor=by, subject=name_of(budget), detail=detail)
