"""Expenses for tests, through the door that people use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from expenses.models import Expense, Workspace
from expenses.rules.statuses import MemberRole
from expenses.services import expenses, workspaces
from expenses.services.inputs import ExpenseInput


def given(**fields: Any) -> ExpenseInput:
    """A taxi for 12.50 USD, unless something else is said."""
    known: dict[str, Any] = {"date": date(2026, 11, 3), "cost": Decimal("12.50"), "currency": "USD", "payee": "Yellow Cab"}
    known |= {"category": "Travel", "subcategory": "Taxi", "payment_method": "Visa"}
    return ExpenseInput(**{**known, **fields})


def spend(by: User, workspace: Workspace | None = None, *, source: str = "manual", **fields: Any) -> Expense:
    place = workspace or workspaces.personal(by)
    return expenses.add(workspace=place, given=given(**fields), by=by, source=source).expense


def shared(manager: User, *members: tuple[User, MemberRole], needs_approval: bool = False, name: str = "Team") -> Workspace:
    made = workspaces.create(name=name, currency="EUR", needs_approval=needs_approval, by=manager)
    for user, role in members:
        workspaces.put_member(workspace=made, user=user, role=role, by=manager)
    return made
