"""Which expenses somebody asks for: the same filter for the page, the API, reports, exports and bulk edits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import Category, Expense, ExpenseQuerySet, ExpenseTag, Workspace
from expenses.models.sums import CostSum
from expenses.rules import wording
from expenses.rules.statuses import Status


class NoSuchExpense(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    title = "There is no such expense"


@dataclass(frozen=True)
class ExpenseFilter:
    """What a reader asks for; empty means everything. `start` is inclusive, `end` exclusive.

    A category is named by number and holds its subcategories, but for `only_categories`. An expense has at least one of
    `tags`, or exactly `only_tags`. `without` names columns that are empty; `weekdays` count from Monday, 1.
    """

    workspaces: tuple[int, ...] = ()
    start: date | None = None
    end: date | None = None
    categories: tuple[int, ...] = ()
    payees: tuple[str, ...] = ()
    methods: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    owners: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    locations: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    search: str = ""
    only_tags: tuple[str, ...] = ()
    only_categories: tuple[int, ...] = ()
    without: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()


# What `without` may name, and what being empty means there.
EMPTY: Final[Mapping[str, Q]] = {
    "category": Q(category=None),
    "payee": Q(payee_key=""),
    "payment_method": Q(payment_method=None),
    "location": Q(location=""),
    "tag": Q(tags=[]),
    "owner": Q(owner=None),
}


@dataclass(frozen=True)
class Total:
    """Of one currency: amounts of different ones are never added."""

    currency: str
    count: int
    amount: Decimal


def get_for(user: User | AnonymousUser, pk: uuid.UUID) -> Expense:
    """Raises NoSuchExpense also for one in a workspace that `user` is not in."""
    found = Expense.objects.visible_to(user, Perm.SELF).with_names().filter(pk=pk).first()
    if found is None:
        raise NoSuchExpense("There is no expense with this id.")
    return found


def listed(user: User | AnonymousUser, wanted: ExpenseFilter) -> ExpenseQuerySet:
    """The expenses that `user` may see and asks for, in no order yet."""
    return Expense.objects.visible_to(user, Perm.SELF).filter(
        _of(wanted), _exactly(wanted), _tagged(wanted), _said(wanted.search)
    )


def totals(found: ExpenseQuerySet) -> list[Total]:
    """What they add up to in each currency, the largest count first."""
    sums = found.order_by().values("currency").annotate(rows=Count("*"), amount=CostSum("cost"))
    return sorted(
        (Total(one["currency"], one["rows"], one["amount"]) for one in sums), key=lambda one: (-one.count, one.currency)
    )


def waiting_for(user: User, workspace: Workspace) -> int:
    """How many expenses of others wait for a decision that `user` may make, up to a hundred."""
    seen = Expense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace, status=Status.SUBMITTED)
    return seen.exclude(owner=user).order_by()[:100].count() if workspace.needs_approval else 0


def _of(wanted: ExpenseFilter) -> Q:
    found = Q(workspace__in=wanted.workspaces) if wanted.workspaces else Q()
    if wanted.start:
        found &= Q(date__gte=wanted.start)
    if wanted.end:
        found &= Q(date__lt=wanted.end)
    if wanted.minimum is not None:
        found &= Q(cost__gte=wanted.minimum)
    if wanted.maximum is not None:
        found &= Q(cost__lte=wanted.maximum)
    return found & _categorised(wanted.categories)


def _categorised(categories: tuple[int, ...]) -> Q:
    """Read first, so that one index finds them: the categories and what is below them."""
    if not categories:
        return Q()
    below = Category.objects.filter(parent__in=categories).order_by().values_list("pk", flat=True)
    return Q(category__in=[*categories, *below])


def _exactly(wanted: ExpenseFilter) -> Q:
    found = Q()
    if wanted.payees:
        found &= Q(payee_key__in=[wording.key_of(one) for one in wanted.payees])
    for name, values in (
        ("category", wanted.only_categories),
        ("payment_method", wanted.methods),
        ("status", wanted.statuses),
        ("currency", wanted.currencies),
        ("owner", wanted.owners),
        ("account", wanted.accounts),
        ("location", wanted.locations),
    ):
        if values:
            found &= Q(**{f"{name}__in": values})
    for name in wanted.without:
        found &= EMPTY[name]
    return found & Q(date__iso_week_day__in=wanted.weekdays) if wanted.weekdays else found


def _tagged(wanted: ExpenseFilter) -> Q:
    found = Q(tags=list(wanted.only_tags)) if wanted.only_tags else Q()
    if wanted.tags:
        found &= Q(Exists(ExpenseTag.objects.filter(expense=OuterRef("pk"), name__in=wanted.tags)))
    return found


def _said(search: str) -> Q:
    """Some word of the expense begins with each word of the search."""
    words = wording.words(search)
    if not words:
        return Q(pk=None) if search.strip() else Q()
    return Q(searched__words=words)
