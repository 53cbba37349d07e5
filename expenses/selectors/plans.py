"""Rules and series of a workspace."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import Expense, ExpenseQuerySet, Receipt, RecurringExpense, Rule, Workspace
from expenses.rules import recurrence
from expenses.selectors import expenses


class NoSuchRule(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such rule"


class NoSuchSeries(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such series"


class NoSuchReceipt(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such receipt"


def rules(user: User, workspace: Workspace) -> QuerySet[Rule]:
    return Rule.objects.visible_to(user, Perm.SELF).filter(workspace=workspace).order_by("position", "pk")


def rule_for(user: User, pk: int) -> Rule:
    """Raises NoSuchRule also for one in a workspace that `user` is not in."""
    found = Rule.objects.visible_to(user, Perm.SELF).select_related("workspace").filter(pk=pk).first()
    if found is None:
        raise NoSuchRule("There is no rule with this number.")
    return found


def series(user: User, workspace: Workspace) -> QuerySet[RecurringExpense]:
    seen = RecurringExpense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace)
    return seen.select_related("category__parent", "payment_method", "owner", "account").order_by("next_on", "pk")


def series_for(user: User, pk: int) -> RecurringExpense:
    """Raises NoSuchSeries also for one in a workspace that `user` is not in."""
    seen = RecurringExpense.objects.visible_to(user, Perm.SELF)
    found = seen.select_related("workspace", "owner", "category__parent", "payment_method", "account").filter(pk=pk).first()
    if found is None:
        raise NoSuchSeries("There is no series with this number.")
    return found


def coming(one: RecurringExpense, at_most: int) -> list[date]:
    """The next days on which it enters an expense; none while it is paused."""
    if one.next_on is None or one.is_paused:
        return []
    return recurrence.due(one.rrule, one.start, first=one.next_on, last=date.max, at_most=at_most)


def made_by(user: User, one: RecurringExpense) -> ExpenseQuerySet:
    """The expenses that it entered and that are still there."""
    return Expense.objects.visible_to(user, Perm.SELF).filter(recurring=one)


def receipt_for(user: User, pk: int) -> Receipt:
    """Raises NoSuchReceipt also for one of an expense that `user` does not see."""
    found = Receipt.objects.select_related("expense__workspace", "file").filter(pk=pk).first()
    try:
        if found is not None:
            expenses.get_for(user, found.expense_id)
            return found
    except expenses.NoSuchExpense:
        pass
    raise NoSuchReceipt("There is no receipt with this number.")
