"""Things of somebody else, for the table of who may open what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from expenses.models import ImportMapping, MonthlyRate, Receipt, ReceiptFile
from expenses.services import budgets, bulk, recurring, rules
from expenses.services.budgets import BudgetInput
from expenses.services.rules import RuleInput
from expenses.tests import books, sending


def examples(account: AwsAccount, owner: User) -> Mapping[str, object]:
    """What stands in the place of a placeholder, by a part of the path. `owner` is nobody who tries."""
    expense = books.spend(owner, account=account)
    place = expense.workspace
    edit = bulk.change(found=place.expenses.all(), changes=bulk.Changes(project="x"), by=owner)
    file = ReceiptFile.objects.create(workspace=place, sha256="0" * 64, content_type="application/pdf", size=5, content=b"%PDF-")
    receipt = Receipt.objects.create(expense=expense, file=file, name="receipt.pdf")
    rule = rules.create(
        workspace=place,
        given=RuleInput(
            "theirs", [{"field": "payee", "operator": "is", "value": "x"}], [{"field": "category", "value": "Travel"}]
        ),
        by=owner,
    )
    series = recurring.create(workspace=place, given=books.given(date=date(2199, 1, 1)), rrule="FREQ=MONTHLY", by=owner)
    budget = budgets.create(workspace=place, given=BudgetInput(Decimal(100), "USD"), by=owner)
    return {
        "expenses/<uuid": expense.pk,
        "expenses/<int:user_id": owner.pk,
        "expenses/edits/<": edit.pk,
        "expenses/categories/<": expense.category_id,
        "expenses/payment-methods/<": expense.payment_method_id,
        "expenses/rules/<": rule.pk,
        "expenses/recurring/<": series.pk,
        "expenses/budgets/<": budget.pk,
        "expenses/workspaces/<": place.pk,
        "expenses/receipts/<": receipt.pk,
        **_of_an_import(owner),
        "exchange-rates/<": _rate().pk,
    }


def _of_an_import(owner: User) -> dict[str, object]:
    batch = sending.staged(sending.coffees(1), owner)
    mapping = ImportMapping.objects.get(workspace=batch.workspace)
    return {
        "expenses/imports/<": batch.pk,
        "expenses/import-mappings/<": mapping.pk,
        "expenses/imports/mappings/<": mapping.pk,
    }


def _rate() -> MonthlyRate:
    rate, month = Decimal("1.1"), date(2026, 10, 1)
    return MonthlyRate.objects.create(currency="USD", month=month, source="manual", per_euro=rate, set_at=clock.now())
