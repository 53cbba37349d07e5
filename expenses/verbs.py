"""What happens to expenses that the audit trail tells. Amounts and payees stay out of it: the trail is kept for long."""

from __future__ import annotations

from audit.verbs import register

WORKSPACE_MADE = register("workspace.made", "{actor} made the workspace “{name}”")
WORKSPACE_CHANGED = register("workspace.changed", "{actor} changed the workspace “{name}”")
MEMBER_CHANGED = register("workspace.member_changed", "{actor} made {member} {role} of the workspace “{name}”")
MEMBER_REMOVED = register("workspace.member_removed", "{actor} took {member} out of the workspace “{name}”")
EXPENSE_ADDED = register("expense.added", "{actor} added an expense to “{workspace}”")
EXPENSE_CHANGED = register("expense.changed", "{actor} changed an expense of “{workspace}”: {fields}")
EXPENSE_DELETED = register("expense.deleted", "{actor} deleted an expense of “{workspace}”")
EXPENSE_SPLIT = register("expense.split", "{actor} split an expense of “{workspace}” into {count}")
EXPENSES_CHANGED = register("expense.changed_in_bulk", "{actor} changed {count} expenses of “{workspace}”: {fields}")
EXPENSES_DELETED = register("expense.deleted_in_bulk", "{actor} deleted {count} expenses of “{workspace}”")
EDIT_UNDONE = register("expense.edit_undone", "{actor} undid a change of {count} expenses of “{workspace}”")
EXPENSE_SUBMITTED = register("expense.submitted", "{actor} handed in an expense of “{workspace}”")
EXPENSE_WITHDRAWN = register("expense.withdrawn", "{actor} took back an expense of “{workspace}”")
EXPENSE_APPROVED = register("expense.approved", "{actor} approved an expense of {owner} in “{workspace}”")
EXPENSE_REJECTED = register("expense.rejected", "{actor} rejected an expense of {owner} in “{workspace}”")
EXPENSE_REIMBURSED = register("expense.reimbursed", "{actor} paid an expense of {owner} in “{workspace}” back")
CATEGORY_ADDED = register("expense_category.added", "{actor} added the category “{name}”")
CATEGORY_RENAMED = register("expense_category.renamed", "{actor} renamed the category “{before}” to “{name}”")
CATEGORY_MOVED = register("expense_category.moved", "{actor} moved the category “{name}” under {parent}")
CATEGORY_MERGED = register("expense_category.merged", "{actor} merged the category “{name}” into “{into}”: {count} expenses")
CATEGORY_DELETED = register("expense_category.deleted", "{actor} deleted the category “{name}”")
METHOD_ADDED = register("payment_method.added", "{actor} added the payment method “{name}”")
METHOD_CHANGED = register("payment_method.changed", "{actor} changed the payment method “{name}”")
METHOD_DELETED = register("payment_method.deleted", "{actor} deleted the payment method “{name}”")
RULE_MADE = register("expense_rule.made", "{actor} made the rule “{name}”")
RULE_CHANGED = register("expense_rule.changed", "{actor} changed the rule “{name}”")
RULE_DELETED = register("expense_rule.deleted", "{actor} deleted the rule “{name}”")
RULES_RUN = register("expense_rule.run", "{actor} ran the rules of “{workspace}” over the past: {count} expenses changed")
RECURRING_MADE = register("recurring_expense.made", "{actor} made a recurring expense in “{workspace}”")
RECURRING_CHANGED = register("recurring_expense.changed", "{actor} changed a recurring expense in “{workspace}”")
RECURRING_DELETED = register("recurring_expense.deleted", "{actor} deleted a recurring expense in “{workspace}”")
RECURRING_RAN = register("recurring_expense.ran", "{actor} made {count} expenses of a series in “{workspace}”")
BUDGET_MADE = register("expense_budget.made", "{actor} made a budget for {subject}")
BUDGET_CHANGED = register("expense_budget.changed", "{actor} changed the budget for {subject}")
BUDGET_DELETED = register("expense_budget.deleted", "{actor} deleted the budget for {subject}")
RECEIPT_ADDED = register("receipt.added", "{actor} added a receipt to an expense of “{workspace}”")
RECEIPT_REMOVED = register("receipt.removed", "{actor} removed a receipt from an expense of “{workspace}”")
IMPORT_RECEIVED = register("expense_import.received", "{actor} sent the file {subject} to “{workspace}”")
IMPORT_ACCEPTED = register("expense_import.accepted", "{actor} had the file {subject} imported into “{workspace}”")
IMPORT_COMMITTED = register(
    "expense_import.committed", "The file {subject} was imported into “{workspace}”: {created} expenses, {updated} updated"
)
IMPORT_ROLLBACK = register(
    "expense_import.rollback_requested", "{actor} had the import of {subject} into “{workspace}” taken back"
)
IMPORT_ROLLED_BACK = register(
    "expense_import.rolled_back", "The import of {subject} into “{workspace}” was taken back: {count} expenses"
)
IMPORT_DISCARDED = register("expense_import.discarded", "{actor} discarded the file {subject}")
IMPORT_FAILED = register("expense_import.failed", "The file {subject} could not be dealt with")
MAPPING_DELETED = register("expense_import.mapping_deleted", "{actor} forgot how files of {subject} are read")
RATE_SET = register("exchange_rate.set", "{actor} set the rate of {currency} in {month} to {rate} for one euro")
RATE_REMOVED = register("exchange_rate.removed", "{actor} removed the own rate of {currency} in {month}")
