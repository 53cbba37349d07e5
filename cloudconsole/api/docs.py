"""The OpenAPI document and its two readers, from local files, under the strict content security policy."""

from __future__ import annotations

from csp.constants import NONCE, SELF
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.views import APIView

from cloudconsole.core.permissions import Perm


class SchemaView(SpectacularAPIView):
    """The OpenAPI 3.1 document, as JSON or YAML."""

    permission = Perm.SELF
    permission_classes = APIView.permission_classes
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


@require_safe
@login_not_required
@ensure_csrf_cookie
def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@require_safe
@login_not_required
@csp_replace({"style-src": [SELF, NONCE]})
def redoc(request: HttpRequest) -> HttpResponse:
    """ReDoc makes its style elements at run time (styled-components), so this page alone lets in styles with its nonce."""
    return render(request, "api/redoc.html")
