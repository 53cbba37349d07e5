"""Expenses on their way out: exactly those of a filter, one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from expenses.models import Expense, ExpenseQuerySet
from expenses.rules import currencies

# The names under which an import finds the columns again.
COLUMNS: Final = (
    "id", "date", "category", "subcategory", "payee", "description", "cost", "currency", "payment_method", "location", "tags",
    "notes", "account", "project", "status", "user", "workspace", "source", "external_id", "created_at",
)  # fmt: skip
_PIECE: Final = 2_000


def rows(found: ExpenseQuerySet) -> Iterator[dict[str, object]]:
    """By day, the newest first: dates as days, costs as Decimals, tags as a list."""
    for expense in found.newest_first().with_names().iterator(chunk_size=_PIECE):
        yield dict(zip(COLUMNS, _values(expense), strict=True))


def _values(one: Expense) -> tuple[object, ...]:
    top, below = _levels(one)
    return (
        str(one.pk),
        one.date,
        top,
        below,
        one.payee,
        one.description,
        currencies.amount_of(one.cost, one.currency),
        one.currency,
        one.payment_method.name if one.payment_method else "",
        one.location,
        list(one.tags),
        one.notes,
        one.account.alias if one.account else "",
        one.project,
        one.status,
        one.owner_name,
        one.workspace.name,
        one.source,
        one.external_id,
        one.created_at,
    )


def _levels(one: Expense) -> tuple[str, str]:
    if one.category is None:
        return "", ""
    return (one.category.parent.name, one.category.name) if one.category.parent else (one.category.name, "")
