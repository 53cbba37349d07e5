from expenses.models.imports import WORK, BatchStatus, ImportBatch, ImportMapping, ImportPiece, ImportRow, Outcome
from expenses.models.plans import ExpenseBudget, ExpenseBudgetAlert, RecurringExpense, Rule
from expenses.models.rates import MonthlyRate, RateRelease, RateSource
from expenses.models.records import (
    Edit,
    EditedExpense,
    Expense,
    ExpenseQuerySet,
    ExpenseTag,
    Receipt,
    ReceiptFile,
)
from expenses.models.workspaces import Category, PaymentMethod, Workspace, WorkspaceMember

__all__ = [
    "WORK",
    "BatchStatus",
    "Category",
    "Edit",
    "EditedExpense",
    "Expense",
    "ExpenseBudget",
    "ExpenseBudgetAlert",
    "ExpenseQuerySet",
    "ExpenseTag",
    "ImportBatch",
    "ImportMapping",
    "ImportPiece",
    "ImportRow",
    "MonthlyRate",
    "Outcome",
    "PaymentMethod",
    "RateRelease",
    "RateSource",
    "Receipt",
    "ReceiptFile",
    "RecurringExpense",
    "Rule",
    "Workspace",
    "WorkspaceMember",
]
