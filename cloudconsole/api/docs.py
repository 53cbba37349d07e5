"""The OpenAPI document and its two readers, from local files, under the strict content security policy."""

from __future__ import annotations

from threading import Lock
from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cloudconsole.core.permissions import Perm

# ReDoc makes its styles at run time. Most carry the nonce it is given; these two are made while its file is loaded,
# before it can be told one: an empty element that it fills by script, and the style sheet of its scroll bars.
_REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)

_DRAWING = Lock()


class SchemaView(SpectacularAPIView):
    """The OpenAPI 3.1 document, as JSON or YAML."""

    permission = Perm.SELF
    permission_classes = APIView.permission_classes
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]

    @extend_schema(responses=OpenApiTypes.OBJECT, tags=["document"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """This document."""
        with _DRAWING:  # the generator keeps what it is at in its module: of two at once, one fails or both are mixed
            response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return response


@require_safe
@login_not_required
@ensure_csrf_cookie
def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@require_safe
@login_not_required
@csp_replace({"style-src": [SELF, NONCE, *_REDOC_STYLES]})
def redoc(request: HttpRequest) -> HttpResponse:
    """The only page that lets in styles by nonce and hash; scripts come from this site's files alone, as everywhere."""
    return render(request, "api/redoc.html")
