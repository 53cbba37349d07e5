"""The categories of a workspace as a tree, and what changing one would touch."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import Category, Expense, ExpenseBudget, PaymentMethod, RecurringExpense, Workspace


class NoSuchCategory(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such category"


class NoSuchMethod(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such payment method"


@dataclass(frozen=True)
class Branch:
    """A category at the top with what is below it. `count`: its own expenses; `whole`: with those below."""

    category: Category
    count: int
    whole: int
    children: list[tuple[Category, int]]


@dataclass(frozen=True)
class Reach:
    """What follows when a category changes."""

    expenses: int
    subcategories: int
    series: int
    budgets: int


def category_for(user: User, pk: int) -> Category:
    """Raises NoSuchCategory also for one in a workspace that `user` is not in."""
    found = Category.objects.visible_to(user, Perm.SELF).select_related("workspace", "parent").filter(pk=pk).first()
    if found is None:
        raise NoSuchCategory("There is no category with this number.")
    return found


def method_for(user: User, pk: int) -> PaymentMethod:
    """Raises NoSuchMethod also for one in a workspace that `user` is not in."""
    found = PaymentMethod.objects.visible_to(user, Perm.SELF).select_related("workspace").filter(pk=pk).first()
    if found is None:
        raise NoSuchMethod("There is no payment method with this number.")
    return found


def tree(user: User, workspace: Workspace) -> list[Branch]:
    counts = _counts(user, workspace)
    below: defaultdict[int | None, list[Category]] = defaultdict(list)
    for one in Category.objects.visible_to(user, Perm.SELF).filter(workspace=workspace).select_related("parent").order_by("name"):
        below[one.parent_id].append(one)
    return [_branch(top, below[top.pk], counts) for top in below[None]]


def _branch(top: Category, children: list[Category], counts: Counter[int | None]) -> Branch:
    own = [(one, counts[one.pk]) for one in children]
    return Branch(top, counts[top.pk], counts[top.pk] + sum(count for _, count in own), own)


def _counts(user: User, workspace: Workspace) -> Counter[int | None]:
    seen = Expense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace).order_by()
    return Counter(dict(seen.values_list("category").annotate(count=Count("pk"))))


def reach(category: Category) -> Reach:
    """Everything that hangs on it, and on what is below it."""
    pks = [category.pk, *category.children.values_list("pk", flat=True)]
    return Reach(
        Expense.objects.kept().filter(category__in=pks).count(),
        len(pks) - 1,
        RecurringExpense.objects.filter(category__in=pks).count(),
        ExpenseBudget.objects.filter(category__in=pks).count(),
    )


def methods(user: User, workspace: Workspace) -> list[tuple[PaymentMethod, int]]:
    """Each with how many expenses were paid with it, those that are offered first."""
    seen = Expense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace).order_by()
    counts = Counter(dict(seen.values_list("payment_method").annotate(count=Count("pk"))))
    found = PaymentMethod.objects.visible_to(user, Perm.SELF).filter(workspace=workspace)
    return [(one, counts[one.pk]) for one in sorted(found, key=lambda one: (one.archived_at is not None, one.name.casefold()))]
