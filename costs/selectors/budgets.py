"""Reading budgets: who sees which, how they stand, and what was reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import AwsAccount, User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs.models import Budget, BudgetAccount, BudgetAlert, BudgetEvaluation
from costs.models.budgets import BudgetQuerySet
from costs.rules.budgets import Standing
from costs.rules.charge_types import ChargeType
from costs.selectors.reports import Report

PERIODS_SHOWN = 24


class BudgetNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "budget_not_found"
    title = "Not found"


class NotAllowed(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "permission_denied"
    title = "Not allowed"


class Order(StrEnum):
    """What the list starts with."""

    USED = "used"
    NAME = "name"
    AMOUNT = "amount"
    NEWEST = "newest"


_ORDERS = {
    Order.USED: (F("share").desc(nulls_last=True), Lower("name"), "pk"),
    Order.NAME: (Lower("name"), "pk"),
    Order.AMOUNT: ("currency", F("amount").desc(), "pk"),
    Order.NEWEST: ("-created_at", "-pk"),
}


@dataclass(frozen=True, slots=True)
class BudgetFilter:
    """Empty fields let everything through."""

    words: str = ""
    standing: str = ""
    every: str = ""
    mine: bool = False
    archived: bool = False


def visible(user: User, permission: Perm = Perm.COSTS_VIEW) -> BudgetQuerySet:
    return Budget.objects.visible_to(user, permission).select_related("owner", "current")


def listed(user: User, wanted: BudgetFilter, order: Order = Order.USED) -> BudgetQuerySet:
    found = visible(user).filter(archived_at__isnull=not wanted.archived)
    for word in wanted.words.split():
        found = found.filter(Q(name__icontains=word) | Q(owner_name__icontains=word))
    if wanted.standing:
        found = found.filter(standing=wanted.standing)
    if wanted.every:
        found = found.filter(every=wanted.every)
    if wanted.mine:
        found = found.filter(owner=user)
    return found.order_by(*_ORDERS[order])


def get_for(user: User, pk: int, permission: Perm = Perm.COSTS_VIEW) -> Budget:
    """Raises BudgetNotFound. Show no figures where `is_hidden` is set."""
    found = visible(user, permission).prefetch_related("thresholds", "planned").filter(pk=pk).first()
    if found is None:
        raise BudgetNotFound("There is no such budget, or you may not see all of its accounts.")
    return hide(user, [found])[0]


def hide(user: User, found: Iterable[Budget]) -> list[Budget]:
    """Mark those whose figures `user` may not see: own ones, with accounts that they may not see any more."""
    budgets = list(found)
    own = [budget.pk for budget in budgets if budget.owner_id == user.pk]
    told = set(Budget.objects.told_to(user, Perm.COSTS_VIEW).filter(pk__in=own).values_list("pk", flat=True)) if own else set()
    counted = set(BudgetAccount.objects.filter(budget__in=own).values_list("budget", flat=True)) if own else set()
    for budget in budgets:
        budget.is_hidden = budget.pk in own and budget.pk in counted and budget.pk not in told
    return budgets


def get_to_change(user: User, pk: int) -> Budget:
    """One that `user` may write. Raises BudgetNotFound where they do not see it, NotAllowed where that is all they may."""
    found = get_for(user, pk)
    if not may_change(user, found):
        raise NotAllowed("Changing it takes the right to make budgets on every account that it covers.")
    return found


def check_may_make(user: User) -> None:
    """Raises NotAllowed for who may make budgets for no account at all."""
    if not user.is_admin and not AwsAccount.objects.visible_to(user, Perm.COSTS_BUDGET).exists():
        raise NotAllowed("There is no account for which you may make a budget.")


def may_change(user: User, budget: Budget) -> bool:
    """Whether `user` may write it: with the right to on all of its accounts."""
    if not user.may(Perm.COSTS_BUDGET):
        return False
    own_of_nothing = budget.owner_id == user.pk and not budget.covered.exists()
    return own_of_nothing or Budget.objects.told_to(user, Perm.COSTS_BUDGET).filter(pk=budget.pk).exists()


def overview(user: User, accounts: Sequence[AwsAccount] | None, count: int) -> list[Budget]:
    """Those that are used up most; of `accounts` where the page is narrowed to some."""
    found = Budget.objects.told_to(user, Perm.COSTS_VIEW).kept().select_related("current")
    if accounts is not None:
        found = found.filter(pk__in=BudgetAccount.objects.filter(account__in=accounts).values("budget"))
    moving = found.exclude(standing__in=[Standing.NOT_STARTED, Standing.ENDED])
    return list(moving.order_by(*_ORDERS[Order.USED])[:count])


def report_of(budget: Budget) -> Report:
    """What it counts, as the explorer asks it."""
    return Report(
        group_by=(),
        metric=Metric(budget.metric),
        charge_types=tuple(one for one in ChargeType if one.value in budget.charge_types),
        filters=tuple((name, value) for name, value in budget.filters),
        currency=budget.currency,
    )


def periods(budget: Budget) -> list[BudgetEvaluation]:
    """How each period stood when it was looked at last, the newest first; only of what is counted now."""
    if budget.is_hidden:
        return []
    counted = BudgetEvaluation.objects.filter(budget=budget, revision__gte=budget.scope_revision)
    newest = counted.order_by().values("period_start").annotate(newest=Max("pk")).values("newest")
    return list(counted.filter(pk__in=newest).select_related("budget").order_by("-period_start")[:PERIODS_SHOWN])


def evaluations(budget: Budget) -> QuerySet[BudgetEvaluation]:
    """Every day's look at it, the newest first."""
    if budget.is_hidden:
        return BudgetEvaluation.objects.none()
    return BudgetEvaluation.objects.filter(budget=budget, revision__gte=budget.scope_revision)


def alerts(budget: Budget) -> QuerySet[BudgetAlert]:
    """What was reached, the newest first."""
    if budget.is_hidden:
        return BudgetAlert.objects.none()
    found = BudgetAlert.objects.filter(budget=budget, revision__gte=budget.scope_revision)
    return found.select_related("budget")
