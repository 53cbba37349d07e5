"""The furniture's own addresses: the document, its readers, and the health of the installation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cloudconsole.api import docs, health
from cloudconsole.api.root import RootView

app_name = "api"


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Every part the installation stands on; 503 when one does not hold, 200 when one is only degraded."""
    parts = health.readiness()
    status = health.overall(parts.values())
    return JsonResponse({"status": status, "parts": parts}, status=503 if status == "failing" else 200)


urlpatterns = [
    path("", RootView.as_view(), name="root"),
    path("/schema", docs.SchemaView.as_view(), name="schema"),
    path("/docs", docs.swagger, name="docs"),
    path("/redoc", docs.redoc, name="redoc"),
]
health_urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]
