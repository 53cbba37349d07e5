"""Error pages for people and problems for programs, at the outermost edge."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cloudconsole.core import requests


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Reads nothing from the database, which may be what failed."""
    return _page(request, 500)


def _page(request: HttpRequest, status: int) -> HttpResponse:
    """The page without the frame. The request id is what logs know the failure by."""
    context = requests.current()
    return render(request, f"{status}.html", {"request_id": context.request_id if context else ""}, status=status)
