"""Carrying out what rules decide. All rules are read once, and each expense is looked at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from expenses.models import Expense, Workspace
from expenses.models import Rule as RuleRow
from expenses.rules import categorising, wording
from expenses.rules.categorising import TEXTS, Decision, Facts, Rule
from expenses.services import inputs
from expenses.services.names import Names


def compiled(workspace: Workspace) -> list[Rule]:
    """The rules that are on, in their order."""
    return [of_row(row) for row in RuleRow.objects.filter(workspace=workspace, is_on=True)]


def of_row(row: RuleRow) -> Rule:
    return categorising.rule_of(row.pk, row.conditions, row.actions, match_any=row.match_any)


def fill_in(expenses: Iterable[Expense], workspace: Workspace, *, names: Names | None = None) -> None:
    """Let the rules of the workspace have their say on expenses that are not saved yet."""
    rules = compiled(workspace)
    if not rules:
        return
    names = names or Names(workspace)
    for expense in expenses:
        apply(expense, categorising.decide(rules, facts_of(expense)), names)


def facts_of(expense: Expense) -> Facts:
    """Reads the category, its parent and the payment method."""
    top, below = inputs.levels(expense.category)
    texts = {name: getattr(expense, name) for name in TEXTS if name not in ("category", "subcategory", "payment_method")}
    method = expense.payment_method.name if expense.payment_method else ""
    return Facts(
        texts={**texts, "category": top, "subcategory": below, "payment_method": method},
        cost=expense.cost,
        tags=tuple(expense.tags),
        locked=frozenset(expense.locked),
    )


def apply(expense: Expense, decision: Decision, names: Names) -> Sequence[str]:
    """Set what was decided, and say which fields differ now. Nothing is saved."""
    before = inputs.fields_of(expense)
    for name, value in decision.values.items():
        setattr(expense, name, _value(name, value, names))
    expense.tags = wording.tags_of([*expense.tags, *decision.tags])
    inputs.derive(expense)
    after = inputs.fields_of(expense)
    return [name for name in inputs.EDITABLE if getattr(before, name) != getattr(after, name)]


def _value(name: str, value: str, names: Names) -> object:
    if name == "category":
        return names.path(value)
    return names.method(value) if name == "payment_method" else value
