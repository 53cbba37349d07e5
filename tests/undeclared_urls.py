"""Addresses for one test: a view that says nothing about who may use it."""

from __future__ import annotations

from django.urls import path
from django.views import View

urlpatterns = [path("forgotten", View.as_view())]
