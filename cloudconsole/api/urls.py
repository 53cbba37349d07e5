"""The furniture's own addresses: the document, its readers, and the health of the installation."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "api"
urlpatterns: list[URLPattern] = []
health_urlpatterns: list[URLPattern] = []
