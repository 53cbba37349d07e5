"""The roof: every URL of the product, app by app."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from cloudconsole.api.urls import health_urlpatterns

urlpatterns = [
    *health_urlpatterns,
    # Every address that is compared before the right one takes time, and the proxy has the least of it.
    path("api", include("gateway.api.urls")),
    path("api", include("cloudconsole.api.urls")),
    path("api", include("accounts.api.urls")),
    path("api", include("resources.api.operation_urls")),
    path("api", include("resources.api.urls")),
    path("api", include("costs.api.urls")),
    path("api", include("expenses.api.import_urls")),
    path("api", include("expenses.api.urls")),
    path("api", include("audit.api.urls")),
    path("api", include("cloudconsole.dashboard.api_urls")),
    path("", include("cloudconsole.dashboard.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.door_urls")),
    path("people", include("accounts.people_urls")),
    path("alerts", include("accounts.alert_urls")),
    path("settings", include("accounts.settings_urls")),
    path("settings", include("accounts.security_urls")),
    path("", include("resources.operation_urls")),
    path("automation", include("resources.automation_urls")),
    path("quotas", include("resources.quota_urls")),
    path("", include("resources.urls")),
    path("costs", include("costs.explorer_urls")),
    path("costs/", include("costs.urls")),
    path("anomalies", include("costs.anomaly_urls")),
    path("recommendations", include("costs.recommendation_urls")),
    path("budgets", include("costs.budget_urls")),
    path("", include("expenses.spend_urls")),
    path("expenses/imports", include("expenses.import_urls")),
    path("expenses", include("expenses.urls")),
    path("keys", include("gateway.urls")),
    path("audit", include("audit.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "cloudconsole.dashboard.errors.bad_request"
handler403 = "cloudconsole.dashboard.errors.permission_denied"
handler404 = "cloudconsole.dashboard.errors.page_not_found"
handler500 = "cloudconsole.dashboard.errors.server_error"
