from __future__ import annotations

from django.urls import path

from expenses.views import spend

app_name = "spend"
urlpatterns = [
    path("expenses/total", spend.TotalSpend.as_view(), name="total"),
    path("expenses/export", spend.ExportExpenses.as_view(), name="export"),
    path("exchange-rates", spend.ExchangeRates.as_view(), name="rates"),
    path("exchange-rates/set", spend.SetRate.as_view(), name="set-rate"),
    path("exchange-rates/<int:pk>/remove", spend.RemoveRate.as_view(), name="remove-rate"),
]
