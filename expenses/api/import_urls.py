from __future__ import annotations

from django.urls import path

from expenses.api import exports, imports, spend

urlpatterns = [
    path("/expenses/export", exports.ExpenseExport.as_view()),
    path("/expenses/total", spend.TotalSpend.as_view()),
    path("/exchange-rates", spend.ExchangeRates.as_view()),
    path("/exchange-rates/<int:rate_id>", spend.OneExchangeRate.as_view()),
    path("/expenses/imports", imports.ExpenseImports.as_view()),
    path("/expenses/imports/<int:import_id>", imports.ExpenseImport.as_view()),
    path("/expenses/imports/<int:import_id>/preview", imports.ExpenseImportPreview.as_view()),
    path("/expenses/imports/<int:import_id>/rows", imports.ExpenseImportRows.as_view()),
    path("/expenses/imports/<int:import_id>/decide", imports.DecideImportRows.as_view()),
    path("/expenses/imports/<int:import_id>/commit", imports.CommitExpenseImport.as_view()),
    path("/expenses/imports/<int:import_id>/rollback", imports.RollBackExpenseImport.as_view()),
    path("/expenses/imports/<int:import_id>/retry", imports.RetryExpenseImport.as_view()),
    path("/expenses/imports/<int:import_id>/conflicts", imports.ExpenseImportConflicts.as_view()),
    path("/expenses/imports/<int:import_id>/rejected", imports.RejectedImportRows.as_view()),
    path("/expenses/import-mappings", imports.ImportMappings.as_view()),
    path("/expenses/import-mappings/<int:mapping_id>", imports.OneImportMapping.as_view()),
]
