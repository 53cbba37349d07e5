from __future__ import annotations

from django.urls import path

from cloudconsole.dashboard.api import Dashboard

urlpatterns = [path("/dashboard", Dashboard.as_view(), name="api-dashboard")]
