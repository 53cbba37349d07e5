from __future__ import annotations

from django.urls import path

from expenses.views import imports

app_name = "expense_imports"
urlpatterns = [
    path("", imports.ImportList.as_view(), name="list"),
    path("/send", imports.SendImport.as_view(), name="send"),
    path("/<int:pk>", imports.ImportDetail.as_view(), name="detail"),
    path("/<int:pk>/preview", imports.PreviewImport.as_view(), name="preview"),
    path("/<int:pk>/layout", imports.LayOutImport.as_view(), name="layout"),
    path("/<int:pk>/check", imports.StageImport.as_view(), name="stage"),
    path("/<int:pk>/decide", imports.DecideRows.as_view(), name="decide"),
    path("/<int:pk>/commit", imports.CommitImport.as_view(), name="commit"),
    path("/<int:pk>/roll-back", imports.RollBackImport.as_view(), name="roll-back"),
    path("/<int:pk>/columns", imports.RemapImport.as_view(), name="remap"),
    path("/<int:pk>/retry", imports.RetryImport.as_view(), name="retry"),
    path("/<int:pk>/discard", imports.DiscardImport.as_view(), name="discard"),
    path("/<int:pk>/not-imported", imports.NotImportedCsv.as_view(), name="not-imported"),
    path("/mappings/<int:pk>/forget", imports.ForgetMapping.as_view(), name="forget-mapping"),
]
