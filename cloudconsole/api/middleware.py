"""The outermost edge of the API: whatever happens below it, the answer keeps the contract."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from cloudconsole.api import problems
from cloudconsole.api.problems import Problem

PREFIX = "/api"


def is_api(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


class ApiMiddleware:
    """For paths under /api: version header, problems for what fails outside DRF, and no difference made by a trailing slash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api(request.path_info):
            return self.get_response(request)
        _without_trailing_slash(request)
        response = self.get_response(request)
        response["API-Version"] = settings.API_VERSION
        if getattr(response, "is_relayed", False):  # another service's answer: its failures and limits are not ours
            return response
        response = _as_problem(response)
        response["API-Version"] = settings.API_VERSION
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        return response


def _without_trailing_slash(request: HttpRequest) -> None:
    # Rewritten rather than redirected: a redirect would lose the body of a POST.
    if request.path_info.endswith("/"):
        request.path_info = request.path_info.rstrip("/")
        request.path = request.path.rstrip("/")


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Errors that Django itself answered (unknown path, refused host, CSRF, a crash) become problems."""
    if response.status_code < 400 or getattr(response, "accepted_renderer", None) or _is_problem(response):
        return response
    kept = {name: response[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if response.has_header(name)}
    replaced: HttpResponse = problems.as_http(Problem.plain(response.status_code, **kept))
    replaced.cookies = response.cookies
    return replaced


def _is_problem(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json") or (
        response.headers.get("Content-Type") == problems.CONTENT_TYPE
    )
