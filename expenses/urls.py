from django.urls import path

from expenses.views import bulk, details, entry, lists, plans, receipts, reports, trees, workspaces

app_name = "expenses"

urlpatterns = [
    path("", lists.ExpenseList.as_view(), name="list"),
    path("/totals", lists.Totals.as_view(), name="totals"),
    path("/suggestions", lists.Suggestions.as_view(), name="suggestions"),
    path("/new", entry.AddExpense.as_view(), name="new"),
    path("/bulk", bulk.BulkEdit.as_view(), name="bulk"),
    path("/edits/<uuid:pk>/undo", entry.UndoEdit.as_view(), name="undo"),
    path("/report", reports.ExpenseReport.as_view(), name="report"),
    path("/categories", trees.CategoryTree.as_view(), name="categories"),
    path("/categories/<int:pk>", trees.CategoryDetail.as_view(), name="category"),
    path("/payment-methods", trees.MethodList.as_view(), name="methods"),
    path("/payment-methods/<int:pk>", trees.MethodDetail.as_view(), name="method"),
    path("/rules", plans.RuleList.as_view(), name="rules"),
    path("/rules/<int:pk>", plans.RuleDetail.as_view(), name="rule"),
    path("/recurring", plans.SeriesList.as_view(), name="recurring"),
    path("/recurring/<int:pk>", plans.SeriesDetail.as_view(), name="series"),
    path("/budgets", plans.BudgetList.as_view(), name="budgets"),
    path("/budgets/<int:pk>", plans.BudgetDetail.as_view(), name="budget"),
    path("/workspaces", workspaces.Workspaces.as_view(), name="workspaces"),
    path("/workspaces/<int:pk>", workspaces.ChangeWorkspace.as_view(), name="workspace"),
    path("/workspaces/<int:pk>/members", workspaces.ChangeMember.as_view(), name="members"),
    path("/receipts/<int:pk>", receipts.ReceiptFilePage.as_view(), name="receipt"),
    path("/<uuid:pk>", details.ExpenseDetail.as_view(), name="detail"),
    path("/<uuid:pk>/row", entry.ExpenseRow.as_view(), name="row"),
    path("/<uuid:pk>/duplicate", details.DuplicateExpense.as_view(), name="duplicate"),
    path("/<uuid:pk>/delete", details.DeleteExpense.as_view(), name="delete"),
    path("/<uuid:pk>/split", details.SplitExpense.as_view(), name="split"),
    path("/<uuid:pk>/decide", details.DecideExpense.as_view(), name="decide"),
    path("/<uuid:pk>/receipts", receipts.AddReceipt.as_view(), name="receipts"),
]
