from __future__ import annotations

from django.urls import path

from expenses.api import expenses, plans, receipts, reports, trees

urlpatterns = [
    path("/expenses", expenses.Expenses.as_view()),
    path("/expenses/<int:user_id>", expenses.ExpensesOfUser.as_view()),
    path("/expenses/summary", reports.ExpenseSummary.as_view()),
    path("/expenses/bulk", expenses.BulkExpenses.as_view()),
    path("/expenses/edits/<uuid:edit_id>/undo", expenses.UndoExpenseEdit.as_view()),
    path("/expenses/categories", trees.ExpenseCategories.as_view()),
    path("/expenses/categories/<int:category_id>", trees.OneExpenseCategory.as_view()),
    path("/expenses/payment-methods", trees.PaymentMethods.as_view()),
    path("/expenses/payment-methods/<int:method_id>", trees.OnePaymentMethod.as_view()),
    path("/expenses/workspaces", trees.ExpenseWorkspaces.as_view()),
    path("/expenses/workspaces/<int:workspace_id>", trees.OneExpenseWorkspace.as_view()),
    path("/expenses/workspaces/<int:workspace_id>/members", trees.ExpenseWorkspaceMembers.as_view()),
    path("/expenses/rules", plans.ExpenseRules.as_view()),
    path("/expenses/rules/run", plans.RunExpenseRules.as_view()),
    path("/expenses/rules/try", plans.TryExpenseRules.as_view()),
    path("/expenses/rules/<int:rule_id>", plans.OneExpenseRule.as_view()),
    path("/expenses/rules/<int:rule_id>/try", plans.TryExpenseRule.as_view()),
    path("/expenses/recurring", plans.RecurringExpenses.as_view()),
    path("/expenses/recurring/<int:series_id>", plans.OneRecurringExpense.as_view()),
    path("/expenses/budgets", plans.ExpenseBudgets.as_view()),
    path("/expenses/budgets/<int:budget_id>", plans.OneExpenseBudget.as_view()),
    path("/expenses/receipts/<int:receipt_id>", receipts.OneReceipt.as_view()),
    path("/expenses/<uuid:expense_id>", expenses.OneExpense.as_view()),
    path("/expenses/<uuid:expense_id>/decide", expenses.DecideOnExpense.as_view()),
    path("/expenses/<uuid:expense_id>/duplicate", expenses.DuplicateExpense.as_view()),
    path("/expenses/<uuid:expense_id>/split", expenses.SplitExpense.as_view()),
    path("/expenses/<uuid:expense_id>/receipts", receipts.ExpenseReceipts.as_view()),
]
