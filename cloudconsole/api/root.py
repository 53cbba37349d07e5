from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.middleware import PREFIX
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm


class RootView(ApiView):
    """Where to start: every address of the API that needs no id."""

    permission = Perm.SELF

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        paths = sorted(path for path in _paths(get_resolver().url_patterns) if path.startswith(f"{PREFIX}/") and "<" not in path)
        return Response({path.removeprefix(f"{PREFIX}/"): request.build_absolute_uri(path) for path in paths})

    def get_view_name(self) -> str:
        return "API"


def _paths(patterns: Iterable[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        else:
            yield path
