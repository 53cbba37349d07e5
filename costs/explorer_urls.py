from django.urls import path

from costs.views import changes, explorer, filters, reports

app_name = "explorer"
urlpatterns = [
    path("", explorer.Costs.as_view(), name="costs"),
    path("/changes", changes.WhatChanged.as_view(), name="changes"),
    path("/filters", filters.Filters.as_view(), name="filters"),
    path("/costs.csv", explorer.CostsCsv.as_view(), name="csv"),
    path("/reports", reports.SaveReport.as_view(), name="save"),
    path("/reports/<int:pk>/delete", reports.DeleteReport.as_view(), name="delete"),
]
