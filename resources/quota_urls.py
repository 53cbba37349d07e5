from __future__ import annotations

from django.urls import path

from resources.views import quotas

app_name = "quotas"
urlpatterns = [
    path("", quotas.QuotaList.as_view(), name="list"),
    path("/<int:pk>", quotas.QuotaDetail.as_view(), name="detail"),
    path("/<int:pk>/thresholds", quotas.SetThresholds.as_view(), name="thresholds"),
    path("/<int:pk>/increase", quotas.AskForMore.as_view(), name="increase"),
]
