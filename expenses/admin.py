"""The admin of expenses: to look at. What changes goes through the console, its rights and its trail.

Receipts' bytes, and files with their rows, are shown nowhere here.
"""

from __future__ import annotations

from django.contrib import admin

from cloudconsole.core.admin import ReadOnlyAdmin
from expenses.models import (
    Category,
    Edit,
    Expense,
    ExpenseBudget,
    ExpenseBudgetAlert,
    ImportBatch,
    ImportMapping,
    MonthlyRate,
    PaymentMethod,
    Receipt,
    RecurringExpense,
    Rule,
    Workspace,
    WorkspaceMember,
)


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnlyAdmin):
    list_display = ["name", "personal_of", "currency", "needs_approval", "created_at"]
    list_filter = ["needs_approval"]
    list_select_related = ["personal_of"]
    search_fields = ["name"]


@admin.register(WorkspaceMember)
class WorkspaceMemberAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "user", "role", "added_at"]
    list_filter = ["role"]
    list_select_related = ["workspace", "user"]


@admin.register(Expense)
class ExpenseAdmin(ReadOnlyAdmin):
    list_display = ["date", "workspace", "owner_name", "payee", "category", "cost", "currency", "status", "source", "deleted_at"]
    list_filter = ["status", "workspace"]
    list_select_related = ["workspace", "category__parent"]
    search_fields = ["id", "payee_key__startswith", "external_id"]
    search_help_text = "An id, the beginning of a payee in lower case, or an external id"


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    list_display = ["name", "parent", "workspace"]
    list_filter = ["workspace"]
    list_select_related = ["parent__parent", "workspace"]
    search_fields = ["name"]


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "last_four", "workspace", "archived_at"]
    list_filter = ["kind"]
    list_select_related = ["workspace"]


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ["name", "expense_id", "added_by", "created_at"]
    list_select_related = ["added_by"]
    fields = ["name", "added_by", "created_at"]


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "position", "is_on", "match_any", "updated_at"]
    list_filter = ["is_on"]
    list_select_related = ["workspace"]


@admin.register(RecurringExpense)
class RecurringExpenseAdmin(ReadOnlyAdmin):
    list_display = ["payee", "workspace", "owner", "rrule", "next_on", "is_paused", "last_run_at"]
    list_filter = ["is_paused"]
    list_select_related = ["workspace", "owner"]


@admin.register(ExpenseBudget)
class ExpenseBudgetAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "category", "amount", "currency", "every", "revision"]
    list_select_related = ["workspace", "category__parent"]


@admin.register(ExpenseBudgetAlert)
class ExpenseBudgetAlertAdmin(ReadOnlyAdmin):
    list_display = ["budget", "period_start", "threshold", "figure", "reached_at"]
    list_select_related = ["budget__workspace", "budget__category__parent"]


@admin.register(Edit)
class EditAdmin(ReadOnlyAdmin):
    list_display = ["what", "workspace", "by", "count", "created_at", "undone_at"]
    list_select_related = ["workspace", "by"]


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "owner_name", "status", "rows_read", "created", "updated", "created_at", "error_code"]
    list_filter = ["status"]
    list_select_related = ["workspace"]
    search_fields = ["name", "source"]


@admin.register(ImportMapping)
class ImportMappingAdmin(ReadOnlyAdmin):
    list_display = ["source", "workspace", "used_at"]
    list_select_related = ["workspace"]
    search_fields = ["source"]


@admin.register(MonthlyRate)
class MonthlyRateAdmin(ReadOnlyAdmin):
    list_display = ["month", "currency", "per_euro", "source", "days", "set_by_name", "set_at"]
    list_filter = ["source", "currency"]
